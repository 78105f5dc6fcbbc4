"""Other work on the same machine: a laptop that trains has a browser open as well."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

COUNTS = {1: "beside one busy process", 2: "beside two busy processes"}


@contextlib.contextmanager
def beside(count: int) -> Iterator[None]:
    """So many processes that use all of a processor core that they can get."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
