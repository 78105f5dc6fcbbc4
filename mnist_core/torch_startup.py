"""Keeping Python's garbage collector off torch and other large packages."""

import atexit
import functools
import gc


@functools.cache
def freeze_imports(of: str = "torch") -> None:
    """Leave all objects there are by now out of the garbage collector's rounds, once in a process for each package.

    Called when a large package is imported, such as torch, which is objects by the hundred thousand: to look through
    them again and again slows the epochs of a small network, and every run of a page's script, after which Streamlit
    collects garbage.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # some of torch's parts complain if they are not collected in the end
