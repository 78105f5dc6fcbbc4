"""What a run is doing, as its folder's status.json has it."""

import dataclasses
import datetime
import json
import os
import pathlib
import sys

import filelock

from mnist_core.errors import RunError
from mnist_core.files import in_words, replacing
from mnist_core.text import parse_json

# Seconds that a run may be held by nobody: before somebody takes it up who has just made it, and as long as the process
# that shall train it may take to come up.
TAKE_UP, HAND_OVER = 5, 60
ACTIVE = ("waiting", "running", "paused")  # states in which a process trains the run, or will


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
        """Seconds since `since`, below 0 where the clock was set back. Raises ValueError where that is no moment."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now - datetime.datetime.fromisoformat(self.since)).total_seconds()


def current(folder: pathlib.Path) -> Status:
    """What the run in `folder` is doing now: what it said last, unless nobody is there to do it.

    Raises RunError if that cannot be read. Writes nothing.
    """
    status = said(folder)
    if _is_abandoned(folder, status):
        status = said(folder)  # it may have ended properly between the two looks
        if _is_abandoned(folder, status):
            message = "The process that trained it ended before it was done: Resume goes on from its last epoch."
            return dataclasses.replace(status, state="interrupted", message=message)
    return dataclasses.replace(status, state="waiting") if status.state == "starting" else status


def is_handed_over(folder: pathlib.Path) -> bool:
    """Whether a process is just coming up to train the run, which holds it from then on. Raises RunError."""
    status = said(folder)
    return status.state == "starting" and abs(status.age) <= HAND_OVER


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
    except OSError:  # there is no such file, so nobody has taken the run up
        return False
    return False


def said(folder: pathlib.Path) -> Status:
    """The last `say`. Raises RunError if it cannot be read."""
    try:
        status = Status(**parse_json((folder / "status.json").read_bytes()))
        status.age  # noqa: B018  # must be one
        return status
    except FileNotFoundError as error:
        if is_deleted(folder):
            raise RunError(f"The run {folder.name} has been deleted.") from error
        raise RunError(f"The run {folder.name} has no status.json: it is not whole, delete it.") from error
    except OSError as error:
        raise RunError(f"The status of run {folder.name} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise RunError(f"The status of run {folder.name} is damaged: {error}.") from error


def say(folder: pathlib.Path, state: str, message: str = "") -> None:
    """Record what the run does from now on. `state` is one of Status's, or "starting": waiting for its own process.

    Raises RunError if it cannot be written.
    """
    status = Status(state, message, datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))
    try:
        with replacing(folder / "status.json") as path:
            path.write_text(json.dumps(dataclasses.asdict(status)) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"The run {folder.name} cannot be saved in {folder}: {in_words(error)}.") from error


def _is_abandoned(folder: pathlib.Path, status: Status) -> bool:
    if status.state not in (*ACTIVE, "starting") or is_held(folder):
        return False
    grace = {"waiting": TAKE_UP, "starting": HAND_OVER}.get(status.state, 0)
    return not grace or abs(status.age) > grace  # below 0: the clock was set back
