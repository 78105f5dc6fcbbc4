"""The process that hands runs to a Ray cluster for a server, and says what becomes of them.

It is a process of its own as Ray ends the one that it is used in when its cluster goes away. Orders come on standard
input and reports leave on standard output, each a JSON object in a line:

    {"train": FOLDER}, {"cancel": FOLDER}
    {"head": ADDRESS}, once the cluster has taken it in
    {"nodes": [{"id", "name", "cpus", "gpus", "sees_runs"}]}
    {"ended": FOLDER, "returncode", "message"}
    {"error": TEXT}
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
import platform
import queue
import re
import secrets
import sys
import threading
import time
from typing import Any, TextIO

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mnist_core.errors import LabError
from mnist_core.files import reason
from mnist_core.runs import worker
from mnist_core.runs.cluster import knock
from mnist_core.runs.processes import KILLED
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run

RETRIES = 3  # of a run whose node dies
LOOKS = 2.0  # seconds between two looks at the nodes
LET_GO = 60.0  # seconds until the process of a node that died must have let go of its run


def train(folder: str) -> tuple[int, str]:
    """Train the run in this folder, or go on with it, on the node that this is called on.

    Returns what `worker.main` would, and a sentence where that is not 0.
    """
    run = Run(pathlib.Path(folder))
    name = f"{platform.node()} {ray.get_runtime_context().get_node_id()[:6]}"
    if not (run.path / "config.json").is_file():
        return 1, f"The node {name} does not see {run.path}: mount the folder of runs there, at the same path."
    os.environ["CLUSTER_NODE"] = name  # to the run's records
    if hasattr(os, "nice"):  # this process may have trained before
        os.nice(max(0, worker.NICE - os.nice(0)))
    try:
        end = time.monotonic() + LET_GO
        while run.is_locked() and time.monotonic() < end:
            time.sleep(0.1)
        state = run.status().state
        if state.is_over or state in (RunState.STOPPED, RunState.FAILED):  # it ended just before its node did
            return 0, ""
        if run.stop_requested():
            run.set_status(RunState.STOPPED)
            return 0, ""
        for _ in train_run(run):
            pass
    except LabError as error:
        return 2, str(error)
    return 0, ""


def sees(file: str) -> bool:
    """Whether the node that this is called on sees the file."""
    return os.path.exists(file)


class Bridge:
    def __init__(self, runs: pathlib.Path, reports: TextIO) -> None:
        self._reports = reports
        self._token = runs / f".cluster-{secrets.token_hex(4)}"
        self._runs: dict[Any, str] = {}  # folders by Ray's reference to what trains them
        self._looks: dict[Any, str] = {}  # nodes by the reference to whether they see the folder of runs
        self._sees: dict[str, bool] = {}
        self._nodes: list[dict[str, Any]] = []

    def serve(self, orders: queue.Queue[dict[str, str]]) -> None:
        """Until the cluster goes away, which Ray raises, or ends this process for."""
        next_look = 0.0
        self._token.parent.mkdir(parents=True, exist_ok=True)
        self._token.touch()
        try:
            while True:
                with contextlib.suppress(queue.Empty):
                    while True:
                        self._obey(orders.get_nowait())
                if time.monotonic() >= next_look:
                    self._look()
                    next_look = time.monotonic() + LOOKS
                waiting = [*self._runs, *self._looks]
                if not waiting:
                    time.sleep(0.05)
                    continue
                for reference in ray.wait(waiting, timeout=0.1)[0]:
                    self._take(reference)
        finally:
            self._token.unlink(missing_ok=True)

    def _obey(self, order: dict[str, str]) -> None:
        if folder := order.get("train"):
            gpus = 1 if any(node["gpus"] for node in self._nodes) else 0
            task = ray.remote(train).options(max_retries=RETRIES, num_cpus=1, num_gpus=gpus)
            self._runs[task.remote(folder)] = folder
        for reference, folder in list(self._runs.items()):
            if folder == order.get("cancel"):
                ray.cancel(reference, force=True)

    def _take(self, reference: Any) -> None:
        if node := self._looks.pop(reference, ""):
            try:
                self._sees[node] = ray.get(reference)
            except ray.exceptions.RayError:  # it died meanwhile
                self._sees.pop(node, None)
            self._say_nodes()
            return
        folder = self._runs.pop(reference)
        try:
            returncode, message = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            returncode, message = 1, str(error).strip().splitlines()[-1]
        except ray.exceptions.RayError:  # cancelled, or its nodes died too often
            returncode, message = KILLED, ""
        self._say({"ended": folder, "returncode": returncode, "message": message})

    def _look(self) -> None:
        """Say which nodes there are, and ask those that are new whether they see the folder of runs."""
        nodes = []
        for node in ray.nodes():  # type: ignore[no-untyped-call]
            if node["Alive"]:
                resources = node["Resources"]
                cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
                name = f"{node['NodeManagerHostname']} {node['NodeID'][:6]}"
                nodes.append({"id": node["NodeID"], "name": name, "cpus": cpus, "gpus": gpus})
        for one in nodes:
            if one["id"] not in self._sees and one["id"] not in self._looks.values():
                here = NodeAffinitySchedulingStrategy(one["id"], soft=False)
                task = ray.remote(sees).options(num_cpus=0, scheduling_strategy=here)
                self._looks[task.remote(str(self._token))] = one["id"]
        self._nodes = nodes
        self._say_nodes()

    def _say_nodes(self) -> None:
        known = [node for node in self._nodes if node["id"] in self._sees]
        if len(known) == len(self._nodes):
            self._say({"nodes": [{**node, "sees_runs": self._sees[node["id"]]} for node in known]})

    def _say(self, report: dict[str, Any]) -> None:
        say(self._reports, report)


def say(reports: TextIO, report: dict[str, Any]) -> None:
    reports.write(json.dumps(report) + "\n")
    reports.flush()


def main(address: str, runs: str) -> None:
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)  # Ray says much, of which reports hold what counts
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    orders: queue.Queue[dict[str, str]] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        if re.fullmatch(r".+:\d+", address):
            knock(address)  # Ray itself asks for a minute
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        say(reports, {"head": ray.get_runtime_context().gcs_address})
        Bridge(pathlib.Path(runs), reports).serve(orders)
    except Exception as error:  # noqa: BLE001  # whatever it is, the server says it
        cause = reason(error) if isinstance(error, OSError) else str(error)
        say(reports, {"error": " ".join(cause.split())[:300] or type(error).__name__})
        os._exit(2)


def _listen(orders: queue.Queue[dict[str, str]]) -> None:
    """Take orders until the server goes, which is when its pipe ends; what it had trained ends with this process."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
