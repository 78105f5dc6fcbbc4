"""Choosing and describing the device and what else a training runs on, and moving data to the device."""

import functools
import os
import pathlib
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from mnist_core.errors import DeviceError
from mnist_core.files import APP_FOLDER
from mnist_core.text import quoted

T = TypeVar("T")


def available() -> list[str]:
    """Names of the devices this machine has, fastest first; the last is always "cpu"."""
    names = ["cpu"]
    if torch.backends.mps.is_available():
        names.insert(0, "mps")
    if torch.cuda.is_available():
        names.insert(0, "cuda")
    return names


def pick(name: str = "auto") -> torch.device:
    """The device of that name: "auto" (the fastest there is), "cpu", "cuda" or "mps". Raises DeviceError."""
    names = available()
    if name == "auto":
        name = names[0]
    if name not in names:
        raise DeviceError(f"This machine has no device {quoted(name)}; it has {', '.join(names)}.")
    return torch.device(name)


def describe(device: torch.device) -> str:
    """The device in words for people, such as "CPU (x86_64, 2 threads)"."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"GPU ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"
    if device.type == "mps":
        return "GPU (Apple, Metal)"
    threads = torch.get_num_threads()
    return f"CPU ({platform.machine()}, {threads} thread{'s' if threads != 1 else ''})"


def to_device(data: T, device: torch.device) -> T:
    """`data` with every tensor in it on `device`: a tensor, or lists, tuples and dicts of them, nested at will.

    Anything else is handed back as it is.
    """
    moved: Any = data
    if isinstance(data, Tensor):
        moved = data.to(device, non_blocking=True)
    elif isinstance(data, Mapping):
        moved = {key: to_device(value, device) for key, value in data.items()}
    elif isinstance(data, tuple) and hasattr(data, "_fields"):  # a namedtuple takes its items one by one
        moved = type(data)(*(to_device(item, device) for item in data))
    elif isinstance(data, list | tuple):
        moved = type(data)(to_device(item, device) for item in data)
    return moved  # type: ignore[no-any-return]


class DeviceDataLoader(Generic[T]):
    """The batches of `loader`, a DataLoader for example, each moved to `device` as it is asked for."""

    def __init__(self, loader: Iterable[T], device: torch.device) -> None:
        self.loader = loader
        self.device = device

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]  # a loader without a length says so itself

    def __iter__(self) -> Iterator[T]:
        for batch in self.loader:
            yield to_device(batch, self.device)


def make_deterministic(device: torch.device) -> None:
    """Have torch choose kernels that give the same bits each time, where `device` has others. The CPU's always do."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # asked for by cuBLAS
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def environment() -> dict[str, Any]:
    """Versions of Python and torch, the system, torch's threads and the commit of this code, "" where none is known."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "commit": commit(APP_FOLDER),
    }


@functools.cache  # a process goes on with the code that it began with
def commit(folder: pathlib.Path) -> str:
    """The commit that is checked out in `folder`, in hex digits; "" without git, and where it is no whole checkout."""
    command = ["git", f"--git-dir={folder / '.git'}", "rev-parse", "--verify", "HEAD"]  # of no repository around it
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=5).decode().strip()
    except (OSError, subprocess.SubprocessError):
        return ""
