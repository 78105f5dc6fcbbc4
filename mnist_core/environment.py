"""What a training ran on, beside its device: versions and the state of this code."""

import pathlib
import platform
from typing import Any

import torch

APP_FOLDER = pathlib.Path(__file__).resolve().parent.parent


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
    """The commit that is checked out in `folder`, 40 or 64 hex digits; "" where it is no git checkout."""
    try:
        git = folder / ".git"
        if git.is_file():  # a worktree: the file says where its own part of .git is
            git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / "commondir").is_file():  # branches are in the part that worktrees share
            git = git / (git / "commondir").read_text(encoding="utf-8").strip()
        if (git / name).is_file():
            return (git / name).read_text(encoding="utf-8").strip()
        for line in (git / "packed-refs").read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {name}"):
                return line.split(" ")[0]
    except (OSError, ValueError):  # no checkout, or one that is damaged
        pass
    return ""
