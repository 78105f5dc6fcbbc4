"""A run's folder: all that is known of one training, on disk.

    runs/<id>/config.json          the TrainConfig
              metrics.jsonl        fit's records, one JSON object a line, appended as they come
              status.json          what the run is doing, and since when
              weights.safetensors  the newest weights to answer with
              first_layer.safetensors  some of the first layer's weights at epochs' ends, to look at
              snapshots.safetensors    the network at steps along the way, to look at
              base.safetensors        the model that the training goes on from, if there is one
              own_digits.safetensors  the own digits that it learns and those that judge it, if there are some
              state.safetensors       the training at its last epoch's end, to go on from; gone once it has finished
              about.json           name, note and group, as a person gave them
              log.txt              what a worker process printed
              lock                 held by the process that trains the run, or in whose line it waits
              stop, pause, lr      what is asked of the process that trains the run, until it has been done

A file that is replaced is written beside its place and then renamed, so that a reader never sees half a file. All
of this module raises RunError where a folder cannot be read or written.
"""

import contextlib
import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator

import filelock

from mnist_core import records, trash
from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import ConfigError, RunError
from mnist_core.files import oserror_as, replacing
from mnist_core.records import End, Record
from mnist_core.runs import about, metrics_file, status
from mnist_core.runs.about import About
from mnist_core.runs.metrics_file import DamagedRecords, Recorder
from mnist_core.runs.requests import Requests
from mnist_core.runs.status import RunState, Status
from mnist_core.text import parse_json


class Run(Requests):
    """A run by its folder. Made by a RunStore; holds nothing that is not on disk."""

    @property
    def weights(self) -> pathlib.Path:
        return self.path / "weights.safetensors"

    @property
    def state(self) -> pathlib.Path:
        return self.path / "state.safetensors"

    @property
    def metrics(self) -> pathlib.Path:
        return self.path / "metrics.jsonl"

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
            with oserror_as(RunError, f"The config of run {self.id} cannot be read", FileNotFoundError):
                return (self.path / "config.json").read_bytes()
        except FileNotFoundError as error:
            raise RunError(f"The run {self.id} has been deleted.") from error

    def about(self) -> About:
        """The run's name, note and group; empty where nobody gave them. Raises RunError if they are damaged."""
        return about.read(self.path)

    def set_about(self, name: str | None = None, note: str | None = None, group: str | None = None) -> None:
        """Change what is given and keep the rest. Raises ConfigError for text that cannot be used, and RunError."""
        given = {"name": name, "note": note, "group": group}
        about.write(self.path, dataclasses.replace(self.about(), **{k: v for k, v in given.items() if v is not None}))

    def status(self) -> Status:
        """What the run is doing now. Raises RunError if that cannot be read."""
        return status.read(self.path)

    def set_status(self, state: RunState, message: str = "") -> None:
        """Record what the run does from now on."""
        status.write(self.path, state, message)

    def records(self) -> list[Record]:
        """All records so far, without one that is still being written; of damaged ones those before the damage."""
        try:
            return metrics_file.read(self.metrics)[0]
        except DamagedRecords as error:
            return error.records

    def end(self) -> End | None:
        """The record that ended the training, None where there is none yet."""
        return metrics_file.read_end(self.metrics)

    def recorder(self) -> contextlib.AbstractContextManager[Recorder]:
        """The metrics to append to."""
        return metrics_file.appending(self.metrics)

    def rewind(self, epoch: int) -> list[Record]:
        """Drop the records of whatever came after the end of epoch `epoch`, 0 drops all; returns those that are left.

        A learning rate that was asked for since then is asked for again. Raises DamagedRecords where the epoch's end
        is missing or stands behind damage, and RunError.
        """
        found, kept = self.records(), 0
        if epoch:
            ends = [i for i, record in enumerate(found) if record["event"] == "epoch" and record["epoch"] == epoch]
            if not ends:
                raise DamagedRecords(f"The metrics of run {self.id} lack epoch {epoch}.", found, 0)
            kept = ends[-1] + 1
        changes = [record["lr"] for record in found[kept:] if record["event"] == "lr"]
        if changes and self.lr_requested() is None:
            self.request_lr(changes[-1])
        with self.writing(), replacing(self.metrics) as path:
            path.write_text("".join(records.to_json(record) + "\n" for record in found[:kept]), encoding="utf-8")
        return found[:kept]

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
        if status.is_deleted(self.path):  # or the lock would make its folder again
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
        """Put the run aside, to be brought back by `RunStore.restore` until `empty_trash` removes it for good.

        Raises RunError while it is being trained or in line, and if it cannot be moved.
        """
        if self.is_locked() or self._is_handed_over():
            raise RunError(f"The run {self.id} is being trained or in line: stop it before you delete it.")
        with (
            self.locked(timeout=0.5),
            oserror_as(RunError, f"The run {self.id} cannot be deleted in {self.path}"),
        ):
            trash.put_aside(self.path)

    def _is_handed_over(self) -> bool:
        try:
            return status.is_handed_over(self.path)
        except RunError:  # what cannot be read can still be deleted
            return False


def _is_newer(error: ConfigError, text: bytes) -> bool:
    """Whether what cannot be used in a config is a field or a choice that this version does not know."""
    if error.field not in RULES:
        return bool(error.field)
    value, choices = parse_json(text).get(error.field), RULES[error.field].choices
    return bool(choices) and isinstance(value, str) and value not in choices
