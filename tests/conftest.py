import contextlib
import dataclasses
import os
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run

SMALL = {"data": "sample", "hidden": (16,), "epochs": 2, "device": "cpu"}
MNIST_ROOT = str(mnist_files.root().resolve())


@pytest.fixture
def small() -> TrainConfig:
    """A config that trains in a blink, on the built-in sample."""
    return TrainConfig(**SMALL)


@pytest.fixture
def store(tmp_path: pathlib.Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def trained(small: TrainConfig, store: RunStore) -> Callable[..., Run]:
    """Trains a run of the small config, with changes, to its end, or has it stop behind an epoch."""

    def train(until_epoch: int | None = None, **changes: object) -> Run:
        run = store.create(dataclasses.replace(small, **changes))  # type: ignore[arg-type]
        for record in train_run(run):
            if record["event"] == "epoch" and record["epoch"] == until_epoch:
                run.request_stop()
        return run

    return train


@pytest.fixture
def finished(trained: Callable[..., Run]) -> Run:
    """A run of the small config that was trained to its end."""
    return trained()


@pytest.fixture
def readable() -> Iterator[tuple[pathlib.Path, Callable[[], contextlib.AbstractContextManager[None]]]]:
    """A folder for runs, and what makes it read-only to this process, which is not root's as long as it is."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        @contextlib.contextmanager
        def read_only() -> Iterator[None]:
            paths = [folder, *folder.rglob("*")]
            for path in paths:
                path.chmod(0o555 if path.is_dir() else 0o444)
            if user := os.geteuid():
                yield
            else:
                os.seteuid(65534)
                try:
                    yield
                finally:
                    os.seteuid(user)
            for path in paths:
                path.chmod(0o755 if path.is_dir() else 0o644)

        yield folder, read_only


NESTED = '{"a":' * 3_000 + "1" + "}" * 3_000  # JSON that no parser goes into


def curves(run: Run) -> list[dict[str, object]]:
    """All records but those that say that it was resumed, without what depends on the machine's speed."""
    timed = ("images_per_s", "seconds")
    return [
        {key: value for key, value in record.items() if key not in timed}
        for record in run.records()
        if record["event"] != "resume"
    ]


def progress_of(*runs: Run) -> Callable[[], object]:
    """What changes as long as these runs are trained."""
    files = [run.path / name for run in runs for name in ("metrics.jsonl", "status.json")]
    return lambda: [path.exists() and path.stat().st_mtime_ns for path in files]


def wait_until(
    condition: Callable[[], object], progress: Callable[[], object] = lambda: None, seconds: float = 180
) -> None:
    """Until `condition()`, however long that takes. Fails once `progress()` has stayed the same for so many seconds."""
    seen, end = progress(), time.monotonic() + seconds
    while not condition():
        if (now := progress()) != seen:
            seen, end = now, time.monotonic() + seconds
        assert time.monotonic() < end, f"nothing has happened for {seconds} seconds"
        time.sleep(0.01)


needs_mnist = pytest.mark.skipif(bool(mnist_files.missing()), reason="MNIST is not there: name its root in MNIST_ROOT")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
