"""Training on the machines of a Ray cluster: a run is a task of Ray's, and its folder lies where all nodes see it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any, cast

from mnist_core.errors import RunError
from mnist_core.files import APP_FOLDER, reason
from mnist_core.runs.processes import KILLED
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore

REACHED = 5.0  # seconds within which a cluster's head must answer
JOINED = 45.0  # seconds within which it must have taken the bridge in
LOOKS = 2.0  # seconds between two looks at the head
MISSED = 3  # looks in a row at which nothing answers there, after which it is taken for dead
TRY_AGAIN = 3.0  # seconds after which a cluster that could not be reached is looked for again
PORT = 6379  # Ray's own
QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # or Ray warns that it will
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",  # after which a head is taken for dead; a minute otherwise
}


@dataclasses.dataclass(frozen=True)
class Node:
    """A machine of the cluster; `sees_runs` says whether it sees the folder of runs."""

    id: str
    name: str
    cpus: int
    gpus: int
    sees_runs: bool


class Task:
    """A run's training on the cluster: what subprocess.Popen has of a process. A worker_pool.Training."""

    def __init__(self, run: Run, cancel: Callable[[Run], None]) -> None:
        self._run, self._cancel = run, cancel
        self._ended = threading.Event()
        self.returncode: int | None = None

    def end(self, returncode: int, message: str = "") -> None:
        """Note how it ended; the message goes to the run's log, which says why a run failed."""
        if message and returncode == 1:
            with contextlib.suppress(OSError), open(self._run.log, "a", encoding="utf-8") as log:
                log.write(message + "\n")
        self.returncode = returncode
        self._ended.set()

    def wait(self) -> int:
        self._ended.wait()
        return cast(int, self.returncode)

    def kill(self) -> None:
        self._cancel(self._run)

    def communicate(self) -> None:
        """Nothing is left of a task."""


class Cluster:
    """Trains runs as tasks of the Ray cluster at `address`, one for each CPU, or for each GPU where it has some.

    A worker_pool.Executor. The runs of a node that dies go on elsewhere from their last epoch; those of a cluster that
    goes away show as interrupted. `watch` is called when there may be room for more.
    """

    paused_makes_room = False  # a paused run keeps its CPU

    def __init__(self, address: str, store: RunStore) -> None:
        if importlib.util.find_spec("ray") is None:
            raise RunError("A cluster needs Ray: pip install -r requirements-cluster.txt.")
        self.address = address
        self.watch: Callable[[], None] = lambda: None
        self._store = store
        self._mutex = threading.Lock()
        self._bridge: subprocess.Popen[bytes] | None = None
        self._listening: threading.Thread | None = None
        self._tasks: dict[str, Task] = {}
        self._nodes: list[Node] = []
        self._head = ""
        self._error, self._error_at = "", 0.0

    def nodes(self) -> list[Node]:
        """The machines that are there now."""
        with self._mutex:
            return list(self._nodes)

    def room(self) -> int:
        with self._mutex:
            if self._error and time.monotonic() - self._error_at < TRY_AGAIN:
                return len(self._tasks) + 1  # so that `start` says what is wrong
            self._connect()
            able = [node for node in self._nodes if node.sees_runs]
            if self._nodes and not able:
                return len(self._tasks) + 1
            return sum(node.gpus for node in able) or sum(node.cpus for node in able)

    def get_ready(self) -> None:
        """The bridge to the cluster is all that is prepared."""
        self.room()

    def start(self, run: Run) -> Task:
        """Hand the run to the cluster. Raises RunError where that cannot be reached or does not see its folder."""
        with self._mutex:
            if self._error:
                raise RunError(f"The cluster at {self.address} cannot be reached: {self._error}")
            if blind := [node.name for node in self._nodes if not node.sees_runs]:
                folder = self._store.folder.resolve()
                raise RunError(
                    f"The node {blind[0]} does not see the folder of runs, {folder}: mount it there, at the same path."
                )
            task = Task(run, self._cancel)
            self._tasks[str(run.path.resolve())] = task
            self._order({"train": str(run.path.resolve())})
            return task

    def close(self) -> None:
        """Leave the cluster; what it trains for this process ends."""
        with self._mutex:
            bridge, listening = self._bridge, self._listening
        if bridge and listening:
            bridge.kill()
            listening.join()

    def _cancel(self, run: Run) -> None:
        with self._mutex:
            self._order({"cancel": str(run.path.resolve())})

    def _order(self, order: dict[str, str]) -> None:
        if self._bridge:
            with contextlib.suppress(OSError, ValueError):  # it has just ended, which the reader sees
                pipe = cast(IO[bytes], self._bridge.stdin)
                pipe.write(json.dumps(order).encode() + b"\n")
                pipe.flush()

    def _connect(self) -> None:
        """Have a bridge to the cluster, unless there is one."""
        if self._bridge:
            return
        self._error, self._head, self._nodes = "", "", []
        search_path = [str(APP_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
        folder = str(self._store.folder.resolve())
        self._bridge = subprocess.Popen(
            [sys.executable, "-m", "mnist_core.runs.ray_bridge", self.address, folder],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search_path), **QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C in the parent's terminal is the parent's alone
        )
        self._listening = threading.Thread(target=self._listen, args=(self._bridge,), daemon=True)
        self._listening.start()
        threading.Thread(target=self._attend, args=(self._bridge,), daemon=True).start()

    def _attend(self, bridge: subprocess.Popen[bytes]) -> None:
        """End the bridge when the cluster's head does not answer: in it, a call of Ray's may wait for that for ever."""
        begin, missed, problem = time.monotonic(), 0, ""
        while missed < MISSED:
            with contextlib.suppress(subprocess.TimeoutExpired):
                bridge.wait(LOOKS)
                return
            if self._head:
                try:
                    knock(self._head)
                    missed = 0
                except OSError as error:
                    missed, problem = missed + 1, f"its head is gone: {reason(error)}"
            elif time.monotonic() - begin > JOINED:
                missed, problem = MISSED, f"it did not answer within {JOINED:.0f} seconds"
        self._take({"error": problem})
        bridge.kill()

    def _listen(self, bridge: subprocess.Popen[bytes]) -> None:
        """Take the bridge's reports until it ends, and then end what it was asked to train."""
        for line in cast(IO[bytes], bridge.stdout):
            self._take(json.loads(line))
            self.watch()
        bridge.wait()
        for pipe in (bridge.stdin, bridge.stdout):
            cast(IO[bytes], pipe).close()
        with self._mutex:
            self._bridge = None
            ended, self._tasks, self._nodes = list(self._tasks.values()), {}, []
        for task in ended:
            task.end(KILLED)
        self.watch()

    def _take(self, report: dict[str, Any]) -> None:
        with self._mutex:
            if "head" in report:
                self._head = report["head"]
            elif "nodes" in report:
                self._nodes = [Node(**node) for node in report["nodes"]]
            elif "ended" in report:
                if task := self._tasks.pop(report["ended"], None):
                    task.end(report["returncode"], report["message"])
            else:
                self._error, self._error_at = report["error"], time.monotonic()


def knock(address: str) -> None:
    """Raises OSError where nothing answers at HOST:PORT."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), REACHED).close()


def chosen(arguments: Sequence[str], store: RunStore) -> Cluster | None:
    """The cluster that `--cluster ADDRESS` among the arguments or RAY_ADDRESS in the environment names, if one does.

    Raises RunError where Ray is not installed.
    """
    named = [after for word, after in itertools.pairwise(arguments) if word == "--cluster"]
    address = named[0] if named else os.environ.get("RAY_ADDRESS", "")
    return Cluster(address, store) if address else None


def join(address: str = "") -> int:
    """Make this machine a node of the cluster at `address`, or the head of a new one. Returns Ray's exit status.

    Its tasks find the code and the data of this machine.
    """
    if importlib.util.find_spec("ray") is None:
        raise RunError("A cluster needs Ray: pip install -r requirements-cluster.txt.")
    where = [f"--address={address}"] if address else ["--head", f"--port={PORT}", "--include-dashboard=false"]
    return _ray("start", *where, "--disable-usage-stats")


def leave() -> int:
    """Stop all of Ray's processes on this machine. Returns Ray's exit status."""
    return _ray("stop")


def _ray(*words: str) -> int:
    from mnist_core import mnist_files

    search_path = [str(APP_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"PYTHONPATH": os.pathsep.join(search_path), "MNIST_ROOT": str(mnist_files.root().resolve())}
    command = [sys.executable, "-m", "ray.scripts.scripts", *words]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def node_of(run: Run) -> str:
    """The name of the node that trains the run or has trained it last; "" where no cluster did."""
    begun = [record for record in run.records() if record["event"] in ("start", "resume")]
    return str(begun[-1].get("environment", {}).get("node", "")) if begun else ""
