"""What a training ran on, beside its device: versions and the state of this code."""

import pathlib
import platform
import re
from typing import Any

import torch

from mnist_core.files import APP_FOLDER


def describe() -> dict[str, Any]:
    """Versions of Python and torch, the system, torch's threads and the commit of this code, "" where none is known."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "commit": commit(APP_FOLDER),
    }


def commit(folder: pathlib.Path) -> str:
    """The commit that is checked out in `folder`, in hex digits; "" where it is no git checkout or one without any."""
    try:
        found = _head(folder / ".git")
    except (OSError, ValueError):  # no checkout, or one that is damaged
        return ""
    return found if re.fullmatch("[0-9a-f]{40,64}", found) else ""


def _head(git: pathlib.Path) -> str:
    if git.is_file():  # a worktree: the file says where its own part of .git is
        git = git.parent / _text(git).removeprefix("gitdir: ")
    head = _text(git / "HEAD")
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    if (git / "commondir").is_file():  # branches are in the part that worktrees share
        git = git / _text(git / "commondir")
    if (git / name).is_file():
        return _text(git / name)
    lines = _text(git / "packed-refs").splitlines()
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8").strip()
