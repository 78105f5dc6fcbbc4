"""A search as Optuna keeps it: one study, whose trials are runs.

By default all searches of a folder of runs lie in one journal file beside them, searches/journal.log, which other
programs read too, such as optuna-dashboard; any database that Optuna knows takes its place by its URL.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import filelock
import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_core.errors import ConfigError, SearchError
from mnist_core.files import reason
from mnist_core.runs import status
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.search import space, storage
from mnist_core.search.settings import SearchConfig, check_name
from mnist_core.search.space import Value
from mnist_core.text import quoted

FOLDER = "searches"  # in the folder of runs


@dataclasses.dataclass(frozen=True)
class Trial:
    """One trial of a search, and the run that it is.

    `state` is running, finished, pruned, diverged, stopped or failed; `values` are the goal's figures of one that has
    finished. `reported` is the first of them after each epoch, `values` of the space are in `params`.
    """

    number: int
    state: str
    params: dict[str, Value]
    values: tuple[float, ...] | None
    reported: dict[int, float]
    run: str
    message: str

    @property
    def counts(self) -> bool:
        """Whether the trial is one of those that the search is to make: for one that failed another is made."""
        return self.state != "failed"

    @property
    def value(self) -> float | None:
        """The goal's first figure: of a finished trial its own, of any other the newest one reported."""
        if self.values:
            return self.values[0]
        return self.reported[max(self.reported)] if self.reported else None


@dataclasses.dataclass(frozen=True)
class Status:
    """What a search is doing: running, stopped, finished, failed or interrupted; `seconds` are those it has taken."""

    state: str
    message: str = ""
    seconds: float = 0.0

    @property
    def is_resumable(self) -> bool:
        """Whether the search can go on from where it was."""
        return self.state in ("stopped", "failed", "interrupted")


@dataclasses.dataclass(frozen=True)
class SearchStore:
    """The searches over the runs in `runs`, in the storage at `url`, or in the journal beside the runs.

    All methods raise SearchError where the storage cannot be read or written.
    """

    runs: RunStore = RUNS
    url: str = ""

    def create(self, name: str, config: SearchConfig) -> Search:
        """A new search, to be driven. Raises SearchError where there is one of that name, ConfigError for no name."""
        check_name(name)
        better = optuna.study.StudyDirection
        directions = [better.MAXIMIZE if more else better.MINIMIZE for more in config.kind.maximized]
        with storage.errors(self.where):
            self.journal.parent.mkdir(parents=True, exist_ok=True)
            try:
                study = optuna.create_study(storage=self.storage(), study_name=name, directions=directions)
            except optuna.exceptions.DuplicatedStudyError as error:
                same = self.open(name).config() == config
                what = "" if same else ", with another space or another goal"
                raise SearchError(
                    f"There is a search {name} already{what}: go on with it, or choose another name."
                ) from error
            study.set_user_attr("config", config.to_json())
            study.set_user_attr("runs", str(self.runs.folder.resolve()))
            study.set_user_attr("status", {"state": "stopped", "message": "", "seconds": 0.0})
            if config.sampler == "grid":
                for point in _grid(config):
                    study.enqueue_trial(point)
            elif begun := space.beginning(config.space, config.base):
                study.enqueue_trial(begun)  # so that what is found can be compared with it
        return Search(name, self)

    def open(self, name: str) -> Search:
        """The search of that name. Raises SearchError for one that is not there or lies beside other runs."""
        search = Search(name, self)
        missing = f"There is no search {quoted(name)} in {self.where}."
        if not self._exists:
            raise SearchError(missing)
        with storage.errors(self.where):
            try:
                folder = search.study().user_attrs.get("runs")
            except KeyError as error:
                raise SearchError(missing) from error
        if folder != str(self.runs.folder.resolve()):
            raise SearchError(
                f"The runs of the search {name} lie in {folder}, not in {self.runs.folder.resolve()}: name that folder."
                if folder
                else f"{quoted(name)} is a study of another program: it cannot be gone on with here."
            )
        return search

    def names(self) -> list[str]:
        """The names of all searches over these runs, the newest first."""
        if not self._exists:
            return []
        with storage.errors(self.where):
            studies = self.storage().get_all_studies()
        folder = str(self.runs.folder.resolve())
        ours = [study for study in studies if study.user_attrs.get("runs") == folder]
        return [study.study_name for study in sorted(ours, key=lambda study: study._study_id, reverse=True)]

    @property
    def _exists(self) -> bool:
        """False before the first search: to look for one makes no file."""
        return bool(self.url) or self.journal.exists()

    @property
    def journal(self) -> pathlib.Path:
        return self.runs.folder / FOLDER / "journal.log"

    @property
    def where(self) -> str:
        """The storage, as a sentence names it: of a URL without the password."""
        return storage.without_password(self.url) if self.url else str(self.journal)

    def storage(self) -> optuna.storages.BaseStorage:
        return storage.opened(self.url) if self.url else storage.journal(str(self.journal.resolve()))


@dataclasses.dataclass(frozen=True)
class Search:
    """A search by its name. Holds nothing that is not in the storage."""

    name: str
    store: SearchStore

    def study(self, **kwargs: Any) -> optuna.Study:
        return optuna.load_study(study_name=self.name, storage=self.store.storage(), **kwargs)

    def config(self) -> SearchConfig:
        """Raises SearchError if it is damaged or of a newer version."""
        with storage.errors(self.store.where):
            text = self.study().user_attrs.get("config", "")
        try:
            return SearchConfig.from_json(text)
        except ConfigError as error:
            raise SearchError(f"The config of the search {self.name} cannot be used: {error}") from error

    def status(self) -> Status:
        """What the search is doing now: what was written last, unless no process is there to do it."""
        with storage.errors(self.store.where):
            written = Status(**self.study().user_attrs.get("status", {"state": "failed"}))
        if written.state == "running" and not status.is_held(self.folder):
            message = "The process that led it ended: it goes on from where it was."
            return dataclasses.replace(written, state="interrupted", message=message)
        return written

    def set_status(self, state: str, message: str = "", seconds: float = 0.0) -> None:
        with storage.errors(self.store.where):
            self.study().set_user_attr("status", {"state": state, "message": message, "seconds": round(seconds, 1)})

    def trials(self) -> list[Trial]:
        """All trials so far, in the order in which they began."""
        with storage.errors(self.store.where):
            frozen = self.study().get_trials(deepcopy=False)
        return [_trial(one) for one in frozen if one.state is not TrialState.WAITING]

    def request_stop(self) -> None:
        """Ask the process that leads the search to stop."""
        with storage.errors(self.store.where):
            self.study().set_user_attr("stop", True)

    def stop_requested(self) -> bool:
        with storage.errors(self.store.where):
            return bool(self.study().user_attrs.get("stop"))

    def clear_stop(self) -> None:
        with storage.errors(self.store.where):
            self.study().set_user_attr("stop", False)

    def set_limits(self, trials: int | None, minutes: float | None) -> None:
        """Have the search end elsewhere. Raises ConfigError."""
        config = dataclasses.replace(self.config(), trials=trials, minutes=minutes)
        with storage.errors(self.store.where):
            self.study().set_user_attr("config", config.to_json())

    def delete(self) -> None:
        """Forget the search; its runs stay. Raises SearchError while it is led."""
        with self.locked(), storage.errors(self.store.where):
            optuna.delete_study(study_name=self.name, storage=self.store.storage())

    @property
    def folder(self) -> pathlib.Path:
        """Where the lock of the process lies that leads the search."""
        return self.store.runs.folder / FOLDER / self.name

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the search for this process. Raises SearchError where another one leads it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / "lock", timeout=1, thread_local=False)
            lock.acquire()
        except filelock.Timeout as error:
            raise SearchError(f"The search {self.name} is being led already, by another process.") from error
        except OSError as error:
            raise SearchError(f"The search {self.name} cannot be saved in {self.folder}: {reason(error)}.") from error
        try:
            yield
        finally:
            lock.release()


def _trial(frozen: FrozenTrial) -> Trial:
    known = {TrialState.RUNNING: "running", TrialState.COMPLETE: "finished", TrialState.FAIL: "failed"}
    attrs = frozen.user_attrs
    return Trial(
        frozen.number,
        known.get(frozen.state) or attrs.get("end", "pruned"),
        dict(frozen.params),
        tuple(frozen.values) if frozen.state is TrialState.COMPLETE else None,
        dict(frozen.intermediate_values),
        attrs.get("run", ""),
        attrs.get("message", ""),
    )


def _grid(config: SearchConfig) -> list[dict[str, Value]]:
    """All combinations, in an order by chance, so that a part of them already covers the space."""
    values = [[(one.field, value) for value in one.grid()] for one in config.space]
    points = [dict(point) for point in itertools.product(*values)]
    return [points[i] for i in np.random.default_rng(config.seed).permutation(len(points))]
