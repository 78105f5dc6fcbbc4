"""Runs on a Ray cluster of one node and of two, all on this machine: `python -m benchmarks.cluster`.

Many short runs are submitted at once. Printed: seconds until the last has ended, runs that were trained other than
exactly once, and what a click on the Runs page takes meanwhile, in a real headless Chromium. Then some runs that train
longer than it takes to hand them over: how much faster two nodes are, each with a core of its own.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time

from playwright.sync_api import Page, expect, sync_playwright
from ray.cluster_utils import Cluster as RayCluster

from benchmarks.pages import CLICK
from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs.cluster import Cluster
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.worker_pool import Workers
from tests.browser.conftest import CHROMIUM, FLAGS, serving, visiting
from tests.browser.steps import at_rest

SHORT = TrainConfig(data="sample", hidden=(16,), epochs=2, device="cpu")
LONGER = TrainConfig(epochs=10, device="cpu")
VIEWS = ".st-key-runs-view button:nth-of-type({})"


def made(store: RunStore, config: TrainConfig, count: int) -> list[Run]:
    return [store.create(dataclasses.replace(config, seed=seed)) for seed in range(count)]


def submitted(runs: list[Run], store: RunStore, address: str) -> tuple[Workers, float]:
    """All in line at once, and the moment at which the first was submitted."""
    workers = Workers(executor=Cluster(address, store))
    begin = time.perf_counter()
    for one in runs:
        workers.submit(one)
    return workers, begin


def ended(runs: list[Run]) -> bool:
    return all(one.status().state is RunState.FINISHED for one in runs)


def seconds_of(runs: list[Run], store: RunStore, address: str) -> float:
    """Those until the last has ended."""
    workers, begin = submitted(runs, store, address)
    while not ended(runs):
        time.sleep(0.2)
    seconds = time.perf_counter() - begin
    workers.close()
    return seconds


def clicks(page: Page, runs: list[Run]) -> list[float]:
    """Seconds of clicks between the table and the board, until all runs have ended, at least of one round."""
    taken: list[float] = []
    while not taken or not ended(runs):
        for place, words in ((2, "No model on the dotted line"), (1, "Click on a run to see it")):
            taken.append(page.evaluate(CLICK, [VIEWS.format(place), words]) / 1000)
            page.wait_for_timeout(300)
    return taken


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--runs", type=int, default=200)
    arguments.add_argument("--longer", type=int, default=20, help="runs that train longer; default 20")
    args = arguments.parse_args()
    mnist_files.find_or_download()
    figures: dict[str, float | str] = {}
    for nodes in (1, 2):
        ray = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        for _ in range(nodes - 1):
            ray.add_node(num_cpus=1)
        with tempfile.TemporaryDirectory() as scratch:
            if nodes == 1:
                store = RunStore(pathlib.Path(scratch))
                runs = made(store, SHORT, args.runs)
                workers, begin = submitted(runs, store, ray.address)
                figures[f"to submit {args.runs}, s"] = time.perf_counter() - begin
                while not ended(runs):
                    time.sleep(0.2)
            else:
                with sync_playwright() as playwright, serving(pathlib.Path(scratch)) as server:
                    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
                    with visiting(browser, server) as page:
                        store = RunStore(server.runs_dir)
                        runs = made(store, SHORT, args.runs)
                        page.goto("/runs")
                        expect(page.locator(VIEWS.format(2))).to_be_visible()
                        at_rest(page)
                        clicks(page, [])  # the browser fetches what draws the board
                        workers, begin = submitted(runs, store, ray.address)
                        taken = clicks(page, runs)
                figures["a click meanwhile, median, s"] = statistics.median(taken)
                figures["a click meanwhile, 95th percentile, s"] = statistics.quantiles(taken, n=20)[-1]
            figures[f"{args.runs} runs on {nodes} nodes, s"] = time.perf_counter() - begin
            begun = [sum(record["event"] in ("start", "resume") for record in one.records()) for one in runs]
            figures[f"on {nodes} nodes, not trained once"] = str(sum(count != 1 for count in begun))
            workers.close()
        with tempfile.TemporaryDirectory() as scratch:
            store = RunStore(pathlib.Path(scratch))
            seconds_of(made(store, SHORT, nodes), store, ray.address)  # each node imports torch
            longer = made(store, LONGER, args.longer)
            figures[f"{args.longer} longer runs on {nodes} nodes, s"] = seconds_of(longer, store, ray.address)
        ray.shutdown()  # type: ignore[no-untyped-call]
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)
