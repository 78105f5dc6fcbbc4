import contextlib
import dataclasses
import os
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from streamlit.testing.v1 import AppTest

from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs import worker
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from pages.shared import data, entry, runs

SMALL = {"data": "sample", "hidden": (16,), "epochs": 2, "device": "cpu"}
APP = pathlib.Path(__file__).parent.parent / "streamlit_app.py"
MNIST_ROOT = str(mnist_files.root().resolve())
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
def store(tmp_path: pathlib.Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def trained(small: TrainConfig, store: RunStore) -> Callable[..., Run]:
    """Trains a run of the small config, with changes, to its end."""

    def train(**changes: object) -> Run:
        run = store.create(dataclasses.replace(small, **changes))  # type: ignore[arg-type]
        for _ in worker.train(run):
            pass
        return run

    return train


@pytest.fixture
def finished(trained: Callable[..., Run]) -> Run:
    """A run of the small config that was trained to its end."""
    return trained()


@pytest.fixture
def app(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The pages as scripts, with `runs` in the test's own folder."""
    monkeypatch.setenv("MNIST_ROOT", MNIST_ROOT)  # a relative one would be lost with the next line
    monkeypatch.chdir(tmp_path)  # where `runs` is made
    # AppTest always runs a page by itself, and to start over would lose a click
    monkeypatch.setattr(entry, "through_app", lambda: None)
    yield AppTest.from_file(APP, default_timeout=60)  # seconds; torch may have to be imported
    runs.get_workers().close()
    for cached in (runs.get_workers, runs.get_table, data.splits, data.test, data.one_of_each):
        cached.cache_clear()


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


def text(app: AppTest) -> str:
    """All that a page says."""
    kinds = (app.metric, app.caption, app.info, app.error, app.warning, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


needs_mnist = pytest.mark.skipif(bool(mnist_files.missing()), reason="MNIST is not there: name its root in MNIST_ROOT")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
