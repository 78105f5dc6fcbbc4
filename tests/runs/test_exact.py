"""However a training is interrupted, it ends as if it had not been: weights to the bit, curves to the point."""

import dataclasses
import itertools
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys

import pytest
import safetensors.torch

from mnist_core import device
from mnist_core.config import TrainConfig
from mnist_core.runs.metrics_file import Recorder
from mnist_core.runs.run import Run
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from tests.conftest import curves, wait_until

# with dropout and augmentation, so that every kind of randomness must be found again
CONFIG = TrainConfig(data="sample", hidden=(8,), dropout=0.2, augment="affine", epochs=3, batch_size=64, device="cpu")
SETTINGS = [
    {},
    {"optimizer": "momentum", "lr": 0.05, "schedule": "constant", "background": 0.1},
    {"model": "cnn", "hidden": (64,), "width": 4, "augment": "none", "dropout": 0.0, "batch_size": 256},
]
DIVERGING = {"optimizer": "sgd", "lr": 20.0, "schedule": "one-cycle", "weight_decay": 1.0}
OF_A_FINISHED_RUN = {
    *("config.json", "metrics.jsonl", "status.json", "lock"),
    *("weights.safetensors", "first_layer.safetensors", "snapshots.safetensors"),
}


def train(run: Run) -> Run:
    for _ in train_run(run, report_every=3):
        pass
    return run


def assert_as_uninterrupted(run: Run, whole: Run) -> None:
    assert run.status().state == whole.status().state
    for name in ("weights.safetensors", "first_layer.safetensors", "snapshots.safetensors"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert curves(run) == curves(whole)
    steps = [record["step"] for record in run.records() if record["event"] == "step"]
    assert all(before < after for before, after in itertools.pairwise(steps))
    # the state is left where it was killed between the last word and its removal
    assert {path.name for path in run.path.iterdir()} - {"state.safetensors", "log.txt"} == OF_A_FINISHED_RUN


class Watch:
    """Copies a run's folder as a process would leave it that is killed at its file operation number `moment`.

    An operation is each half of what is written, and each renaming and removal; `count` is how many there were.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, run: Run, moments: dict[int, Run]) -> None:
        self.count = 0
        self._path, self._moments = run.path, moments
        save_file, write_text, append = safetensors.torch.save_file, pathlib.Path.write_text, Recorder.append
        replace, unlink = os.replace, pathlib.Path.unlink

        def half_tensors(tensors, path, metadata):
            save_file(tensors, path, metadata)
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2])
            self._look()
            path.write_bytes(data)
            self._look()

        def half_text(path, data, **options):
            write_text(path, data[: len(data) // 2], **options)
            self._look()
            write_text(path, data, **options)
            self._look()

        def half_record(recorder, record):
            before = (run.path / "metrics.jsonl").stat().st_size
            append(recorder, record)
            after = (run.path / "metrics.jsonl").stat().st_size
            self._look(cut=(after - before) // 2)
            self._look()

        def look_replace(*arguments):
            replace(*arguments)
            self._look()

        def look_unlink(path, **options):
            unlink(path, **options)
            self._look()

        monkeypatch.setattr(safetensors.torch, "save_file", half_tensors)
        monkeypatch.setattr(pathlib.Path, "write_text", half_text)
        monkeypatch.setattr(pathlib.Path, "unlink", look_unlink)
        monkeypatch.setattr(os, "replace", look_replace)
        monkeypatch.setattr(Recorder, "append", half_record)

    def _look(self, cut: int = 0) -> None:
        self.count += 1
        if copy := self._moments.pop(self.count, None):
            shutil.copytree(self._path, copy.path)
            if cut:
                metrics = copy.path / "metrics.jsonl"
                os.truncate(metrics, metrics.stat().st_size - cut)


@pytest.mark.parametrize(
    ("settings", "tried"),
    [
        pytest.param(SETTINGS[0], 30, marks=pytest.mark.slow),
        (SETTINGS[1], 8),
        (SETTINGS[2], 8),
        (DIVERGING, 12),
    ],
)
def test_a_kill_at_any_file_operation_changes_nothing(store, monkeypatch, settings, tried):
    """Also one that comes while the run goes on from an earlier one."""
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_EVERY", 0.0)
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_SHARE", math.inf)
    config = dataclasses.replace(CONFIG, **settings)
    moments = random.Random(0)  # noqa: S311
    with monkeypatch.context() as patch:
        watch = Watch(patch, whole := store.create(config), {})
        train(whole)
    assert watch.count > 20
    first = {
        moment: Run(store.folder / f"first-{moment}") for moment in moments.sample(range(1, watch.count + 1), tried)
    }
    with monkeypatch.context() as patch:
        Watch(patch, run := store.create(config), dict(first))
        train(run)
    for moment, killed in first.items():
        second = Run(store.folder / f"second-{moment}")
        monkeypatch.setattr(
            "mnist_core.runs.training.PUBLISH_EVERY", moments.choice([0.0, math.inf])
        )  # which goes by the clock
        monkeypatch.setattr("mnist_core.runs.training.PUBLISH_SHARE", math.inf)
        if killed.status().state.is_resumable or killed.status().state == "waiting":
            with monkeypatch.context() as patch:
                Watch(patch, killed, {moments.randrange(1, watch.count): second})
                train(killed)
        assert_as_uninterrupted(killed, whole)
        if second.path.exists():
            if second.status().state.is_resumable:
                train(second)
            assert_as_uninterrupted(second, whole)


@pytest.mark.slow
def test_processes_killed_stopped_and_paused_at_random_change_nothing(store):
    whole, *others = [store.create(dataclasses.replace(CONFIG, epochs=8)) for _ in range(4)]
    command = [sys.executable, "-m", "tests.runs.killing", "12", *(str(run.path) for run in (whole, *others))]
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert len(done) > 12
    for run in others:
        run.clear_requests()  # what was asked of it when it had just finished
        assert_as_uninterrupted(run, whole)


def test_a_power_cut_finds_every_record_of_a_state_and_of_an_end(store, monkeypatch):
    """What is renamed outlasts a power cut only once it is on the disk, and so must all be that it builds on."""
    run = store.create(CONFIG)
    synced: dict[int, int] = {}  # bytes on the disk by a file's number
    looked_at = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor):
        fsync(descriptor)
        synced[os.fstat(descriptor).st_ino] = os.fstat(descriptor).st_size

    def looking_replace(source, target):
        name = pathlib.Path(target).name
        metrics = run.path / "metrics.jsonl"
        if name == run.state.name or (name == "status.json" and '"finished"' in pathlib.Path(source).read_text()):
            looked_at.append(name)
            for path in (pathlib.Path(source), metrics):
                assert synced[path.stat().st_ino] == path.stat().st_size
        if name == "status.json" and len(looked_at) == 4:
            assert synced[run.weights.stat().st_ino] == run.weights.stat().st_size
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", looking_replace)
    train(run)
    assert looked_at == [run.state.name] * CONFIG.epochs + ["status.json"]


def test_abandoned_generators_change_nothing(store):
    whole, run = train(store.create(CONFIG)), store.create(CONFIG)
    moments = random.Random(0)  # noqa: S311
    for _ in range(40):
        training = train_run(run, report_every=3)
        for _ in range(moments.randrange(1, 14)):
            if next(training, None) is None:
                break
        else:
            training.close()
            assert run.status().state == "stopped" or run.status().state == "finished"
        if run.status().state == "finished":
            break
    assert [record["event"] for record in run.records()].count("resume") > 0
    assert_as_uninterrupted(run, whole)


@pytest.mark.slow
def test_the_line_of_a_killed_server_is_taken_up_by_the_next(store):
    runs = [store.create(dataclasses.replace(CONFIG, epochs=epochs)) for epochs in (40, 3)]
    server = subprocess.Popen([sys.executable, "-m", "tests.runs.server", "1"], stdin=subprocess.PIPE, text=True)
    for run in runs:
        server.stdin.write(f"submit {run.path}\n")
        server.stdin.flush()
    wait_until(runs[0].state.exists)
    server.kill()
    server.communicate()
    wait_until(lambda: all(run.status().state == "interrupted" for run in runs))  # what waits has seconds of grace
    these = Workers(1)
    try:
        for run in runs:
            these.submit(run)
        wait_until(lambda: all(run.status().state == "finished" for run in runs), seconds=180)
    finally:
        these.close()
    for run in runs:
        whole = store.create(run.config())
        for _ in train_run(whole):
            pass
        assert_as_uninterrupted(run, whole)
    assert [record["event"] for record in runs[0].records()].count("resume") == 1


def test_a_run_goes_on_with_the_number_of_threads_it_started_with(store, monkeypatch):
    config = dataclasses.replace(CONFIG, **SETTINGS[2] | {"width": 32})
    monkeypatch.setattr(device, "cores", lambda: 2)
    runs = [store.create(config) for _ in range(3)]
    with monkeypatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "2")
        whole = train(runs[0])
        for run in runs[1:]:
            for record in train_run(run, report_every=3):
                if record["event"] == "epoch":
                    run.request_stop()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert_as_uninterrupted(train(runs[1]), whole)
    monkeypatch.setattr(device, "cores", lambda: 1)
    train(runs[2])
    used = [[r["environment"]["threads"] for r in run.records() if r["event"] in ("start", "resume")] for run in runs]
    assert used == [[2], [2, 2], [2, 1]]


def test_a_learning_rate_that_was_changed_is_kept_by_a_kill_in_the_same_epoch(store):
    run = store.create(dataclasses.replace(CONFIG, schedule="constant"))
    training = train_run(run, report_every=3)
    for record in training:
        if record["event"] == "step" and record["epoch"] == 2:
            run.request_lr(0.002)
        if record["event"] == "lr":
            killed = Run(store.folder / "killed")
            shutil.copytree(run.path, killed.path)
            break
    training.close()
    epoch_end = next(record["step"] for record in killed.records() if record["event"] == "epoch")
    train(killed)
    assert [record for record in killed.records() if record["event"] == "lr"] == [
        {"event": "lr", "step": epoch_end, "lr": 0.002}
    ]
    rates = {record["lr"] for record in killed.records() if record["event"] == "step" and record["epoch"] > 1}
    assert rates == {0.002}
