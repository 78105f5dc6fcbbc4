"""Training on a real Ray cluster of two nodes, both on this machine."""

import dataclasses
import sys

import filelock
import pytest
import torch

from mnist_core import weights
from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.runs import cluster
from mnist_core.runs.cluster import Cluster
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from tests.conftest import wait_until

SHORT = TrainConfig(data="sample", hidden=(16,), epochs=2, device="cpu")
LONG = dataclasses.replace(SHORT, epochs=1_000)
WAIT = 240  # seconds, for Ray's processes and torch on a busy machine


class Machines:
    """A head and what nodes are added to it."""

    def __init__(self):
        from ray.cluster_utils import Cluster as RayCluster

        self.ray = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        self.address = self.ray.address

    def add(self):
        return self.ray.add_node(num_cpus=1)

    def kill(self, node):
        self.ray.remove_node(node, allow_graceful=False)  # SIGKILL for all of its processes


@pytest.fixture
def machines(tmp_path_factory):
    pytest.importorskip("ray", reason="Ray is not installed")
    # one at a time on this machine: two that start at the same moment get in each other's way
    with filelock.FileLock(tmp_path_factory.getbasetemp().parent / "ray.lock"):
        made = Machines()
        yield made
        made.ray.shutdown()


@pytest.fixture
def workers(machines, store):
    made = Workers(executor=Cluster(machines.address, store))
    yield made
    made.close()


def state(run):
    return run.status().state


def epochs(run):
    return sum(record["event"] == "epoch" for record in run.records())


def until(condition, *runs):
    wait_until(condition, lambda: [(str(state(run)), epochs(run), run.status().message) for run in runs], WAIT)


@pytest.mark.slow
def test_what_a_killed_node_trained_goes_on_elsewhere_exactly(machines, workers, store):
    second = machines.add()
    made = [store.create(dataclasses.replace(SHORT, seed=seed, epochs=40)) for seed in range(3)]
    for run in made:
        workers.submit(run)
    until(lambda: len(workers._executor.nodes()) == 2 and all(epochs(run) >= 3 for run in made[:2]), *made)
    assert state(made[2]) == "waiting"
    names = {cluster.node_of(run) for run in made[:2]}
    assert len(names) == 2
    machines.kill(second)
    until(lambda: all(state(run) == "finished" for run in made), *made)
    (left,) = {cluster.node_of(run) for run in made}
    assert left in names
    assert sorted(sum(record["event"] == "resume" for record in run.records()) for run in made) == [0, 0, 1]
    moved = next(run for run in made if any(record["event"] == "resume" for record in run.records()))
    straight = store.create(moved.config())
    for _ in train_run(straight):
        pass
    ours, theirs = (weights.load(run.weights, run.fingerprint()) for run in (moved, straight))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_a_run_is_paused_changed_and_stopped_through_its_folder(workers, store):
    run, next_one = store.create(LONG), store.create(SHORT)
    workers.submit(run)
    workers.submit(next_one)
    until(lambda: epochs(run) > 1, run)
    workers.pause(run)
    until(lambda: state(run) == "paused", run)
    assert workers.place(next_one) == 1  # a paused run keeps its place on its node
    run.request_lr(0.003)
    workers.resume(run)
    until(lambda: any(record["event"] == "lr" for record in run.records()), run)
    workers.stop(run)
    until(lambda: state(run) == "stopped" and state(next_one) == "finished", run, next_one)


@pytest.mark.slow
def test_of_many_short_runs_none_is_trained_twice_also_by_a_node_that_joins_meanwhile(machines, workers, store):
    made = [store.create(dataclasses.replace(SHORT, seed=seed)) for seed in range(24)]
    for run in made[:16]:
        workers.submit(run)
    until(lambda: epochs(made[0]), *made)
    machines.add()
    for run in made[16:]:  # the others may have ended before the node has come
        workers.submit(run)
    until(lambda: all(state(run) == "finished" for run in made), *made)
    assert [sum(record["event"] in ("start", "resume") for record in run.records()) for run in made] == [1] * 24
    assert len({cluster.node_of(run) for run in made}) == 2


@pytest.mark.slow
def test_when_the_head_dies_runs_show_as_interrupted_and_go_on_when_there_is_one_again(machines, workers, store):
    run = store.create(LONG)
    workers.submit(run)
    until(lambda: epochs(run) > 2, run)
    machines.ray.shutdown()
    until(lambda: state(run) is RunState.INTERRUPTED and not workers.ids(), run)
    reached = epochs(run)

    def resumed_until_it_is_said() -> bool:
        if state(run) is RunState.INTERRUPTED and not workers.ids():  # Ray took it before it knew that the head is gone
            workers.resume(run)
        return state(run) is RunState.FAILED

    until(resumed_until_it_is_said, run)
    assert "cannot be reached" in run.status().message
    again = Machines()
    other = Workers(executor=Cluster(again.address, store))
    try:
        other.resume(run)
        until(lambda: epochs(run) > reached, run)
        other.stop(run)
        until(lambda: state(run) == "stopped", run)
    finally:
        other.close()
        again.ray.shutdown()


def test_a_cluster_that_is_not_there_is_one_sentence(store):
    pytest.importorskip("ray", reason="Ray is not installed")
    workers = Workers(executor=Cluster("127.0.0.1:1", store))
    try:
        run = store.create(SHORT)
        workers.submit(run)
        wait_until(lambda: state(run) is RunState.FAILED, run.status, WAIT)
        assert "The cluster at 127.0.0.1:1 cannot be reached: " in run.status().message
        assert run.status().message.count("\n") == 0
    finally:
        workers.close()


def test_a_node_that_does_not_see_the_runs_is_said_before_one_is_trained(store):
    pytest.importorskip("ray", reason="Ray is not installed")
    there = Cluster("127.0.0.1:1", store)
    node = {"id": "1", "name": "second", "cpus": 1, "gpus": 0, "sees_runs": False}
    there._take({"nodes": [node, {**node, "id": "0", "name": "first", "sees_runs": True}]})
    with pytest.raises(RunError, match="The node second does not see the folder of runs"):
        there.start(store.create(SHORT))


def test_without_ray_the_sentence_says_what_to_install(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    for make in (lambda: Cluster("127.0.0.1:1", store), cluster.join):
        with pytest.raises(RunError, match="pip install -r requirements-cluster"):
            make()


def test_the_address_is_an_argument_or_in_the_environment(store, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert cluster.chosen(["streamlit_app.py"], store) is None
    assert cluster.chosen(["streamlit_app.py", "--cluster", "here:1"], store).address == "here:1"
    monkeypatch.setenv("RAY_ADDRESS", "there:1")
    assert cluster.chosen([], store).address == "there:1"
