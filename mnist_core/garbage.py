"""Keeping Python's garbage collector off torch."""

import atexit
import functools
import gc


@functools.cache
def freeze_imports() -> None:
    """Leave all objects there are by now out of the garbage collector's rounds, once in a process.

    Called when torch is imported: it is objects by the hundred thousand, and to look through them again and again slows
    the epochs of a small network, and every run of a page's script, after which Streamlit collects garbage.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # some of torch's parts complain if they are not collected in the end
