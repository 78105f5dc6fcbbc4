"""Deleted runs: folders put aside in `.deleted`, from where they can be taken back until they are removed for good."""

import os
import pathlib
import secrets
import shutil
import time

from mnist_core.files import replacing

FOLDER = ".deleted"
_STAMP = "deleted"  # a file in the folder that was put aside: when, in seconds since 1970


def put_aside(folder: pathlib.Path) -> None:
    """Move a folder to the deleted ones beside it, all at once. Raises OSError."""
    trash = folder.parent / FOLDER
    trash.mkdir(exist_ok=True)
    _stamp(folder)
    if (trash / folder.name).exists():  # an older one of that name, deleted as well
        _remove(trash / folder.name)
    os.rename(folder, trash / folder.name)


def take_back(name: str, parent: pathlib.Path) -> pathlib.Path:
    """Move the folder `name` back to where it was put aside from. Raises OSError, FileExistsError if one is there."""
    folder = parent / name
    if folder.exists():
        raise FileExistsError(f"{folder} exists")
    os.rename(parent / FOLDER / name, folder)
    (folder / _STAMP).unlink(missing_ok=True)
    return folder


def empty(parent: pathlib.Path, older_than: float) -> list[str]:
    """Remove for good what was put aside more than so many seconds ago; returns the names. Raises OSError.

    What was put aside in the future, as it seems when the clock was set back, stays.
    """
    removed = []
    for folder in sorted((parent / FOLDER).iterdir()) if (parent / FOLDER).is_dir() else []:
        if folder.name.startswith("."):  # a removal that broke off
            shutil.rmtree(folder)
        elif _age(folder) > older_than:
            _remove(folder)
            removed.append(folder.name)
    return removed


def listed(parent: pathlib.Path) -> list[str]:
    """The names of what was put aside, the newest first."""
    trash = parent / FOLDER
    folders = [folder for folder in trash.iterdir() if not folder.name.startswith(".")] if trash.is_dir() else []
    return [folder.name for folder in sorted(folders, key=_age)]


def _stamp(folder: pathlib.Path) -> None:
    with replacing(folder / _STAMP) as path:
        path.write_text(repr(time.time()), encoding="utf-8")


def _age(folder: pathlib.Path) -> float:
    """Seconds since the folder was put aside. One that does not say when is put aside now."""
    try:
        return time.time() - float((folder / _STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        _stamp(folder)
        return 0.0


def _remove(folder: pathlib.Path) -> None:
    """Remove a folder; one of that name is either whole or not there."""
    going = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    os.rename(folder, going)
    shutil.rmtree(going)
