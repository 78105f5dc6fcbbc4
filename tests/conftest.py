import pathlib
import time
from collections.abc import Callable

import pytest
import torch

from mnist_core import mnist_files
from mnist_core.config import TrainConfig

SMALL = {"data": "sample", "hidden": (16,), "epochs": 2, "device": "cpu"}


THREADS = torch.get_num_threads()


@pytest.fixture(autouse=True)
def all_threads() -> None:
    """A page has its process use one thread, and only with as many as before is a training the same to the bit."""
    torch.set_num_threads(THREADS)


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks train fastest so, and processes that are started from here train them the same."""
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def small() -> TrainConfig:
    """A config that trains in a blink, on the built-in sample."""
    return TrainConfig(**SMALL)


@pytest.fixture
def runs_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "runs"


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


needs_mnist = pytest.mark.skipif(bool(mnist_files.missing()), reason="MNIST is not there: name its root in MNIST_ROOT")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
