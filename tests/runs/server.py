"""A server without pages: does what it is told with Workers, and says how it went, a line each.

    python -m tests.runs.server AT_ONCE

Reads lines "submit FOLDER", "stop FOLDER", "pause FOLDER" and "resume FOLDER" from its standard input.
"""

import pathlib
import sys

from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.worker_pool import Workers


def main(at_once: str) -> None:
    these = Workers(int(at_once))
    for line in sys.stdin:
        order, _, folder = line.rstrip("\n").partition(" ")
        try:
            getattr(these, order)(Run(pathlib.Path(folder)))
            print("done", flush=True)
        except LabError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
