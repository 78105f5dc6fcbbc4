"""A run's folder: all that is known of one training, on disk.

    runs/<id>/config.json          the TrainConfig
              metrics.jsonl        fit's records, one JSON object a line, appended as they come
              status.json          what the run is doing, and since when
              weights.safetensors  the newest weights to answer with
              first_layer.safetensors  some of the first layer's weights at epochs' ends, to look at
              state.safetensors    the training at its last epoch's end, to go on from; gone once the run has finished
              log.txt              what a worker process printed
              lock                 held by the process that trains the run, or in whose line it waits
              stop, pause, lr      what is asked of the process that trains the run, until it has been done

Whatever is written anew is written beside its place and then renamed, so that a reader never sees half a file.
"""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
import secrets
import shutil
from collections.abc import Iterator
from typing import Any

import filelock

from mnist_core.config import TrainConfig, check
from mnist_core.errors import ConfigError, RunError
from mnist_core.records import Record, Recorder, read_records

RUNS_DIR = pathlib.Path(os.environ.get("RUNS_DIR") or "runs")  # where runs are kept unless another place is named
HAND_OVER = 60  # seconds that a waiting run may be held by nobody: as long as a process may take to come up
ACTIVE = ("waiting", "running", "paused")  # states in which a process trains the run, or will
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclasses.dataclass(frozen=True)
class Status:
    """What a run is doing.

    `state` is "waiting" (made, not begun), "running", "paused", "finished", "stopped" (by the user), "diverged",
    "failed" (`message` says why) or "interrupted" (its process ended without a word). `since` is in UTC, ISO 8601.
    """

    state: str
    message: str = ""
    since: str = ""

    @property
    def is_active(self) -> bool:
        """Whether a process trains the run, or will."""
        return self.state in ACTIVE

    @property
    def is_resumable(self) -> bool:
        return self.state in ("stopped", "interrupted", "failed")

    @property
    def age(self) -> float:
        """Seconds since `since`. Raises ValueError where that is no moment."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now - datetime.datetime.fromisoformat(self.since)).total_seconds()


@dataclasses.dataclass(frozen=True)
class Run:
    """A run by its folder. Made by `create`, `open_run` and `list_runs`; holds nothing that is not on disk."""

    path: pathlib.Path

    @property
    def id(self) -> str:
        return self.path.name

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
        try:
            return TrainConfig.from_json((self.path / "config.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"The run {self.id} has no config.json: it is not whole, delete it.") from error
        except ConfigError as error:
            raise RunError(f"The config of run {self.id} cannot be used: {error}") from error

    def status(self) -> Status:
        """What the run is doing now. Raises RunError if that cannot be read."""
        status = self._read_status()
        if self._is_abandoned(status):
            status = self._read_status()  # it may have ended properly between the two looks
            if self._is_abandoned(status):
                message = "The process that trained it ended before it was done: Resume goes on from its last epoch."
                return dataclasses.replace(status, state="interrupted", message=message)
        return status

    def _is_abandoned(self, status: Status) -> bool:
        if not status.is_active or self.is_locked():
            return False
        return status.state != "waiting" or status.age > HAND_OVER

    def _read_status(self) -> Status:
        try:
            status = Status(**json.loads((self.path / "status.json").read_text(encoding="utf-8")))
            status.age  # noqa: B018  # must be one
            return status
        except FileNotFoundError as error:
            raise RunError(f"The run {self.id} has no status.json: it is not whole, delete it.") from error
        except (ValueError, TypeError) as error:
            raise RunError(f"The status of run {self.id} is damaged: {error}.") from error

    def set_status(self, state: str, message: str = "") -> None:
        """Record what the run does from now on; for the words, see Status."""
        status = Status(state, message, datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))
        with replacing(self.path / "status.json") as path:
            path.write_text(json.dumps(dataclasses.asdict(status)) + "\n", encoding="utf-8")

    def records(self) -> list[Record]:
        """All records so far, without one that is still being written."""
        return read_records(self.path / "metrics.jsonl")[0]

    def end(self) -> Record:
        """The record that ended the training, empty where there is none yet."""
        return next((record for record in reversed(self.records()) if record["event"] == "end"), {})

    def overview(self) -> dict[str, Any]:
        """What a list of runs shows of this one, JSON-able; accuracies are None where there are none yet."""
        config, records = self.config(), self.records()
        epochs = [record for record in records if record["event"] == "epoch"]
        end = next((record for record in records if record["event"] == "end"), {})
        return {
            "run": self.id,
            "state": self.status().state,
            "data": config.data,
            "model": config.model,
            "epochs": len(epochs),
            "val_accuracy": epochs[-1]["val_accuracy"] if epochs else None,
            "test_accuracy": end.get("test_accuracy"),
        }

    @contextlib.contextmanager
    def recorder(self) -> Iterator["Recorder"]:
        """An open metrics.jsonl to append to."""
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            yield Recorder(file)

    def rewind(self, epoch: int) -> None:
        """Drop the records of whatever came after the end of epoch `epoch`; 0 drops all."""
        kept: list[Record] = []
        if epoch:
            records = self.records()
            ends = [i for i, r in enumerate(records) if r["event"] == "epoch" and r["epoch"] == epoch]
            if not ends:
                raise RunError(f"The metrics of run {self.id} lack epoch {epoch}: it cannot be resumed.")
            kept = records[: ends[-1] + 1]
        with replacing(self.path / "metrics.jsonl") as path:
            path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go when the process ends, however it ends.

        Raises RunError if another process holds it.
        """
        try:
            with filelock.FileLock(self.path / "lock", timeout=2):
                yield
        except filelock.Timeout as error:
            raise RunError(f"The run {self.id} is being trained by another process.") from error

    def is_locked(self) -> bool:
        """Whether a process trains the run now."""
        try:
            with filelock.FileLock(self.path / "lock", timeout=0):
                return False
        except filelock.Timeout:
            return True

    def request_stop(self) -> None:
        """Ask the process that trains the run to stop at its next report."""
        self._request("stop")

    def stop_requested(self) -> bool:
        return (self.path / "stop").exists()

    def request_pause(self) -> None:
        """Ask the process that trains the run to wait, at its next report, until `end_pause`."""
        self._request("pause")

    def pause_requested(self) -> bool:
        return (self.path / "pause").exists()

    def end_pause(self) -> None:
        (self.path / "pause").unlink(missing_ok=True)

    def request_lr(self, lr: float) -> None:
        """Ask the process that trains the run to go on with this learning rate from its next report on.

        Raises ConfigError for one that no config could have.
        """
        self._request("lr", repr(check("lr", lr)))

    def lr_requested(self) -> float | None:
        try:
            return float(check("lr", float((self.path / "lr").read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return None
        except (ValueError, ConfigError) as error:
            raise RunError(f"The file {self.path / 'lr'} holds no learning rate: delete it.") from error

    def clear_lr_request(self) -> None:
        (self.path / "lr").unlink(missing_ok=True)

    def clear_requests(self) -> None:
        for name in ("stop", "pause", "lr"):
            (self.path / name).unlink(missing_ok=True)

    def _request(self, name: str, content: str = "") -> None:
        try:
            with replacing(self.path / name) as fresh:
                fresh.write_text(content, encoding="utf-8")
        except OSError as error:
            raise RunError(f"The run {self.id} cannot be reached in {self.path}: {error.strerror}.") from error

    def delete(self) -> None:
        """Remove the run from the disk. Raises RunError while it is being trained."""
        if self.is_locked():
            raise RunError(f"The run {self.id} is being trained: stop it before you delete it.")
        shutil.rmtree(self.path)


def create(config: TrainConfig, runs_dir: pathlib.Path = RUNS_DIR) -> Run:
    """A new run's folder, waiting to be trained. Raises RunError if it cannot be made."""
    now = datetime.datetime.now(datetime.timezone.utc)
    run = Run(runs_dir / f"{now:%Y%m%d-%H%M%S}-{config.model}-{secrets.token_hex(2)}")
    try:
        run.path.mkdir(parents=True)
        (run.path / "config.json").write_text(config.to_json(), encoding="utf-8")
        run.set_status("waiting")
    except OSError as error:
        raise RunError(f"A run cannot be saved in {runs_dir}: {error.strerror}.") from error
    return run


def open_run(run_id: str, runs_dir: pathlib.Path = RUNS_DIR) -> Run:
    """The run of that id. Raises RunError for one that is not there, or no id at all, such as a path."""
    if not _ID.fullmatch(run_id):
        raise RunError(f"{run_id!r} is not a run's id: ids are made of small letters, digits and hyphens.")
    run = Run(runs_dir / run_id)
    if not (run.path / "config.json").is_file():
        raise RunError(f"There is no run {run_id} in {runs_dir}.")
    return run


def list_runs(runs_dir: pathlib.Path = RUNS_DIR) -> list[Run]:
    """All runs, the newest first."""
    found = [Run(path.parent) for path in runs_dir.glob("*/config.json") if _ID.fullmatch(path.parent.name)]
    return sorted(found, key=lambda run: run.id, reverse=True)


@contextlib.contextmanager
def replacing(path: pathlib.Path, durable: bool = True) -> Iterator[pathlib.Path]:
    """A new file's path to write to, which takes the place of `path` all at once.

    Where it is `durable`, only once it is on the disk, so that not even a power cut leaves half of it.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield fresh
        if durable:
            with open(fresh, "rb+") as file:
                os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
