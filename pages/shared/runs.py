"""Runs as pages need them: this server's worker processes and what is known of each run, for all visitors."""

import functools
import pathlib

from mnist_core import run
from mnist_core.errors import RunError
from mnist_core.history import History
from mnist_core.run import ACTIVE, Run
from mnist_core.workers import Workers

NEWEST = 20  # runs that are looked at for one that trains now


@functools.cache
def get_workers() -> Workers:
    return Workers()


def active_runs() -> set[str]:
    """Ids of the runs that are being trained, or will be."""
    return {this.id for this in run.list_runs()[:NEWEST] if state_of(this) in ACTIVE}


def state_of(this: Run) -> str:
    """The run's state; "damaged" where that cannot be read."""
    try:
        return this.status().state
    except RunError:
        return "damaged"


def history_of(this: Run) -> History:
    """What the run's records say by now. Raises RunError if they are damaged."""
    history = _history(this.path / "metrics.jsonl")
    history.update()
    return history


@functools.lru_cache(maxsize=32)
def _history(path: pathlib.Path) -> History:
    return History(path)
