"""How long a list of 2,000 runs takes: `python -m benchmarks.runs`.

All are copies of one real training of five epochs. The list is read the first time and once more, beside reading every
record of every run; with a Chromium, the Runs page is opened on it as well.
"""

import pathlib
import shutil
import tempfile
import time

from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.summary import Table
from mnist_core.runs.training import train_run

RUNS = 2_000
UP_FOR = 15  # seconds, in which a server brings in torch behind its first page


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(pathlib.Path(folder) / "runs")
        fill(store)
        shown = Table(store)
        first, again = seconds(shown.rows), seconds(shown.rows)
        whole = seconds(lambda: [one.records() for one in store.runs()])
        print(f"{RUNS:,} runs of {len(store.runs()[0].records())} records each")
        print(f"the list, at first {first:.2f} s; once more {again:.2f} s; to parse every record {whole:.2f} s")
        print(f"the first list takes {first / whole:.2f} of the time that all records take")
        opened = open_page(pathlib.Path(folder))
        print("no Chromium: the page is not opened" if opened is None else f"the Runs page opens in {opened:.2f} s")


def fill(store: RunStore) -> None:
    """2,000 runs, as a training on what data there is leaves them."""
    run = store.create(TrainConfig(data="sample" if mnist_files.missing() else "mnist"))
    for _ in train_run(run):
        pass
    for number in range(1, RUNS):
        shutil.copytree(run.path, store.folder / f"20260101-000000-mlp-{number:04x}")


def seconds(action: object) -> float:
    begin = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - begin


def open_page(folder: pathlib.Path) -> float | None:
    """Seconds from asking for the Runs page to its table, on a server that has been up for a while."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS, serving, visiting
    from tests.browser.steps import at_rest

    if not CHROMIUM:
        return None
    with sync_playwright() as playwright, serving(folder) as server:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        with visiting(chromium, server) as page:
            page.goto("/train")
            at_rest(page)
            page.wait_for_timeout(UP_FOR * 1_000)
            begin = time.perf_counter()
            page.get_by_role("link", name="Runs", exact=True).first.click()
            expect(page.get_by_test_id("stDataFrame")).to_be_visible()
            opened = time.perf_counter() - begin
        chromium.close()
    return opened


if __name__ == "__main__":
    main()
