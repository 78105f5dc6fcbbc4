"""All runs in one folder: create, open, list, delete and bring back."""

import dataclasses
import datetime
import itertools
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Iterator

from mnist_core import trash
from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.files import oserror_as, replacing
from mnist_core.runs import footprint
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.text import quoted

KEPT_DELETED = 86_400  # seconds, a day, in which a deleted run can be brought back
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclasses.dataclass(frozen=True)
class RunStore:
    """The runs whose folders lie in `folder`. All methods raise RunError where that cannot be read or written."""

    folder: pathlib.Path

    def create(self, config: TrainConfig, fill: Callable[[pathlib.Path], None] | None = None) -> Run:
        """A new run's folder, waiting to be trained; `fill` writes into it what the config alone does not say.

        Raises RunError where this machine lacks memory or disk for it.
        """
        footprint.check(config, self.folder)
        for run_id in new_ids(config.model):
            run = Run(self.folder / run_id)
            try:
                with oserror_as(RunError, f"A run cannot be saved in {self.folder}", FileExistsError):
                    run.path.mkdir(parents=True)
                    break
            except FileExistsError:  # the clock was set back, or another process was as quick
                continue
        try:
            if fill:
                with oserror_as(RunError, f"A run cannot be saved in {self.folder}"):
                    fill(run.path)
            run.set_status(RunState.WAITING)
            with run.writing(), replacing(run.path / "config.json") as path:  # the last: it makes the folder a run
                path.write_text(config.to_json(), encoding="utf-8")
        except RunError:
            shutil.rmtree(run.path, ignore_errors=True)
            raise
        return run

    def open(self, run_id: str) -> Run:
        """The run of that id. Raises RunError for one that is not there, or no id at all, such as a path."""
        _check_id(run_id)
        run = Run(self.folder / run_id)
        if not (run.path / "config.json").is_file():
            raise RunError(f"There is no run {run_id} in {self.folder}.")
        return run

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        try:
            with (
                oserror_as(RunError, f"The runs in {self.folder} cannot be listed", FileNotFoundError),
                os.scandir(self.folder) as entries,
            ):
                names = [entry.name for entry in entries if is_id(entry.name)]
        except FileNotFoundError:
            return []
        whole = (name for name in names if os.path.isfile(os.path.join(self.folder, name, "config.json")))
        return [Run(self.folder / name) for name in sorted(whole, reverse=True)]

    def add(self, folder: pathlib.Path, wanted: str = "") -> Run:
        """Take in a whole run's `folder`, which is moved here, by the id `wanted` if that is one and free.

        Raises OSError.
        """
        for run_id in itertools.chain([wanted] if is_id(wanted) else [], new_ids(Run(folder).config().model)):
            place = self.folder / run_id
            try:
                os.rename(folder, place)
            except OSError:
                if place.exists():
                    continue
                raise
            return Run(place)
        raise AssertionError("there is always another id")

    def restore(self, run_id: str) -> Run:
        """Bring back a run that was deleted. Raises RunError if it is gone for good or cannot be moved."""
        _check_id(run_id)
        if not (self.folder / trash.FOLDER / run_id / "config.json").is_file():
            raise RunError(f"There is no deleted run {run_id} in {self.folder}.")
        try:
            with oserror_as(RunError, f"The run {run_id} cannot be brought back in {self.folder}", FileExistsError):
                return Run(trash.take_back(run_id, self.folder))
        except FileExistsError as error:
            raise RunError(f"The run {run_id} cannot be brought back: there is another one of that id.") from error

    def deleted(self) -> list[str]:
        """The ids of the runs that can be brought back, the newest deleted first."""
        with oserror_as(RunError, f"The deleted runs in {self.folder} cannot be listed"):
            return trash.listed(self.folder)

    def empty_trash(self, older_than: float = KEPT_DELETED) -> list[str]:
        """Remove for good the runs that were deleted more than so many seconds ago; returns their ids."""
        with oserror_as(RunError, f"The deleted runs in {self.folder} cannot be removed"):
            return trash.empty(self.folder, older_than)


RUNS = RunStore(pathlib.Path(os.environ.get("RUNS_DIR") or "runs"))  # where runs are kept unless another place is named


def new_ids(model: str) -> Iterator[str]:
    """Ids for a new run of that network, to be tried in turn until one is free."""
    now = datetime.datetime.now(datetime.timezone.utc)
    part = now.microsecond * 16**4 // 1_000_000  # of the second, so that runs made in one second are in order
    for count in itertools.count(part):
        yield f"{now:%Y%m%d-%H%M%S}-{model}-{count % 16**4:04x}"


def is_id(text: str) -> bool:
    """Whether a run could be called that: small letters, digits and hyphens, never a path."""
    return bool(_ID.fullmatch(text))


def _check_id(run_id: str) -> None:
    if not is_id(run_id):
        raise RunError(f"{quoted(run_id)} is not a run's id: ids are made of small letters, digits and hyphens.")
