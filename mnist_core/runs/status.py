"""What a run is doing, as its folder's status.json has it."""

import dataclasses
import datetime
import enum
import json
import os
import pathlib
import sys

import filelock

from mnist_core.errors import RunError
from mnist_core.files import oserror_as, replacing
from mnist_core.text import parse_json

# Seconds that a run may be held by no process: from when it is created until it is submitted, and from when it is
# handed to a new process until that has come up.
SUBMIT_GRACE, HAND_OVER_GRACE = 5, 60


class RunState(str, enum.Enum):
    """What a run is doing, in the word that status.json has for it."""

    WAITING = "waiting"  # created or in line, not begun
    STARTING = "starting"  # handed to a process that is coming up
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"  # by the user
    DIVERGED = "diverged"
    FAILED = "failed"  # the status' message says why
    INTERRUPTED = "interrupted"  # its process ended without a word
    DAMAGED = "damaged"  # its folder cannot be read; never in a status.json

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]

    @property
    def is_active(self) -> bool:
        """Whether a process trains the run, or will."""
        return self in (RunState.WAITING, RunState.STARTING, RunState.RUNNING, RunState.PAUSED)

    @property
    def is_resumable(self) -> bool:
        """Whether the run has ended before its training was done, and can go on."""
        return self in (RunState.STOPPED, RunState.INTERRUPTED, RunState.FAILED)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train."""
        return self in (RunState.FINISHED, RunState.DIVERGED)


@dataclasses.dataclass(frozen=True)
class Status:
    """What a run is doing, a sentence on it where there is something to say, and since when, in UTC, ISO 8601."""

    state: RunState
    message: str = ""
    since: str = ""

    @property
    def age(self) -> float:
        """Seconds since `since`, below 0 where the clock was set back. Raises ValueError where that is no moment."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now - datetime.datetime.fromisoformat(self.since)).total_seconds()


def read(folder: pathlib.Path) -> Status:
    """What the run in `folder` is doing now: what was written last, unless no process is there to do it.

    Raises RunError if that cannot be read. Writes nothing.
    """
    status = read_written(folder)
    if _is_abandoned(folder, status):
        status = read_written(folder)  # it may have ended properly between the two looks
        if _is_abandoned(folder, status):
            message = "The process that trained it ended before it was done: Resume goes on from its last epoch."
            return dataclasses.replace(status, state=RunState.INTERRUPTED, message=message)
    return dataclasses.replace(status, state=RunState.WAITING) if status.state is RunState.STARTING else status


def is_handed_over(folder: pathlib.Path) -> bool:
    """Whether a process is just coming up to train the run, which holds it from then on. Raises RunError."""
    status = read_written(folder)
    return status.state is RunState.STARTING and abs(status.age) <= HAND_OVER_GRACE


def is_deleted(folder: pathlib.Path) -> bool:
    """Whether the run that was in `folder` is there no more; files that were written meanwhile make no run."""
    try:
        os.stat(folder / "config.json")
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it cannot be seen, which is another fault
        pass
    return False


def is_held(folder: pathlib.Path) -> bool:
    """Whether a process holds the lock of the run in `folder`. Writes nothing: the folder may be read-only."""
    if sys.platform == "win32":
        try:
            with filelock.FileLock(folder / "lock", timeout=0):
                return False
        except filelock.Timeout:
            return True
    import fcntl

    try:
        with open(folder / "lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks at the same time is no holder
    except BlockingIOError:
        return True
    except OSError:  # there is no such file, so no process has ever trained the run
        return False
    return False


def read_written(folder: pathlib.Path) -> Status:
    """What `write` wrote last. Raises RunError if it cannot be read."""
    try:
        with oserror_as(RunError, f"The status of run {folder.name} cannot be read", FileNotFoundError):
            values = parse_json((folder / "status.json").read_bytes())
        status = Status(**values | {"state": RunState(values["state"])})
        status.age  # noqa: B018  # must be one
    except FileNotFoundError as error:
        if is_deleted(folder):
            raise RunError(f"The run {folder.name} has been deleted.") from error
        raise RunError(f"The run {folder.name} has no status.json: it is not whole, delete it.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"The status of run {folder.name} is damaged: {str(error)[:200]}.") from error
    if status.state is RunState.DAMAGED or not isinstance(status.message, str):
        raise RunError(f"The status of run {folder.name} is damaged.")
    return status


def write(folder: pathlib.Path, state: RunState, message: str = "") -> None:
    """Record what the run does from now on. Raises RunError if it cannot be written."""
    status = Status(state, message, datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))
    with (
        oserror_as(RunError, f"The run {folder.name} cannot be saved in {folder}"),
        replacing(folder / "status.json") as path,
    ):
        path.write_text(json.dumps(dataclasses.asdict(status)) + "\n", encoding="utf-8")


def _is_abandoned(folder: pathlib.Path, status: Status) -> bool:
    if not status.state.is_active or is_held(folder):
        return False
    grace = {RunState.WAITING: SUBMIT_GRACE, RunState.STARTING: HAND_OVER_GRACE}.get(status.state, 0)
    return not grace or abs(status.age) > grace  # below 0: the clock was set back
