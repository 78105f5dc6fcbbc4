"""Trains runs in processes that are killed, stopped and paused at random moments, until one of them ends by itself.

    python -m tests.runs.killing TIMES FOLDER FOLDER...

The first run is trained without any interruption, each other one is interrupted so many times. The processes are
forked behind the import of torch, so that each trial lasts no longer than what is tried. Prints what was done.
"""

import os
import pathlib
import random
import signal
import sys
import time

import torch

from mnist_core import dataset, trainer
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run

DEEDS = ("kill", "kill", "kill", "stop", "stop-first", "pause-kill", "pause-stop", "pause-resume-kill")
LONGEST = 0.1  # seconds until it is done


def train(run: Run) -> int:
    """The id of a new process that trains the run."""
    child = os.fork()
    if child == 0:
        try:
            for _ in train_run(run, report_every=3):
                pass
        finally:
            os._exit(0)
    return child


def interrupt(run: Run, deed: str, moments: random.Random) -> None:
    if deed == "stop-first":
        run.set_status(RunState.WAITING)
        run.request_stop()
    child = train(run)
    for part in deed.split("-"):
        time.sleep(moments.uniform(0, LONGEST))
        if part == "kill":
            os.kill(child, signal.SIGKILL)
        elif part == "stop":
            run.request_stop()
        elif part == "pause":
            run.request_pause()
        elif part == "resume":
            run.end_pause()
    os.waitpid(child, 0)


def main(times: str, *folders: str) -> None:
    torch.set_num_threads(1)  # a process that is forked cannot share in torch's threads
    runs = [Run(pathlib.Path(folder)) for folder in folders]
    trainer.warm_up()
    dataset.load(runs[0].config())
    for seed, run in enumerate(runs):
        moments = random.Random(seed)  # noqa: S311
        for _ in range(int(times) if seed else 0):
            if run.status().state != "finished":
                deed = moments.choice(DEEDS)
                interrupt(run, deed, moments)
                print(deed)
        while run.status().state != "finished":
            os.waitpid(train(run), 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
