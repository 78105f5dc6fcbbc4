"""Choosing and describing the device and what else a training runs on, and moving data to the device.

torch is imported by the functions that need it, so that a page can ask for the number of cores before that.
"""

from __future__ import annotations

import functools
import os
import pathlib
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mnist_core.errors import DeviceError
from mnist_core.files import APP_FOLDER
from mnist_core.text import quoted

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

CPU_QUOTA = pathlib.Path("/sys/fs/cgroup/cpu.max")  # of a container on Linux: microseconds in each period, the period
MEMORY_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")  # of a container on Linux: bytes
CORES_A_TRAINING = 4  # with fewer for each, trainings at the same time slow each other more than they gain
# Of a training step, forward, for each thread. On two cores two threads were 0.9 times as fast as one at 26 million
# (mlp), 1.05 at 30 to 50 million, 1.35 at 100 to 240 million (cnn) and 1.5 at 300 million and more (convnet).
MULTIPLY_ADDS_A_THREAD = 50_000_000


def cores() -> int:
    """How many processor cores this process may use, which a CPU affinity or a container can limit."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        count = os.cpu_count() or 1
    try:
        quota, period = CPU_QUOTA.read_text(encoding="ascii").split()
        count = min(count, int(quota) // int(period))
    except (OSError, ValueError):  # there is none, or it is "max"
        pass
    return max(1, count)


def trainings_at_once() -> int:
    """How many trainings this machine carries at the same time: RUNS_AT_ONCE in the environment, else by its cores."""
    return _from_environment("RUNS_AT_ONCE") or max(1, cores() // CORES_A_TRAINING)


def choose_threads(multiply_adds: int = 0) -> int:
    """The number of CPU threads for a new training whose step has so many multiply-adds, forward.

    Beside them it depends on the machine alone, not on what else it does at the moment: the number of threads changes a
    result's last bits, and a config is to give the same result each time, from a page and from a shell.
    OMP_NUM_THREADS in the environment is used as it is.
    """
    return _from_environment("OMP_NUM_THREADS") or threads_for(multiply_adds, cores(), trainings_at_once())


def resume_threads(started_with: int) -> int:
    """The number of CPU threads for a training that goes on: what it started with, or all cores where they are fewer.

    OMP_NUM_THREADS in the environment is used as it is.
    """
    return _from_environment("OMP_NUM_THREADS") or min(started_with, cores())


def threads_for(multiply_adds: int, cores: int, trainings: int) -> int:
    """The threads from which one of so many trainings gains; they leave a core to the page and the browser."""
    return max(1, min(multiply_adds // MULTIPLY_ADDS_A_THREAD, (cores - 1) // trainings))


def _from_environment(name: str) -> int:
    """The whole number that the variable is, or begins with as in "4,2"; 0 where there is none."""
    number = os.environ.get(name, "").split(",")[0].strip()
    return int(number) if re.fullmatch("[0-9]{1,4}", number) else 0


def available() -> list[str]:
    """Names of the devices this machine has, fastest first; the last is always "cpu"."""
    import torch

    names = ["cpu"]
    if torch.backends.mps.is_available():
        names.insert(0, "mps")
    if torch.cuda.is_available():
        names.insert(0, "cuda")
    return names


def pick(name: str = "auto") -> torch.device:
    """The device of that name: "auto" (the fastest there is), "cpu", "cuda" or "mps". Raises DeviceError."""
    import torch

    names = available()
    if name == "auto":
        name = names[0]
    if name not in names:
        raise DeviceError(f"This machine has no device {quoted(name)}; it has {', '.join(names)}.")
    return torch.device(name)


def describe(device: torch.device) -> str:
    """The device in words for people, such as "CPU (x86_64, 2 threads)"."""
    import torch

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
    import torch

    moved: Any = data
    if isinstance(data, torch.Tensor):
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


def free_memory(name: str) -> int:
    """Bytes that a training on the device of that name, "auto" among them, can still get: on a GPU of its own memory.

    Swap counts: with it a training is slow, but goes on.
    """
    if name in ("auto", "cuda"):
        import torch

        if torch.cuda.is_available():
            return torch.cuda.mem_get_info()[0]
    import psutil

    free: int = psutil.virtual_memory().available + psutil.swap_memory().free
    try:
        return min(free, int(MEMORY_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):  # there is none, or it is "max"
        return free


def make_deterministic(device: torch.device) -> None:
    """Have torch choose kernels that give the same bits each time, where `device` has others. The CPU's always do."""
    import torch

    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # asked for by cuBLAS
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def environment() -> dict[str, Any]:
    """Versions of Python and torch, the system, torch's threads and the commit of this code, "" where none is known."""
    import torch

    node = os.environ.get("CLUSTER_NODE")  # the machine of a cluster
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "commit": commit(APP_FOLDER),
        **({"node": node} if node else {}),
    }


@functools.cache  # a process goes on with the code that it began with
def commit(folder: pathlib.Path) -> str:
    """The commit that is checked out in `folder`, in hex digits; "" without git, and where it is no whole checkout."""
    command = ["git", f"--git-dir={folder / '.git'}", "rev-parse", "--verify", "HEAD"]  # of no repository around it
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=5).decode().strip()
    except (OSError, subprocess.SubprocessError):
        return ""
