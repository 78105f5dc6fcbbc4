"""What is arranged before torch is imported, and behind the import of torch and other large packages."""

import atexit
import contextlib
import ctypes
import functools
import gc
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def limit_spinning() -> None:
    """Have OpenMP's threads that wait for each other sleep soon. Takes effect only before torch is imported.

    By default they keep their cores busy meanwhile, 300,000 turns of a loop with GNU's OpenMP (torch's on Linux) and
    200 ms with LLVM's and Intel's (on macOS and Windows). Beside other busy processes that holds up the very threads
    they wait for, and a training becomes many times slower. What the user has set is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:  # which both variables would override
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
        os.environ.setdefault("KMP_BLOCKTIME", "1")  # millisecond


@functools.cache
def freeze_imports(of: str = "torch") -> None:
    """Leave all objects there are by now out of the garbage collector's rounds, once in a process for each package.

    Called when a large package is imported, such as torch, which is objects by the hundred thousand: to look through
    them again and again slows the epochs of a small network, and every run of a page's script, after which Streamlit
    collects garbage.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # some of torch's parts complain if they are not collected in the end


@functools.cache
def keep_freed_memory() -> None:
    """Have this process keep memory that it frees, to use it again, where the C library is GNU's.

    By default blocks above a threshold go back to the system at once. A training step frees and asks for the same ones,
    and that the system clears each of their pages anew took an eighth of the time of `cnn`'s steps on one thread.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(M_MMAP_THRESHOLD, 2**25)  # bytes; the most that is allowed on 64 bits
            mallopt(M_TRIM_THRESHOLD, 2**30)
