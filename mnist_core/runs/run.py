"""A run's folder: all that is known of one training, on disk.

    runs/<id>/config.json          the TrainConfig
              metrics.jsonl        fit's records, one JSON object a line, appended as they come
              status.json          what the run is doing, and since when
              weights.safetensors  the newest weights to answer with
              first_layer.safetensors  some of the first layer's weights at epochs' ends, to look at
              state.safetensors    the training at its last epoch's end, to go on from; gone once the run has finished
              about.json           name, note and group, as a person gave them
              log.txt              what a worker process printed
              lock                 held by the process that trains the run, or in whose line it waits
              stop, pause, lr      what is asked of the process that trains the run, until it has been done

Whatever is written anew is written beside its place and then renamed, so that a reader never sees half a file. All
of this module raises RunError where a folder cannot be read or written.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator

import filelock

from mnist_core.runs import about, status, trash
from mnist_core.runs.about import About
from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import ConfigError, RunError
from mnist_core.files import in_words, replacing
from mnist_core.records import DamagedRecords, Record, Recorder, read_end, read_records
from mnist_core.runs.requests import Requests
from mnist_core.runs.status import Status
from mnist_core.text import parse_json, quoted

RUNS_DIR = pathlib.Path(os.environ.get("RUNS_DIR") or "runs")  # where runs are kept unless another place is named
KEPT_DELETED = 86_400  # seconds, a day, in which a deleted run can be brought back
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class Run(Requests):
    """A run by its folder. Made by `create`, `open_run` and `list_runs`; holds nothing that is not on disk."""

    @property
    def weights(self) -> pathlib.Path:
        return self.path / "weights.safetensors"

    @property
    def state(self) -> pathlib.Path:
        return self.path / "state.safetensors"

    @property
    def log(self) -> pathlib.Path:
        return self.path / "log.txt"

    def config(self) -> TrainConfig:
        """Raises RunError if the config is missing or cannot be used."""
        text = self._config_text()
        try:
            return TrainConfig.from_json(text.decode())
        except UnicodeDecodeError as error:
            raise RunError(f"The config of run {self.id} is damaged: {error}.") from error
        except ConfigError as error:
            if _is_newer(error, text):
                raise RunError(
                    f"The run {self.id} comes from a newer version of this app: {error} Update the app to use it."
                ) from error
            raise RunError(f"The config of run {self.id} cannot be used: {error}") from error

    def fingerprint(self) -> str:
        """What tells the config's weights and states from those of other configs: 64 hex digits."""
        return hashlib.sha256(self._config_text()).hexdigest()

    def _config_text(self) -> bytes:
        try:
            return (self.path / "config.json").read_bytes()
        except FileNotFoundError as error:
            raise RunError(f"The run {self.id} has been deleted.") from error
        except OSError as error:
            raise RunError(f"The config of run {self.id} cannot be read: {error.strerror}.") from error

    def about(self) -> About:
        """The run's name, note and group; empty where nobody gave them. Raises RunError if they are damaged."""
        return about.read(self.path)

    def set_about(self, name: str | None = None, note: str | None = None, group: str | None = None) -> None:
        """Change what is given and keep the rest. Raises ConfigError for text that cannot be used, and RunError."""
        given = {"name": name, "note": note, "group": group}
        about.write(self.path, dataclasses.replace(self.about(), **{k: v for k, v in given.items() if v is not None}))

    def status(self) -> Status:
        """What the run is doing now. Raises RunError if that cannot be read."""
        return status.current(self.path)

    def set_status(self, state: str, message: str = "") -> None:
        """Record what the run does from now on; for the words, see `status.say`."""
        status.say(self.path, state, message)

    def records(self) -> list[Record]:
        """All records so far, without one that is still being written; of damaged ones those before the damage."""
        try:
            return read_records(self.path / "metrics.jsonl")[0]
        except DamagedRecords as error:
            return error.records

    def end(self) -> Record:
        """The record that ended the training, empty where there is none yet."""
        return read_end(self.path / "metrics.jsonl")

    @contextlib.contextmanager
    def recorder(self) -> Iterator["Recorder"]:
        """An open metrics.jsonl to append to."""
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            yield Recorder(file)

    def rewind(self, epoch: int) -> None:
        """Drop the records of whatever came after the end of epoch `epoch`; 0 drops all.

        A learning rate that was asked for since then is asked for again. Raises DamagedRecords where the epoch's end
        is missing or stands behind damage, and RunError.
        """
        records, kept = self.records(), 0
        if epoch:
            ends = [i for i, r in enumerate(records) if r["event"] == "epoch" and r["epoch"] == epoch]
            if not ends:
                raise DamagedRecords(f"The metrics of run {self.id} lack epoch {epoch}.", records, 0)
            kept = ends[-1] + 1
        changes = [record["lr"] for record in records[kept:] if record["event"] == "lr"]
        if changes and self.lr_requested() is None:
            self.request_lr(changes[-1])
        with self.writing(), replacing(self.path / "metrics.jsonl") as path:
            path.write_text("".join(json.dumps(record, allow_nan=False) + "\n" for record in records[:kept]), encoding="utf-8")

    @contextlib.contextmanager
    def locked(self, timeout: float = 2) -> Iterator[None]:
        """Hold the run for this process; the system lets go when the process ends, however it ends.

        Raises RunError if another process still holds it after `timeout` seconds.
        """
        lock = self.lock(timeout)
        try:
            yield
        finally:
            lock.release()

    def lock(self, timeout: float = 2) -> filelock.FileLock:
        """`locked` until the lock that is returned is released, by whichever thread."""
        if status.is_deleted(self.path):  # or the lock would make its folder anew
            raise RunError(f"The run {self.id} has been deleted.")
        lock = filelock.FileLock(self.path / "lock", timeout=timeout, thread_local=False)
        with self.writing():
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise RunError(f"The run {self.id} is being trained already, by another process.") from error
        return lock

    def is_locked(self) -> bool:
        """Whether a process trains the run now."""
        return status.is_held(self.path)

    def delete(self) -> None:
        """Put the run aside, to be brought back by `restore` until `empty_trash` removes it for good.

        Raises RunError while it is being trained or in line, and if it cannot be moved.
        """
        if self.is_locked() or self._is_handed_over():
            raise RunError(f"The run {self.id} is being trained or in line: stop it before you delete it.")
        with self.locked(timeout=0.5):
            try:
                trash.put_aside(self.path)
            except OSError as error:
                raise RunError(f"The run {self.id} cannot be deleted in {self.path}: {in_words(error)}.") from error

    def _is_handed_over(self) -> bool:
        try:
            return status.is_handed_over(self.path)
        except RunError:  # what cannot be read can still be deleted
            return False


def create(config: TrainConfig, runs_dir: pathlib.Path = RUNS_DIR) -> Run:
    """A new run's folder, waiting to be trained. Raises RunError if it cannot be made."""
    for run_id in new_ids(config.model):
        run = Run(runs_dir / run_id)
        try:
            run.path.mkdir(parents=True)
            break
        except FileExistsError:  # the clock was set back, or another process was as quick
            continue
        except OSError as error:
            raise RunError(f"A run cannot be saved in {runs_dir}: {in_words(error)}.") from error
    try:
        run.set_status("waiting")
        with run.writing(), replacing(run.path / "config.json") as path:  # the last: it makes the folder a run
            path.write_text(config.to_json(), encoding="utf-8")
    except RunError:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def new_ids(model: str) -> Iterator[str]:
    """Ids for a new run of that network, to be tried in turn until one is free."""
    now = datetime.datetime.now(datetime.timezone.utc)
    part = now.microsecond * 16**4 // 1_000_000  # of the second, so that runs made in one second are in order
    for count in itertools.count(part):
        yield f"{now:%Y%m%d-%H%M%S}-{model}-{count % 16**4:04x}"


def is_id(text: str) -> bool:
    """Whether a run could be called that: small letters, digits and hyphens, never a path."""
    return bool(_ID.fullmatch(text))


def open_run(run_id: str, runs_dir: pathlib.Path = RUNS_DIR) -> Run:
    """The run of that id. Raises RunError for one that is not there, or no id at all, such as a path."""
    _check_id(run_id)
    run = Run(runs_dir / run_id)
    if not (run.path / "config.json").is_file():
        raise RunError(f"There is no run {run_id} in {runs_dir}.")
    return run


def _check_id(run_id: str) -> None:
    if not is_id(run_id):
        raise RunError(f"{quoted(run_id)} is not a run's id: ids are made of small letters, digits and hyphens.")


def list_runs(runs_dir: pathlib.Path = RUNS_DIR) -> list[Run]:
    """All runs, the newest first. Raises RunError if the folder cannot be read."""
    try:
        with os.scandir(runs_dir) as entries:
            names = [entry.name for entry in entries if is_id(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"The runs in {runs_dir} cannot be listed: {error.strerror}.") from error
    whole = (name for name in names if os.path.isfile(os.path.join(runs_dir, name, "config.json")))
    return [Run(runs_dir / name) for name in sorted(whole, reverse=True)]


def restore(run_id: str, runs_dir: pathlib.Path = RUNS_DIR) -> Run:
    """Bring back a run that was deleted. Raises RunError if it is gone for good or cannot be moved."""
    _check_id(run_id)
    if not (runs_dir / trash.FOLDER / run_id / "config.json").is_file():
        raise RunError(f"There is no deleted run {run_id} in {runs_dir}.")
    try:
        return Run(trash.take_back(run_id, runs_dir))
    except FileExistsError as error:
        raise RunError(f"The run {run_id} cannot be brought back: there is another one of that id.") from error
    except OSError as error:
        raise RunError(f"The run {run_id} cannot be brought back in {runs_dir}: {in_words(error)}.") from error


def list_deleted(runs_dir: pathlib.Path = RUNS_DIR) -> list[str]:
    """The ids of the runs that can be brought back, the newest deleted first. Raises RunError."""
    try:
        return trash.listed(runs_dir)
    except OSError as error:
        raise RunError(f"The deleted runs in {runs_dir} cannot be listed: {in_words(error)}.") from error


def empty_trash(runs_dir: pathlib.Path = RUNS_DIR, older_than: float = KEPT_DELETED) -> list[str]:
    """Remove for good the runs that were deleted more than so many seconds ago; returns their ids. Raises RunError."""
    try:
        return trash.empty(runs_dir, older_than)
    except OSError as error:
        raise RunError(f"The deleted runs in {runs_dir} cannot be removed: {in_words(error)}.") from error


def _is_newer(error: ConfigError, text: bytes) -> bool:
    """Whether what cannot be used in a config is a field or a choice that this version does not know."""
    if error.field not in RULES:
        return bool(error.field)
    value, choices = parse_json(text).get(error.field), RULES[error.field].choices
    return bool(choices) and isinstance(value, str) and value not in choices
