import dataclasses
import itertools
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from mnist_core.runs import run, summary, worker

from mnist_core import trainer
from mnist_core.config import TrainConfig
from mnist_core.errors import DatasetError, RunError
from mnist_core.runs.run import Run
from mnist_core.state import TrainState
from tests.conftest import curves, wait_until

# with dropout and augmentation, so that every kind of randomness must be found again
CONFIG = TrainConfig(data="sample", hidden=(16,), dropout=0.2, augment="affine", epochs=3, device="cpu")


def trained(config: TrainConfig, runs_dir: pathlib.Path) -> Run:
    this = run.create(config, runs_dir)
    for _ in worker.train(this):
        pass
    return this


def assert_same(one: Run, other: Run) -> None:
    """The same weights to the bit, and the same curves but for times and for the note that one was resumed."""
    a, b = load_file(one.weights), load_file(other.weights)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert curves(one) == curves(other)


def test_a_finished_run_has_all_it_needs_and_no_more(runs_dir):
    this = trained(CONFIG, runs_dir)
    assert this.status().state == "finished"
    names = {path.name for path in this.path.iterdir()}
    weights = {"weights.safetensors", "first_layer.safetensors"}
    assert names == {"config.json", "metrics.jsonl", "status.json", "lock", *weights}
    assert this.records()[-1]["reason"] == "finished"
    assert summary.row(this).epochs == 3
    with pytest.raises(RunError, match="has finished"):
        next(worker.train(this))


def test_whatever_a_kill_leaves_behind_is_resumed_to_the_bit(runs_dir):
    """At every record, the folder is copied as a process killed right then would leave it."""
    this = run.create(CONFIG, runs_dir)
    left_behind = []
    for record in worker.train(this, report_every=3):
        copy = Run(runs_dir / f"copy-{len(left_behind)}")
        shutil.copytree(this.path, copy.path)
        with open(copy.path / "metrics.jsonl", "a") as metrics:
            metrics.write('{"event": "step", "lo')  # and in the middle of writing a line
        if record["event"] != "end":
            assert copy.status().state == "interrupted"
            left_behind.append(copy)
    assert len(left_behind) == 1 + 3 * (4 + 1)
    for copy in left_behind:
        for _ in worker.train(copy, report_every=3):
            pass
        assert copy.status().state == "finished"
        assert_same(this, copy)


def wait_until_or_ended(condition, child: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: condition() or child.poll() is not None)
    assert condition(), "the worker ended early"


def test_a_worker_ends_with_its_parent(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, epochs=1000), runs_dir)
    script = (
        "import pathlib, time; from mnist_core.runs import worker; from mnist_core.runs.run import Run\n"
        f"child = worker.start(Run(pathlib.Path({str(this.path)!r}))); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_until_or_ended(lambda: this.status().state == "running", parent)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not this.is_locked())  # the lock is gone only when the worker is
    assert this.status().state == "interrupted"


def test_a_stop_is_obeyed_and_can_be_resumed(runs_dir):
    this = run.create(CONFIG, runs_dir)
    records = []
    for record in worker.train(this):
        records.append(record)
        if record["event"] == "epoch":
            this.request_stop()
    assert records[-1] == this.records()[-1]
    assert records[-1]["reason"] == "stopped"
    assert this.status().state == "stopped"
    assert summary.row(this).epochs == 1
    assert this.weights.exists()
    for _ in worker.train(this):
        pass
    assert_same(trained(CONFIG, runs_dir), this)


def test_a_stop_in_the_middle_of_an_epoch_keeps_the_newest_weights(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, batch_size=16), runs_dir)
    for record in worker.train(this):
        if record["event"] == "step":
            this.request_stop()
    assert summary.row(this).epochs == 0
    assert this.weights.exists()


def test_a_stop_before_the_start_is_obeyed(runs_dir):
    this = run.create(CONFIG, runs_dir)
    this.request_stop()
    assert [record["event"] for record in worker.train(this)] == ["start", "end"]
    assert this.status().state == "stopped"
    assert not this.stop_requested()


def test_an_abandoned_training_is_stopped(runs_dir):
    this = run.create(CONFIG, runs_dir)
    training = worker.train(this)
    next(training)
    training.close()
    assert this.status().state == "stopped"


def test_a_training_that_cannot_begin_says_why(runs_dir, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file"))
    this = run.create(TrainConfig(device="cpu"), runs_dir)
    with pytest.raises(DatasetError):
        next(worker.train(this))
    assert this.status().state == "failed"
    assert "cannot be saved" in this.status().message


def test_a_worker_process_that_fails_says_why_in_the_runs_folder(runs_dir, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file"))
    this = run.create(TrainConfig(device="cpu"), runs_dir)
    child = worker.start(this)
    assert child.wait(60) == 2
    child.communicate()
    assert this.status().state == "failed"
    assert "Traceback" not in this.log.read_text()


def test_divergence_is_the_runs_end(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, optimizer="sgd", lr=100.0, weight_decay=1.0), runs_dir)
    *_, end = worker.train(this)
    assert end["reason"] == this.status().state == "diverged"
    assert "learning rate" in this.status().message
    assert all(value.isfinite().all() for value in load_file(this.weights).values())
    with pytest.raises(RunError, match="has diverged"):
        next(worker.train(this))


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_too_little_memory_is_said(runs_dir, monkeypatch, error):
    def fit(*_, **__):
        raise error
        yield

    monkeypatch.setattr(trainer, "fit", fit)
    this = run.create(CONFIG, runs_dir)
    with pytest.raises(RunError, match="more memory than there is"):
        next(worker.train(this))
    assert this.status().state == "failed"


def test_a_damaged_state_is_said(runs_dir):
    this = run.create(CONFIG, runs_dir)
    for record in worker.train(this):
        if record["event"] == "epoch":
            this.request_stop()
    this.state.write_bytes(this.state.read_bytes()[:-10])
    with pytest.raises(RunError, match=r"cannot go on, as .*state\.safetensors is damaged"):
        next(worker.train(this))


def test_a_state_at_the_end_without_a_checkpoint_is_said(runs_dir):
    """As the first version wrote it, which kept none."""
    this = run.create(CONFIG, runs_dir)
    for record in worker.train(this):
        if record["event"] == "epoch" and record["epoch"] == CONFIG.epochs:
            old = Run(runs_dir / "old")
            shutil.copytree(this.path, old.path)
    tensors = {name: value for name, value in load_file(old.state).items() if not name.startswith("best.")}
    save_file(tensors, old.state)
    with pytest.raises(RunError, match="no checkpoint to choose: an earlier version"):
        list(worker.train(old))
    assert old.status().state == "failed"
    assert "earlier version" in old.status().message


class InThread:
    """A training in a thread, which asks for `request` behind the record number `moment`."""

    def __init__(self, this: Run, moment: int, request) -> None:
        self.records = []
        self._this, self._moment, self._request = this, moment, request
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def _train(self) -> None:
        for record in worker.train(self._this, report_every=3):
            self.records.append(record)
            if len(self.records) == self._moment:
                self._request()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("moment", [1, 2, 6, 8])  # the start, in an epoch, at its end, in the next one
def test_a_pause_is_obeyed_and_changes_nothing(runs_dir, moment):
    this = run.create(CONFIG, runs_dir)
    training = InThread(this, moment, this.request_pause)
    wait_until(lambda: this.status().state == "paused")
    at_pause = (this.path / "metrics.jsonl").read_bytes()
    assert len(this.records()) == moment
    assert this.weights.exists()
    time.sleep(0.2)
    assert this.status().state == "paused"
    assert (this.path / "metrics.jsonl").read_bytes() == at_pause
    this.end_pause()
    training.join()
    assert this.status().state == "finished"
    uninterrupted = run.create(CONFIG, runs_dir)
    for _ in worker.train(uninterrupted, report_every=3):
        pass
    assert_same(uninterrupted, this)


def test_a_pause_before_the_start_is_obeyed(runs_dir):
    this = run.create(CONFIG, runs_dir)
    this.request_pause()
    training = InThread(this, 0, None)
    wait_until(lambda: this.status().state == "paused")
    assert [record["event"] for record in this.records()] == ["start"]
    this.end_pause()
    training.join()
    assert this.status().state == "finished"


def test_a_stop_while_paused_is_obeyed_and_can_be_resumed(runs_dir):
    this = run.create(CONFIG, runs_dir)
    training = InThread(this, 8, this.request_pause)
    wait_until(lambda: this.status().state == "paused")
    this.request_stop()
    training.join()
    assert training.records[-1] == this.records()[-1]
    assert training.records[-1]["reason"] == this.status().state == "stopped"
    assert not this.pause_requested()
    assert not this.stop_requested()
    for _ in worker.train(this, report_every=3):
        pass
    uninterrupted = run.create(CONFIG, runs_dir)
    for _ in worker.train(uninterrupted, report_every=3):
        pass
    assert_same(uninterrupted, this)


def test_a_learning_rate_asked_for_is_recorded_and_applied(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, schedule="constant"), runs_dir)
    training = worker.train(this, report_every=3)
    for record in training:
        if record["event"] == "step" and record["step"] == 6:
            this.request_lr(0.002)
            break
    assert next(training) == {"event": "lr", "step": 6, "lr": 0.002}
    assert this.lr_requested() is None
    for _ in training:
        pass
    changes = [record for record in this.records() if record["event"] == "lr"]
    assert changes == [{"event": "lr", "step": 6, "lr": 0.002}]
    lrs = {record["step"]: record["lr"] for record in this.records() if record["event"] == "step"}
    assert {lr for step, lr in lrs.items() if step <= 6} == {CONFIG.lr}
    assert {lr for step, lr in lrs.items() if step > 6} == {0.002}
    assert this.config().lr == CONFIG.lr


def test_a_changed_learning_rate_outlives_a_kill(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, schedule="constant"), runs_dir)
    for record in worker.train(this):
        if record["event"] == "step":
            this.request_lr(0.002)
        if record["event"] == "epoch" and record["epoch"] == 2:
            killed = Run(runs_dir / "killed")
            shutil.copytree(this.path, killed.path)
    for _ in worker.train(killed):
        pass
    steps = [record for record in killed.records() if record["event"] == "step"]
    assert [record["lr"] for record in steps if record["epoch"] > 1] == [0.002] * 2
    a, b = load_file(this.weights), load_file(killed.weights)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_learning_rate_asked_for_before_the_start_is_applied(runs_dir):
    this = run.create(dataclasses.replace(CONFIG, schedule="constant"), runs_dir)
    this.request_lr(0.002)
    for _ in worker.train(this):
        pass
    assert [record["event"] for record in this.records()[:2]] == ["start", "lr"]
    assert {record["lr"] for record in this.records() if record["event"] == "step"} == {0.002}


def test_a_damaged_learning_rate_ends_the_run_with_its_reason(runs_dir):
    this = run.create(CONFIG, runs_dir)
    training = worker.train(this)
    next(training)
    (this.path / "lr").write_text("fast")
    with pytest.raises(RunError, match="holds no learning rate"):
        next(training)
    assert this.status().state == "failed"
    assert "holds no learning rate" in this.status().message


def test_there_are_weights_to_answer_with_from_the_start(runs_dir):
    this = run.create(CONFIG, runs_dir)
    training = worker.train(this)
    assert next(training)["event"] == "start"
    published, first = load_file(this.weights), TrainState.of(CONFIG).model.state_dict()
    assert published.keys() == first.keys()
    assert all(torch.equal(published[name], first[name]) for name in first)
    training.close()


def test_weights_are_published_within_an_epoch(runs_dir, monkeypatch):
    monkeypatch.setattr(worker, "PUBLISH_EVERY", 0.0)
    this = run.create(CONFIG, runs_dir)
    seen = []
    for record in worker.train(this, report_every=3):
        if record["event"] == "epoch":
            break
        seen.append(load_file(this.weights))
    assert len(seen) == 5
    for before, after in itertools.pairwise(seen):
        assert not any(torch.equal(before[name], after[name]) for name in before)
