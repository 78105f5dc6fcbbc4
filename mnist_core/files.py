"""Files that are written whole or not at all, and what the system says where they cannot be written."""

import contextlib
import errno
import os
import pathlib
import re
import secrets
from collections.abc import Collection, Iterator

from mnist_core.errors import LabError

APP_FOLDER = pathlib.Path(__file__).resolve().parent.parent  # streamlit_app.py and this package lie in it
_LEFT_OVER = re.compile(r"\.(.+)\.[0-9a-f]{8}")
_OF_SAFETENSORS = re.compile(r"\.tmp[A-Za-z0-9]{6}")  # since version 0.8 it writes to a temporary file, and renames it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the last where a process may write no larger files
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


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


def remove_left_over(folder: pathlib.Path, names: Collection[str]) -> None:
    """Remove what a process killed within `replacing` has left of the files of these names. Nobody may be in it now.

    The temporary files of safetensors, which bear no names, are removed, too.
    """
    for path in folder.iterdir():
        left_over = _LEFT_OVER.fullmatch(path.name)
        if (left_over and left_over[1] in names) or _OF_SAFETENSORS.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def oserror_as(kind: type[LabError], what: str, *passing: type[OSError]) -> Iterator[None]:
    """Raise `kind` for an OSError: the sentence that `what` begins, with what was wrong and what to do.

    OSErrors of the kinds in `passing` pass: a file that is not there may mean something to the caller.
    """
    try:
        yield
    except passing:
        raise
    except OSError as error:
        raise kind(f"{what}: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """What was wrong and what to do, as the end of a sentence, without its full stop."""
    text = error.strerror or str(error)
    if error.errno in _FULL:
        return f"the disk is full ({text}): free some space, then try again"
    if error.errno in _READ_ONLY:
        return f"it is read-only ({text}): allow this user to write there, then try again"
    return text
