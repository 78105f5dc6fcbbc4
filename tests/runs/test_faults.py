"""What can go wrong around a run: each is a clear sentence, harms no other run, and leaves readable what was saved."""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import threading

import pytest
from safetensors.torch import load_file, save_file

from mnist_core import weights
from mnist_core.errors import ModelError, RunError
from mnist_core.reading import catalog, predictor
from mnist_core.runs import status, summary, worker
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from tests.conftest import wait_until
from tests.runs.test_exact import CONFIG, assert_as_uninterrupted, train

SLOW = dataclasses.replace(CONFIG, epochs=1_000)


@pytest.fixture
def one_worker():
    these = Workers(1)
    yield these
    these.close()


def contents(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def train_until(run: Run, event: str, epoch: int):
    """A training that has just reported `event` in that epoch, to go on with."""
    training = train_run(run, report_every=3)
    for record in training:
        if record["event"] == event and record["epoch"] == epoch:
            return training
    raise AssertionError("it has ended early")


# The disk is full


class SmallDisk:
    """A file system of its own in memory, as small as a few runs."""

    full = "No space left on device"

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a small disk")

    def fill(self, run: Run, left: int) -> None:
        with contextlib.suppress(OSError), open(self.folder / "ballast", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "ballast").unlink()

    def close(self) -> None:
        unmounting = ["umount", "-l", str(self.folder)]
        subprocess.run(unmounting, check=True)


class Quota:
    """A limit to the length of what this process may write, as a quota sets it; any user may have one."""

    full = "File too large"

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, run: Run, left: int) -> None:
        length = (run.path / "metrics.jsonl").stat().st_size + left
        resource.setrlimit(resource.RLIMIT_FSIZE, (length, self._before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)

    close = free


@pytest.fixture(params=[SmallDisk, Quota])
def disk(request, tmp_path):
    (tmp_path / "disk").mkdir()
    disk = request.param(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.mark.parametrize("written", ["weights", "metrics"])
def test_a_full_disk_ends_the_run_with_a_sentence_and_loses_no_epoch(disk, store, monkeypatch, written):
    monkeypatch.setattr(
        "mnist_core.runs.training.PUBLISH_EVERY", float("inf")
    )  # but for the first: what comes next is up to the test
    # few reports in an epoch, so that the next weights are written soon, or many
    config = dataclasses.replace(CONFIG, batch_size=256 if written == "weights" else 8)
    whole, other, run = train(store.create(config)), *(RunStore(disk.folder).create(config) for _ in range(2))
    before = contents(train(other))
    training = train_until(run, "step", 2)
    disk.fill(run, left=9_000 if written == "weights" else 300)
    with pytest.raises(RunError, match=rf"cannot be saved in {run.path}: the disk is full \({disk.full}\): free some"):
        list(training)
    metrics = (run.path / "metrics.jsonl").read_bytes()
    if isinstance(disk, Quota):  # on a small disk, a line may end where a block does
        assert metrics.endswith(b"\n") == (written == "weights")
    assert run.status().state in ("failed", "interrupted")
    if run.status().state == "failed":
        assert f"in {run.path}: the disk is full" in run.status().message
    assert run.status().state.is_resumable
    assert load_file(run.weights).keys() == load_file(whole.weights).keys()
    assert summary.row(run).epochs == (2 if written == "weights" else 1)
    assert not list(run.path.glob(".*"))
    with pytest.raises(RunError, match="the disk is full"):  # and once more, with the disk still full
        list(train_run(run, report_every=3))
    assert summary.row(run).epochs in (1, 2)
    disk.free()
    assert contents(other) == before
    train(run)
    assert_as_uninterrupted(run, whole)


def test_a_full_disk_refuses_a_new_run_and_leaves_no_half_of_it(disk):
    run = RunStore(disk.folder).create(CONFIG)
    (run.path / "metrics.jsonl").touch()
    disk.fill(run, left=10)
    with pytest.raises(RunError, match=r"cannot be saved in .*: the disk is full|of disk in .*, and 0 kB are free"):
        RunStore(disk.folder).create(CONFIG)
    with pytest.raises(RunError, match=r"cannot be named in .*: the disk is full"):
        run.set_about(name="Seven")
    assert RunStore(disk.folder).runs() == [run]
    assert len([path for path in disk.folder.iterdir() if path.is_dir()]) == 1
    assert run.about().name == ""
    disk.free()


@pytest.mark.slow
def test_a_process_on_a_full_disk_lets_the_next_in(tmp_path, store, one_worker):
    (tmp_path / "disk").mkdir()
    disk = SmallDisk(tmp_path / "disk")
    try:
        run, after = RunStore(disk.folder).create(SLOW), store.create(CONFIG)
        one_worker.submit(run)
        one_worker.submit(after)
        wait_until(run.state.exists)
        disk.fill(run, 0)
        wait_until(lambda: after.status().state == "finished")
        assert run.status().state.is_resumable
    finally:
        disk.close()


# The folder is read-only


def test_a_read_only_folder_is_said_whatever_is_asked_and_all_is_shown(readable, one_worker):
    folder, read_only = readable
    finished, stopped = train(RunStore(folder).create(CONFIG)), RunStore(folder).create(CONFIG)
    train_until(stopped, "step", 2).close()
    before = contents(finished), contents(stopped)
    with read_only():
        for ask in (
            lambda: RunStore(folder).create(CONFIG),
            lambda: next(train_run(stopped)),
            lambda: worker.start(stopped),
            lambda: one_worker.submit(stopped),
            lambda: one_worker.pause(stopped),
            lambda: one_worker.stop(stopped),
            lambda: one_worker.resume(stopped),
            lambda: stopped.request_lr(0.1),
            lambda: stopped.rewind(1),
            lambda: stopped.set_about(name="Seven"),
            lambda: stopped.delete(),
            lambda: finished.delete(),
        ):
            with pytest.raises(RunError, match=r"read-only \(Permission denied\): allow this user to write there"):
                ask()
        assert not one_worker.busy()
        assert RunStore(folder).runs() == [stopped, finished]
        assert [run.status().state for run in (stopped, finished)] == ["stopped", "finished"]
        assert [summary.row(run).epochs for run in (stopped, finished)] == [1, 3]
        assert predictor.load(finished.id, RunStore(folder)).name == finished.id
        assert RunStore(folder).empty_trash() == []
    assert (contents(finished), contents(stopped)) == before


def test_what_is_looked_at_in_a_read_only_folder_is_seen_to_be_held(readable):
    folder, read_only = readable
    run, killed = RunStore(folder).create(CONFIG), RunStore(folder).create(CONFIG)
    killed.set_status(RunState.RUNNING)
    with run.locked():
        run.set_status(RunState.RUNNING)
        with read_only():
            assert run.status().state == "running"
            assert killed.status().state == "interrupted"


def test_a_run_in_line_whose_folder_becomes_read_only_leaves_the_line(readable, one_worker, store):
    folder, read_only = readable
    first, run = store.create(SLOW), RunStore(folder).create(CONFIG)
    one_worker.submit(first)
    one_worker.submit(run)
    with read_only():
        with pytest.raises(RunError, match="read-only"):
            one_worker.stop(run)
        assert one_worker.place(run) == 0
        assert not run.is_locked()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no users that files are kept from")
def test_runs_that_may_not_be_listed_are_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"runs in .*file cannot be listed: Not a directory"):
        RunStore(tmp_path / "file").runs()


# Files are damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda text, _: text + b'{"event": "step", "epo',
        lambda text, _: text + b"\0" * 512,
        lambda text, _: text + b"\0" * 512 + b"\n",
        lambda text, _: text + b'{"event": "st\0\0\0\0}\n{"event": "step"}\n',
        lambda text, epoch: text[: epoch + 20],
        lambda text, epoch: text[:epoch] + b"nonsense\n" + text[epoch:],
        # what the state needs is damaged, too: it is trained again from the start
        lambda text, epoch: text[: epoch - 30],
        lambda text, epoch: text[:200] + b"\0\0\0" + text[203:],
        lambda text, _: b"\0" * len(text),
        lambda *_: b"",
    ],
)
def test_damaged_metrics_are_read_up_to_the_damage_and_repaired_when_it_goes_on(store, damage):
    whole, run = train(store.create(CONFIG)), store.create(CONFIG)
    train_until(run, "step", 2).close()
    path = run.path / "metrics.jsonl"
    records, text = run.records(), path.read_bytes()
    path.write_bytes(damage(text, text.index(b"\n", text.index(b'"event": "epoch"')) + 1))
    assert run.records() == records[: len(run.records())]
    assert summary.row(run).epochs in (0, 1)
    history = History(path)
    history.update()
    assert not history.damage or "are damaged from byte" in history.damage
    train(run)
    assert_as_uninterrupted(run, whole)


def test_a_run_that_starts_again_as_its_records_are_damaged_says_so(store):
    run = store.create(CONFIG)
    train_until(run, "step", 2).close()
    (run.path / "metrics.jsonl").unlink()
    training = train_run(run)
    assert next(training)["event"] == "start"
    assert "trained again from its start" in run.status().message
    training.close()


@pytest.mark.parametrize(
    ("newer", "part"),
    [({"momentum": 0.9}, "no hyperparameter 'momentum'"), ({"model": "transformer"}, "must be one of softmax")],
)
def test_a_config_of_a_newer_version_is_said_and_hides_no_other(store, newer, part):
    other, run = (store.create(CONFIG) for _ in range(2))
    values = run.config().to_dict() | newer
    (run.path / "config.json").write_text(json.dumps(values))
    for ask in (
        run.config,
        lambda: next(train_run(run)),
        lambda: catalog.config_of(run.id, store),
    ):
        with pytest.raises(
            RunError, match=f"{run.id} comes from a newer version of this app: .*{part}.*Update the app"
        ):
            ask()
    assert run.status().state == "waiting"
    assert store.runs() == [run, other]
    assert summary.row(other).state == "waiting"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\0" * 100, b"[]", b'{"lr": "fast"}', b""])
def test_a_config_that_is_damaged_is_not_taken_for_a_newer_one(store, text):
    run = store.create(CONFIG)
    (run.path / "config.json").write_bytes(text)
    with pytest.raises(RunError, match=f"config of run {run.id} (is damaged|cannot be used)"):
        run.config()


def test_a_status_that_is_damaged_is_said(store):
    run = store.create(CONFIG)
    (run.path / "status.json").write_bytes(b"\0" * 80)
    with pytest.raises(RunError, match=f"status of run {run.id} is damaged"):
        run.status()
    run.delete()
    assert store.runs() == []


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_weights_that_are_cut_are_said(store, length):
    run = train(store.create(CONFIG))
    run.weights.write_bytes(run.weights.read_bytes()[:length])
    with pytest.raises(ModelError, match=r"weights .*weights\.safetensors are damaged or belong to another"):
        predictor.load(run.id, store)
    assert summary.row(run).epochs == 3


@pytest.mark.parametrize("change", [{"hidden": (9,)}, {"seed": 1}, {"lr": 0.02}])
def test_weights_and_states_of_another_run_are_refused(store, change):
    """Also where they would fit: they carry the fingerprint of the config that they were made with."""
    run, other = store.create(CONFIG), store.create(dataclasses.replace(CONFIG, **change))
    for one in (run, other):
        train_until(one, "step", 2).close()
    for name in (run.weights.name, run.state.name):
        shutil.copy(other.path / name, run.path / name)
    with pytest.raises(ModelError, match="belong to another"):
        predictor.load(run.id, store)
    with pytest.raises(RunError, match=r"cannot go on, as .*state\.safetensors is damaged or belongs to another run"):
        next(train_run(run))
    assert run.status().state == "failed"
    train(other)
    assert other.status().state == "finished"


def test_files_of_earlier_versions_have_no_fingerprint_and_are_read(store):
    whole, run = train(store.create(CONFIG)), store.create(CONFIG)
    train_until(run, "step", 2).close()
    for path in (run.weights, run.state):
        save_file(load_file(path), path)
    assert predictor.load(run.id, store).name == run.id
    train(run)
    assert_as_uninterrupted(run, whole)


def test_what_a_killed_save_left_is_removed_and_never_taken_for_data(store):
    whole, run = train(store.create(CONFIG)), store.create(CONFIG)
    train_until(run, "step", 2).close()
    names = [run.weights.name, run.state.name, "metrics.jsonl", "status.json"]
    for name in names:
        (run.path / f".{name}.0a1b2c3d").write_bytes(b"half of someth")
    (run.path / ".tmpjVvdkX").write_bytes(b"half of a tensor")  # safetensors' own, before it is renamed
    assert run.status().state == "stopped"
    training = train_run(run, report_every=3)
    next(training)
    assert not list(run.path.glob(".*"))
    list(training)
    assert_as_uninterrupted(run, whole)


# The folder is deleted


@pytest.mark.parametrize("event", ["start", "step", "epoch"])
def test_a_training_whose_folder_is_deleted_ends_and_makes_no_new_one(store, monkeypatch, event):
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_EVERY", 0.0)
    monkeypatch.setattr("mnist_core.runs.training.PUBLISH_SHARE", math.inf)
    run = store.create(CONFIG)
    for record in (training := train_run(run, report_every=3)):
        if record["event"] == event:
            break
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match=f"{run.id} has ended, as its folder {run.path} has been deleted"):
        list(training)
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize("what", ["folder", "files", "state"])
def test_a_training_says_that_its_run_was_deleted_whatever_it_finds_first(store, monkeypatch, what):
    """Also where a file that it has just written keeps the folder from going."""
    run = store.create(dataclasses.replace(CONFIG, optimizer="sgd", lr=30.0, schedule="constant"))
    train_until(run, "step", 1).close()
    for record in (training := train_run(run, report_every=3)):
        if record["event"] == "epoch":  # after which it diverges, and its last state is looked for
            break
    if what == "state":
        saved = weights.load

        def deleted_meanwhile(path, *arguments, **named):
            shutil.rmtree(run.path)
            return saved(path, *arguments, **named)

        monkeypatch.setattr(weights, "load", deleted_meanwhile)
    else:
        shutil.rmtree(run.path)
        if what == "files":
            run.path.mkdir()
            run.log.touch()
    with pytest.raises(RunError, match=f"{run.id} has ended, as its folder {run.path} has been deleted"):
        list(training)
    assert [path.name for path in store.folder.rglob("*")] == ([run.id, "log.txt"] if what == "files" else [])


def test_a_run_that_is_deleted_while_it_is_looked_at_is_not_called_damaged(store, monkeypatch):
    run, other = store.create(CONFIG), store.create(CONFIG)
    shown = summary.Table(store)
    listed = store.runs()
    shutil.rmtree(run.path)
    for look in (run.status, run.config, run.fingerprint, lambda: next(train_run(run))):
        with pytest.raises(RunError, match=f"The run {run.id} has been deleted"):
            look()
    assert summary.row(run).message == f"The run {run.id} has been deleted."
    monkeypatch.setattr(RunStore, "runs", lambda _: listed)  # as seen just before
    assert [row.run for row in shown.rows()] == [other.id]
    (other.path / "status.json").unlink()
    with pytest.raises(RunError, match=r"has no status\.json: it is not whole"):
        other.status()


@pytest.mark.parametrize("returncode", [-9, 1])
def test_the_end_of_a_process_brings_no_deleted_folder_back(store, returncode):
    from mnist_core.runs import worker_pool

    run = store.create(CONFIG)
    shutil.rmtree(run.path)
    with contextlib.suppress(RunError):
        worker_pool._note_sudden_end(run, returncode)
    assert not run.path.exists()


def test_a_paused_training_whose_folder_is_deleted_ends(store):
    run, ends = store.create(SLOW), []
    run.request_pause()

    def trains():
        try:
            list(train_run(run))
        except RunError as error:
            ends.append(str(error))

    thread = threading.Thread(target=trains)
    thread.start()
    wait_until(lambda: run.status().state == "paused")
    run.path.rename(store.folder.parent / "elsewhere")
    thread.join(60)
    assert ends == [f"The run {run.id} has ended, as its folder {run.path} has been deleted."]
    assert not run.path.exists()


# There are two servers


class Server:
    """Another process with its own Workers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.runs.server", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, order: str, run: Run) -> None:
        self._process.stdin.write(f"{order} {run.path}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_two_servers_train_a_run_once_and_either_stops_it(store):
    run, servers = store.create(SLOW), [Server(), Server()]
    try:
        for server in servers:
            server.tell("submit", run)
        answers = [server.answer() for server in servers]
        assert sorted(answers) == ["The run " + run.id + " is being trained already, by another process.", "done"]
        loser = servers[answers.index("done") - 1]
        wait_until(lambda: run.status().state == "running")
        loser.tell("submit", run)
        assert loser.answer() == f"The run {run.id} is being trained already, by another process."
        loser.tell("pause", run)
        wait_until(lambda: run.status().state == "paused")
        loser.tell("resume", run)
        wait_until(lambda: run.status().state == "running")
        loser.tell("stop", run)
        wait_until(lambda: run.status().state == "stopped")
        assert [loser.answer() for _ in range(3)] == ["done"] * 3
    finally:
        for server in servers:
            server.close()
    assert [record["event"] for record in run.records()].count("start") == 1
    assert run.status().state == "stopped"


def test_a_run_handed_to_a_process_that_comes_up_is_not_taken(store, one_worker):
    run = store.create(CONFIG)
    run.set_status(RunState.STARTING)
    assert run.status().state == "waiting"
    with pytest.raises(RunError, match="is being trained already, by another process"):
        one_worker.submit(run)
    with pytest.raises(RunError, match="stop it before you delete it"):
        run.delete()
    assert not run.is_locked()
    assert run.status().state == "waiting"


def test_a_sudden_end_is_not_said_of_a_run_that_another_process_has_taken_up(store):
    from mnist_core.runs import worker_pool

    run = store.create(CONFIG)
    run.set_status(RunState.RUNNING)
    with run.locked(), pytest.raises(RunError, match="by another process"):
        worker_pool._note_sudden_end(run, -9)
    assert status.read_written(run.path).state == "running"


# The clock is set back


def test_a_clock_set_back_makes_nobody_wait(store):
    run = store.create(CONFIG)
    for state, expected in (("waiting", "interrupted"), ("starting", "interrupted"), ("stopped", "stopped")):
        said = {"state": state, "message": "", "since": "2999-01-01T00:00:00+00:00"}
        (run.path / "status.json").write_text(json.dumps(said))
        assert run.status().age < 0
        assert run.status().state == expected
    with run.locked():
        (run.path / "status.json").write_text(json.dumps(said | {"state": "running"}))
        assert run.status().state == "running"


def test_a_run_from_the_future_is_listed_taken_up_and_trained(store):
    whole, run = train(store.create(CONFIG)), store.create(CONFIG)
    train_until(run, "step", 2).close()
    for path in (run.path, *run.path.iterdir()):
        os.utime(path, (4e9, 4e9))
    future = Run(run.path.rename(store.folder / f"2999{run.id[4:]}"))
    assert store.runs() == [future, whole]
    train(future)
    assert_as_uninterrupted(future, whole)


def test_runs_made_while_the_clock_stands_still_are_told_apart_and_in_order(store, monkeypatch):
    import datetime

    class Still(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Still)
    made = [store.create(CONFIG) for _ in range(3)]
    monkeypatch.undo()
    assert sorted(run.id for run in store.runs()) == sorted({run.id for run in made})
    assert all(run.id.startswith("20260102-030405-mlp-") for run in made)


def test_runs_made_one_behind_the_other_are_in_this_order(store):
    made = [store.create(CONFIG) for _ in range(20)]
    assert store.runs() == made[::-1]


# There are very many


def test_thousands_of_runs_are_listed_and_looked_at_without_writing(store):
    said = {"state": "finished", "message": "", "since": "2026-01-02T03:04:05+00:00"}
    for number in range(2_000):
        folder = store.folder / f"20260102-{number:06}-mlp-0000"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(CONFIG.to_json())
        (folder / "status.json").write_text(json.dumps(said))
    listed = store.runs()
    assert [run.id[9:15] for run in listed] == [f"{number:06}" for number in reversed(range(2_000))]
    assert all(run.status().state == "finished" for run in listed)
    assert all(sorted(os.listdir(run.path)) == ["config.json", "status.json"] for run in listed)


def test_weights_say_whose_they_are(store):
    run = train(store.create(CONFIG))
    assert len(run.fingerprint()) == 64
    with pytest.raises(ModelError, match=r"weights\.safetensors belongs to another run"):
        weights.load(run.weights, "0" * 64)
