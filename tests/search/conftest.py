import dataclasses
from collections.abc import Iterator

import pytest

from mnist_core.records import Record
from mnist_core.runs.run import Run
from mnist_core.runs.training import train_run
from mnist_core.search import space
from mnist_core.search.driver import drive
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import SearchStore


class Here:
    """Trains runs in this process, all of them a record further whenever it is asked whether it is busy."""

    def __init__(self, at_once: int = 1) -> None:
        self.at_once = at_once
        self.submitted: list[str] = []
        self.trained: dict[str, Iterator[Record]] = {}

    def submit(self, run: Run) -> None:
        self.submitted.append(run.id)
        self.trained[run.id] = train_run(run)
        next(self.trained[run.id])

    def stop(self, run: Run) -> None:
        run.request_stop()

    def busy(self) -> bool:
        for run_id, records in list(self.trained.items()):
            if next(records, None) is None:
                del self.trained[run_id]
        return len(self.trained) >= self.at_once


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr("mnist_core.search.driver.POLL", 0)
    return Here()


@pytest.fixture
def searching(small, store):
    """Makes a search over the learning rate of the small config, with changes."""

    def make(name="one", *vary, url="", epochs=2, **changes):
        dimensions = tuple(map(space.parse_dimension, vary or ("lr=0.001..0.1", "batch_size=16..128")))
        config = SearchConfig(dataclasses.replace(small, epochs=epochs), dimensions, **{"trials": 3, **changes})
        return SearchStore(store, url).create(name, config)

    return make


@pytest.fixture
def led(searching, pool):
    """Makes a search and leads it to its end."""

    def lead(*arguments, **changes):
        search = searching(*arguments, **changes)
        list(drive(search, pool))
        return search

    return lead
