"""Pages run by Streamlit's AppTest, in this process."""

import functools
import math
import pathlib
from collections.abc import Callable, Iterator

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from mnist_core.files import APP_FOLDER
from mnist_core.runs.run import Run
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from pages.shared import data, runs, searches
from pages.shared.background_work import get_jobs
from tests.conftest import MNIST_ROOT

# AppTest reads the metadata of every installed package in each test, which a server does once
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture
def app(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The pages as scripts, with `runs` in the test's own folder."""
    monkeypatch.setenv("MNIST_ROOT", MNIST_ROOT)  # a relative one would be lost with the next line
    monkeypatch.chdir(tmp_path)  # where `runs` is made
    yield AppTest.from_file(APP_FOLDER / "pages" / "app.py", default_timeout=180)  # seconds; torch may be imported
    runs.get_workers().close()
    for key, job in list(get_jobs()._jobs.items()):
        if not job.done:  # nobody looks at it any more
            job.looked_at = -math.inf
            get_jobs().forget(key)
    caches = (runs.get_workers, runs.get_table, data.splits, data.test, data.one_of_each, searches.get_background)
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the pages train in this process, and to the end before a click returns."""

    def submit(_: Workers, run: Run) -> None:
        for _ in train_run(run):
            pass

    monkeypatch.setattr(Workers, "submit", submit)


@pytest.fixture
def without_mnist(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "nothing"))


@pytest.fixture
def open_page(app: AppTest) -> Iterator[Callable[..., AppTest]]:
    """Opens a page at a link."""

    def at(name: str, **link: object) -> AppTest:
        app.run()
        app.switch_page(f"{name}.py")
        app.query_params.clear()
        app.query_params.update({key: str(value) for key, value in link.items()})
        return app.run()

    yield at
    assert not app.exception
