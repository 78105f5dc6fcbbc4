"""The app, served for real, and a headless Chromium to use it with."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from mnist_core.files import APP_FOLDER
from mnist_core.runs.run_store import RunStore

# The headless shell first: without a desktop browser's own surface, a page takes a fifth less of the processor.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
# Sandbox and GPU are not to be had in a container; the rest keeps the browser from calling home.
FLAGS = (
    "--no-sandbox --disable-gpu --in-process-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# Streamlit 1.67 now and then ends two script threads of one session at once, and one of them says so.
STREAMLITS_OWN = re.compile(
    r"Exception in thread ScriptRunner\.scriptThread:\nTraceback .*\n(?:  .*\n)*?.* in _reset_triggers\n.*\n"
    r"RuntimeError: dictionary changed size during iteration\n"
)

expect.set_options(timeout=30_000)


@dataclasses.dataclass(frozen=True)
class Server:
    """A running app, whose runs go to a folder of their own."""

    address: str
    runs_dir: pathlib.Path
    process: "subprocess.Popen[bytes]"

    def workers(self) -> list[int]:
        """Process ids of its training processes, also of the one that is kept ready."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "mnist_core.runs.worker"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(line) for line in found.stdout.split()]


@contextlib.contextmanager
def serving(folder: pathlib.Path, **environment: str) -> Iterator[Server]:
    """The app, ready to be visited, with its log and its runs in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, runs_dir = folder / "log.txt", folder / "runs"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
                *(f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"),
            ],
            cwd=APP_FOLDER,
            env={**os.environ, "RUNS_DIR": str(runs_dir), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                break
            time.sleep(0.05)
        yield Server(address, runs_dir, process)
    finally:
        process.terminate()
        process.wait(30)
    said = STREAMLITS_OWN.sub("", log.read_text())
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def shared_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as served:
        yield served


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """One for all tests; what a failed test left training is stopped, so that the next test need not wait for it."""
    yield shared_server
    runs = RunStore(shared_server.runs_dir)
    for _ in range(100):
        active = [run for run in runs.runs() if run.status().state.is_active]
        if not active:
            break
        for run in active:
            run.request_stop()
        time.sleep(0.1)


@pytest.fixture
def fresh_server(browser: Browser, tmp_path: pathlib.Path) -> Iterator[Server]:
    """One that nobody has visited yet, and that a test may do with as it likes."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A file whose frames, JPEG after JPEG, the browser takes for those of a camera."""
    return tmp_path_factory.mktemp("camera") / "frames.mjpeg"


@pytest.fixture(scope="session")
def browser(camera: pathlib.Path) -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium is installed")
    seen = [f"--use-fake-{part}-for-media-stream" for part in ("device", "ui")]
    seen.append(f"--use-file-for-fake-video-capture={camera}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS.split(), *seen])
        yield chromium
        chromium.close()


@contextlib.contextmanager
def opened(context: BrowserContext) -> Iterator[Page]:
    """A page, not yet anywhere; an error in the page's own scripts fails the test."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@contextlib.contextmanager
def visiting(
    browser: Browser, server: Server, width: int = 1280, height: int = 1000, **options: object
) -> Iterator[Page]:
    """A new visitor's page, who has never seen the app."""
    context = browser.new_context(base_url=server.address, viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
    with contextlib.closing(context), opened(context) as page:
        yield page


@pytest.fixture(scope="session")
def visitor(browser: Browser, shared_server: Server) -> Iterator[BrowserContext]:
    """Somebody whose browser has the app's scripts in its cache: to load and compile them takes seconds."""
    context = browser.new_context(base_url=shared_server.address, viewport={"width": 1280, "height": 1000})
    with contextlib.closing(context):
        yield context


@pytest.fixture
def page(visitor: BrowserContext, server: Server) -> Iterator[Page]:
    with opened(visitor) as page:
        yield page


PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def phone(page: Page) -> Page:
    """A page as wide as a phone's."""
    page.set_viewport_size(PHONE)
    return page
