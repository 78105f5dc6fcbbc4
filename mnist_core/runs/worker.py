"""Training a run in a process of its own, which ends when its parent does."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import threading
from typing import IO, cast

from mnist_core.errors import LabError
from mnist_core.files import APP_FOLDER
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run

NICE = 5  # of 19, how much a training process stands back where others need the processor


def spawn() -> subprocess.Popen[bytes]:
    """A process that gets ready to train and then waits for `hand_over`. It ends when this one does, however it ends.

    What tells it is the end of its standard input, a pipe that this process holds.
    """
    search_path = [str(APP_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]  # wherever it was started from
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "mnist_core.runs.worker"],
        env=environment,
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C in the parent's terminal is the parent's alone
    )


def hand_over(run: Run, child: subprocess.Popen[bytes]) -> None:
    """Have `child`, from `spawn`, train `run`. Raises BrokenPipeError if it has ended."""
    pipe = cast(IO[bytes], child.stdin)
    pipe.write(os.fsencode(run.path.resolve()) + b"\n")
    pipe.flush()


def start(run: Run) -> subprocess.Popen[bytes]:
    """Train `run` in a process of its own, which ends when this one does. Raises RunError."""
    run.clear_requests()
    run.set_status(RunState.STARTING)
    child = spawn()
    hand_over(run, child)
    return child


def _end_with_parent() -> None:
    """Block until standard input ends, which is when the parent has gone, and end this process then and there."""
    while os.read(0, 1):  # not through sys.stdin, whose lock would hold up a normal end
        pass
    os._exit(0)


def _wait_for_run() -> Run | None:
    """The run that is handed over; None if the parent goes first."""
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(0, 4096)
        if not read:
            return None
        line += read
    return Run(pathlib.Path(os.fsdecode(line[:-1])))


def main() -> int:
    """The process of `spawn`: get ready, wait for a run, train it."""
    from mnist_core import trainer

    if hasattr(os, "nice"):
        os.nice(NICE)  # a click, and whatever else the machine is used for, goes first
    trainer.warm_up()
    run = _wait_for_run()
    if run is None:
        return 0
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError), open(run.log, "ab") as log:  # where it cannot be written, training says so
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    code = 0
    try:
        for _ in train_run(run):
            pass
    except LabError as error:
        with contextlib.suppress(OSError):
            print(error, file=sys.stderr, flush=True)
        code = 2
    os._exit(code)  # to take torch down in order lasts a second, for which the next in line would wait


if __name__ == "__main__":
    sys.exit(main())
