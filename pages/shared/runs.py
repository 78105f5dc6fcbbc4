"""Runs as pages need them: this server's worker processes and what is known of each run, for all visitors."""

import functools
import pathlib
import re
import sys

from mnist_core.errors import LabError, RunError
from mnist_core.reading import catalog
from mnist_core.records import Record
from mnist_core.runs import cluster, metrics_file
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.summary import Table
from mnist_core.runs.worker_pool import Workers
from pages.shared.markdown import plain

RUN_ID = re.compile(r"(?<![\w/\\-])\d{8}-\d{6}-[\w-]+")  # in a sentence: in a path something stands before it


@functools.cache
def get_workers() -> Workers:
    """Raises RunError where a cluster is named and Ray is not installed."""
    return Workers(executor=get_cluster())


@functools.cache
def get_cluster() -> cluster.Cluster | None:
    """The machines that train: `streamlit run streamlit_app.py -- --cluster ADDRESS`, or RAY_ADDRESS, names them."""
    return cluster.chosen(sys.argv, RUNS)


def is_active(name: str) -> bool:
    """Whether the model of that name is a run that is being trained, or will be."""
    try:
        return name not in catalog.shipped() and RUNS.open(name).status().state.is_active
    except RunError:  # damaged, or just deleted
        return False


def history_of(run: Run) -> History:
    """What the run's records say by now. Raises RunError if they are damaged."""
    history = _history(run.metrics)
    history.update()
    return history


@functools.lru_cache(maxsize=32)
def _history(path: pathlib.Path) -> History:
    return History(path)


@functools.cache
def get_table() -> Table:
    return Table()


def titles() -> dict[str, str]:
    """What to call each run, by its id; none where the folder of runs cannot be read."""
    try:
        return {row.run: row.title for row in get_table().rows()}
    except RunError:
        return {}


def by_name(error: LabError | str) -> str:
    """What went wrong, as Markdown, with runs by what they are called, and their ids in paths alone."""
    called = titles()
    return RUN_ID.sub(lambda found: plain(called[found[0]]) if found[0] in called else found[0], str(error))


def named(text: str) -> str:
    """The same as plain text, for a table."""
    called = titles()
    return RUN_ID.sub(lambda found: called.get(found[0], found[0]), text)


def records_of(run: Run) -> list[Record]:
    """All records of the run, parsed once for each state of its file. Raises RunError if they are damaged."""
    path = run.metrics
    try:
        stat = path.stat()
    except OSError:
        return []
    return _records(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=16)
def _records(path: pathlib.Path, _written: int, _size: int) -> list[Record]:
    return metrics_file.read(path)[0]
