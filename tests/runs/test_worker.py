import dataclasses
import itertools
import math
import shutil
import subprocess
import sys
import threading
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from mnist_core import trainer, weights
from mnist_core.config import TrainConfig
from mnist_core.errors import DatasetError, RunError
from mnist_core.runs import summary, worker
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from mnist_core.state import TrainState
from tests.conftest import curves, wait_until

# with dropout and augmentation, so that every kind of randomness must be found again
CONFIG = TrainConfig(data="sample", hidden=(16,), dropout=0.2, augment="affine", epochs=3, device="cpu")


def trained(config: TrainConfig, store: RunStore) -> Run:
    run = store.create(config)
    for _ in train_run(run):
        pass
    return run


def assert_same(one: Run, other: Run) -> None:
    """The same weights to the bit, and the same curves but for times and for the note that one was resumed."""
    a, b = load_file(one.weights), load_file(other.weights)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert curves(one) == curves(other)


def test_a_finished_run_has_all_it_needs_and_no_more(store):
    run = trained(CONFIG, store)
    assert run.status().state == "finished"
    names = {path.name for path in run.path.iterdir()}
    tensors = {"weights.safetensors", "first_layer.safetensors", "snapshots.safetensors"}
    assert names == {"config.json", "metrics.jsonl", "status.json", "lock", *tensors}
    assert run.records()[-1]["reason"] == "finished"
    assert summary.row(run).epochs == 3
    with pytest.raises(RunError, match="has finished"):
        next(train_run(run))


def test_whatever_a_kill_leaves_behind_is_resumed_to_the_bit(store):
    """At every record, the folder is copied as a process killed right then would leave it."""
    run = store.create(CONFIG)
    left_behind = []
    for record in train_run(run, report_every=3):
        copy = Run(store.folder / f"copy-{len(left_behind)}")
        shutil.copytree(run.path, copy.path)
        with open(copy.path / "metrics.jsonl", "a") as metrics:
            metrics.write('{"event": "step", "lo')  # and in the middle of writing a line
        if record["event"] != "end":
            assert copy.status().state == "interrupted"
            left_behind.append(copy)
    assert len(left_behind) == 1 + 3 * (4 + 1)
    for copy in left_behind:
        for _ in train_run(copy, report_every=3):
            pass
        assert copy.status().state == "finished"
        assert_same(run, copy)


def wait_until_or_ended(condition, child: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: condition() or child.poll() is not None)
    assert condition(), "the worker ended early"


def test_a_worker_ends_with_its_parent(store):
    run = store.create(dataclasses.replace(CONFIG, epochs=1000))
    script = (
        "import pathlib, time; from mnist_core.runs import worker; from mnist_core.runs.run import Run\n"
        f"child = worker.start(Run(pathlib.Path({str(run.path)!r}))); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_until_or_ended(lambda: run.status().state == "running", parent)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not run.is_locked())  # the lock is gone only when the worker is
    assert run.status().state == "interrupted"


def test_a_stop_is_obeyed_and_can_be_resumed(store):
    run = store.create(CONFIG)
    records = []
    for record in train_run(run):
        records.append(record)
        if record["event"] == "epoch":
            run.request_stop()
    assert records[-1] == run.records()[-1]
    assert records[-1]["reason"] == "stopped"
    assert run.status().state == "stopped"
    assert summary.row(run).epochs == 1
    assert run.weights.exists()
    for _ in train_run(run):
        pass
    assert_same(trained(CONFIG, store), run)


def test_a_stop_in_the_middle_of_an_epoch_keeps_the_newest_weights(store):
    run = store.create(dataclasses.replace(CONFIG, batch_size=16))
    for record in train_run(run):
        if record["event"] == "step":
            run.request_stop()
    assert summary.row(run).epochs == 0
    assert run.weights.exists()


def test_a_stop_before_the_start_is_obeyed(store):
    run = store.create(CONFIG)
    run.request_stop()
    assert [record["event"] for record in train_run(run)] == ["start", "end"]
    assert run.status().state == "stopped"
    assert not run.stop_requested()


def test_an_abandoned_training_is_stopped(store):
    run = store.create(CONFIG)
    training = train_run(run)
    next(training)
    training.close()
    assert run.status().state == "stopped"


def test_a_training_that_cannot_begin_says_why(store, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file"))
    run = store.create(TrainConfig(device="cpu"))
    with pytest.raises(DatasetError):
        next(train_run(run))
    assert run.status().state == "failed"
    assert "cannot be saved" in run.status().message


def test_a_worker_process_that_fails_says_why_in_the_runs_folder(store, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file"))
    run = store.create(TrainConfig(device="cpu"))
    child = worker.start(run)
    assert child.wait(60) == 2
    child.communicate()
    assert run.status().state == "failed"
    assert "Traceback" not in run.log.read_text()


def test_divergence_is_the_runs_end(store):
    run = store.create(dataclasses.replace(CONFIG, optimizer="sgd", lr=100.0, weight_decay=1.0))
    *_, end = train_run(run)
    assert end["reason"] == run.status().state == "diverged"
    assert "learning rate" in run.status().message
    assert all(value.isfinite().all() for value in load_file(run.weights).values())
    with pytest.raises(RunError, match="has diverged"):
        next(train_run(run))


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_too_little_memory_is_said(store, monkeypatch, error):
    def fit(*_, **__):
        raise error
        yield

    monkeypatch.setattr(trainer, "fit", fit)
    run = store.create(CONFIG)
    with pytest.raises(RunError, match="more memory than there is"):
        next(train_run(run))
    assert run.status().state == "failed"


def test_a_damaged_state_is_said(store):
    run = store.create(CONFIG)
    for record in train_run(run):
        if record["event"] == "epoch":
            run.request_stop()
    run.state.write_bytes(run.state.read_bytes()[:-10])
    with pytest.raises(RunError, match=r"cannot go on, as .*state\.safetensors is damaged"):
        next(train_run(run))


def test_a_state_at_the_end_without_a_checkpoint_is_said(store):
    """As the first version wrote it, which kept none."""
    run = store.create(CONFIG)
    for record in train_run(run):
        if record["event"] == "epoch" and record["epoch"] == CONFIG.epochs:
            old = Run(store.folder / "old")
            shutil.copytree(run.path, old.path)
    early = load_file(old.state)
    early = {name: value for name, value in early.items() if not name.startswith(("best.", "checkpoint"))}
    save_file(early, old.state)
    with pytest.raises(RunError, match="no checkpoint to choose: an earlier version"):
        list(train_run(old))
    assert old.status().state == "failed"
    assert "earlier version" in old.status().message


class InThread:
    """A training in a thread, which asks for `request` behind the record number `moment`."""

    def __init__(self, run: Run, moment: int, request) -> None:
        self.records = []
        self._this, self._moment, self._request = run, moment, request
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def _train(self) -> None:
        for record in train_run(self._this, report_every=3):
            self.records.append(record)
            if len(self.records) == self._moment:
                self._request()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("moment", [1, 2, 6, 8])  # the start, in an epoch, at its end, in the next one
def test_a_pause_is_obeyed_and_changes_nothing(store, moment):
    run = store.create(CONFIG)
    training = InThread(run, moment, run.request_pause)
    wait_until(lambda: run.status().state == "paused")
    at_pause = (run.path / "metrics.jsonl").read_bytes()
    assert len(run.records()) == moment
    assert run.weights.exists()
    time.sleep(0.2)
    assert run.status().state == "paused"
    assert (run.path / "metrics.jsonl").read_bytes() == at_pause
    run.end_pause()
    training.join()
    assert run.status().state == "finished"
    uninterrupted = store.create(CONFIG)
    for _ in train_run(uninterrupted, report_every=3):
        pass
    assert_same(uninterrupted, run)


def test_a_pause_before_the_start_is_obeyed(store):
    run = store.create(CONFIG)
    run.request_pause()
    training = InThread(run, 0, None)
    wait_until(lambda: run.status().state == "paused")
    assert [record["event"] for record in run.records()] == ["start"]
    run.end_pause()
    training.join()
    assert run.status().state == "finished"


def test_a_stop_while_paused_is_obeyed_and_can_be_resumed(store):
    run = store.create(CONFIG)
    training = InThread(run, 8, run.request_pause)
    wait_until(lambda: run.status().state == "paused")
    run.request_stop()
    training.join()
    assert training.records[-1] == run.records()[-1]
    assert training.records[-1]["reason"] == run.status().state == "stopped"
    assert not run.pause_requested()
    assert not run.stop_requested()
    for _ in train_run(run, report_every=3):
        pass
    uninterrupted = store.create(CONFIG)
    for _ in train_run(uninterrupted, report_every=3):
        pass
    assert_same(uninterrupted, run)


def test_a_learning_rate_asked_for_is_recorded_and_applied(store):
    run = store.create(dataclasses.replace(CONFIG, schedule="constant"))
    training = train_run(run, report_every=3)
    for record in training:
        if record["event"] == "step" and record["step"] == 6:
            run.request_lr(0.002)
            break
    assert next(training) == {"event": "lr", "step": 6, "lr": 0.002}
    assert run.lr_requested() is None
    for _ in training:
        pass
    changes = [record for record in run.records() if record["event"] == "lr"]
    assert changes == [{"event": "lr", "step": 6, "lr": 0.002}]
    lrs = {record["step"]: record["lr"] for record in run.records() if record["event"] == "step"}
    assert {lr for step, lr in lrs.items() if step <= 6} == {CONFIG.lr}
    assert {lr for step, lr in lrs.items() if step > 6} == {0.002}
    assert run.config().lr == CONFIG.lr


def test_a_changed_learning_rate_outlives_a_kill(store):
    run = store.create(dataclasses.replace(CONFIG, schedule="constant"))
    for record in train_run(run):
        if record["event"] == "step":
            run.request_lr(0.002)
        if record["event"] == "epoch" and record["epoch"] == 2:
            killed = Run(store.folder / "killed")
            shutil.copytree(run.path, killed.path)
    for _ in train_run(killed):
        pass
    steps = [record for record in killed.records() if record["event"] == "step"]
    assert [record["lr"] for record in steps if record["epoch"] > 1] == [0.002] * 2
    a, b = load_file(run.weights), load_file(killed.weights)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_learning_rate_asked_for_before_the_start_is_applied(store):
    run = store.create(dataclasses.replace(CONFIG, schedule="constant"))
    run.request_lr(0.002)
    for _ in train_run(run):
        pass
    assert [record["event"] for record in run.records()[:2]] == ["start", "lr"]
    assert {record["lr"] for record in run.records() if record["event"] == "step"} == {0.002}


def test_a_damaged_learning_rate_ends_the_run_with_its_reason(store):
    run = store.create(CONFIG)
    training = train_run(run)
    next(training)
    (run.path / "lr").write_text("fast")
    with pytest.raises(RunError, match="holds no learning rate"):
        next(training)
    assert run.status().state == "failed"
    assert "holds no learning rate" in run.status().message


def test_there_are_weights_to_answer_with_from_the_start(store):
    run = store.create(CONFIG)
    training = train_run(run)
    assert next(training)["event"] == "start"
    published, first = load_file(run.weights), TrainState.of(CONFIG).model.state_dict()
    assert published.keys() == first.keys()
    assert all(torch.equal(published[name], first[name]) for name in first)
    training.close()


def test_weights_are_published_within_an_epoch(store, monkeypatch):
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_EVERY", 0.0)
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_SHARE", math.inf)
    run = store.create(CONFIG)
    seen = []
    for record in train_run(run, report_every=3):
        if record["event"] == "epoch":
            break
        seen.append(load_file(run.weights))
    assert len(seen) == 5
    for before, after in itertools.pairwise(seen):
        assert not any(torch.equal(before[name], after[name]) for name in before)


def test_weights_say_of_which_step_they_are(store, monkeypatch):
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_EVERY", math.inf)  # at the start and at epochs' ends alone
    run = store.create(CONFIG)
    published = 0
    for record in train_run(run, report_every=3):
        if record["event"] in ("epoch", "end"):
            published = record["step"]
        assert weights.step_of(run.weights) == published
