"""What can go wrong around a run: each is a clear sentence, harms no other run, and leaves readable what was saved."""

import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import threading

import pytest
from safetensors.torch import load_file, save_file

from mnist_core.reading import catalog, predictor

from mnist_core.runs import run, status, summary, worker

from mnist_core import weights
from mnist_core.errors import ModelError, RunError
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.worker_pool import Workers
from tests.conftest import wait_until
from tests.runs.test_exact import CONFIG, assert_as_uninterrupted, train

pytestmark = pytest.mark.usefixtures("one_thread")

SLOW = dataclasses.replace(CONFIG, epochs=1_000)


@pytest.fixture
def one_worker():
    these = Workers(1)
    yield these
    these.close()


def contents(this: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in this.path.iterdir()}


def train_until(this: Run, event: str, epoch: int):
    """A training that has just reported `event` in that epoch, to go on with."""
    training = worker.train(this, report_every=3)
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

    def fill(self, this: Run, left: int) -> None:
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

    def fill(self, this: Run, left: int) -> None:
        length = (this.path / "metrics.jsonl").stat().st_size + left
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
def test_a_full_disk_ends_the_run_with_a_sentence_and_loses_no_epoch(disk, runs_dir, monkeypatch, written):
    monkeypatch.setattr(worker, "PUBLISH_EVERY", float("inf"))  # but for the first: what comes next is up to the test
    # few reports in an epoch, so that the next weights are written soon, or many
    config = dataclasses.replace(CONFIG, batch_size=256 if written == "weights" else 8)
    whole, other, this = train(run.create(config, runs_dir)), *(run.create(config, disk.folder) for _ in range(2))
    before = contents(train(other))
    training = train_until(this, "step", 2)
    disk.fill(this, left=9_000 if written == "weights" else 300)
    with pytest.raises(RunError, match=rf"cannot be saved in {this.path}: the disk is full \({disk.full}\): free some"):
        list(training)
    metrics = (this.path / "metrics.jsonl").read_bytes()
    if isinstance(disk, Quota):  # on a small disk, a line may end where a block does
        assert metrics.endswith(b"\n") == (written == "weights")
    assert this.status().state in ("failed", "interrupted")
    if this.status().state == "failed":
        assert f"in {this.path}: the disk is full" in this.status().message
    assert this.status().is_resumable
    assert load_file(this.weights).keys() == load_file(whole.weights).keys()
    assert summary.row(this).epochs == (2 if written == "weights" else 1)
    assert not list(this.path.glob(".*"))
    with pytest.raises(RunError, match="the disk is full"):  # and once more, with the disk still full
        list(worker.train(this, report_every=3))
    assert summary.row(this).epochs in (1, 2)
    disk.free()
    assert contents(other) == before
    train(this)
    assert_as_uninterrupted(this, whole)


def test_a_full_disk_refuses_a_new_run_and_leaves_no_half_of_it(disk):
    this = run.create(CONFIG, disk.folder)
    (this.path / "metrics.jsonl").touch()
    disk.fill(this, left=10)
    with pytest.raises(RunError, match=r"cannot be saved in .*: the disk is full"):
        run.create(CONFIG, disk.folder)
    with pytest.raises(RunError, match=r"cannot be named in .*: the disk is full"):
        this.set_about(name="Seven")
    assert run.list_runs(disk.folder) == [this]
    assert len([path for path in disk.folder.iterdir() if path.is_dir()]) == 1
    assert this.about().name == ""
    disk.free()


def test_a_process_on_a_full_disk_lets_the_next_in(tmp_path, runs_dir, one_worker):
    (tmp_path / "disk").mkdir()
    disk = SmallDisk(tmp_path / "disk")
    try:
        this, after = run.create(SLOW, disk.folder), run.create(CONFIG, runs_dir)
        one_worker.submit(this)
        one_worker.submit(after)
        wait_until(this.state.exists)
        disk.fill(this, 0)
        wait_until(lambda: after.status().state == "finished")
        assert this.status().is_resumable
    finally:
        disk.close()


# The folder is read-only


def test_a_read_only_folder_is_said_whatever_is_asked_and_all_is_shown(readable, one_worker):
    folder, read_only = readable
    finished, stopped = train(run.create(CONFIG, folder)), run.create(CONFIG, folder)
    train_until(stopped, "step", 2).close()
    before = contents(finished), contents(stopped)
    with read_only():
        for ask in (
            lambda: run.create(CONFIG, folder),
            lambda: next(worker.train(stopped)),
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
        assert run.list_runs(folder) == [stopped, finished]
        assert [this.status().state for this in (stopped, finished)] == ["stopped", "finished"]
        assert [summary.row(this).epochs for this in (stopped, finished)] == [1, 3]
        assert predictor.load(finished.id, folder).name == finished.id
        assert run.empty_trash(folder) == []
    assert (contents(finished), contents(stopped)) == before


def test_what_is_looked_at_in_a_read_only_folder_is_seen_to_be_held(readable):
    folder, read_only = readable
    this, killed = run.create(CONFIG, folder), run.create(CONFIG, folder)
    killed.set_status("running")
    with this.locked():
        this.set_status("running")
        with read_only():
            assert this.status().state == "running"
            assert killed.status().state == "interrupted"


def test_a_run_in_line_whose_folder_becomes_read_only_leaves_the_line(readable, one_worker, runs_dir):
    folder, read_only = readable
    first, this = run.create(SLOW, runs_dir), run.create(CONFIG, folder)
    one_worker.submit(first)
    one_worker.submit(this)
    with read_only():
        with pytest.raises(RunError, match="read-only"):
            one_worker.stop(this)
        assert one_worker.place(this) == 0
        assert not this.is_locked()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no users that files are kept from")
def test_runs_that_may_not_be_listed_are_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"runs in .*file cannot be listed: Not a directory"):
        run.list_runs(tmp_path / "file")


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
def test_damaged_metrics_are_read_up_to_the_damage_and_repaired_when_it_goes_on(runs_dir, damage):
    whole, this = train(run.create(CONFIG, runs_dir)), run.create(CONFIG, runs_dir)
    train_until(this, "step", 2).close()
    path = this.path / "metrics.jsonl"
    records, text = this.records(), path.read_bytes()
    path.write_bytes(damage(text, text.index(b"\n", text.index(b'"event": "epoch"')) + 1))
    assert this.records() == records[: len(this.records())]
    assert summary.row(this).epochs in (0, 1)
    history = History(path)
    history.update()
    assert not history.damage or "are damaged from byte" in history.damage
    train(this)
    assert_as_uninterrupted(this, whole)


def test_a_run_that_starts_again_as_its_records_are_damaged_says_so(runs_dir):
    this = run.create(CONFIG, runs_dir)
    train_until(this, "step", 2).close()
    (this.path / "metrics.jsonl").unlink()
    training = worker.train(this)
    assert next(training)["event"] == "start"
    assert "trained again from its start" in this.status().message
    training.close()


@pytest.mark.parametrize(
    ("newer", "part"),
    [({"momentum": 0.9}, "no hyperparameter 'momentum'"), ({"model": "transformer"}, "must be one of softmax")],
)
def test_a_config_of_a_newer_version_is_said_and_hides_no_other(runs_dir, newer, part):
    other, this = (run.create(CONFIG, runs_dir) for _ in range(2))
    values = this.config().to_dict() | newer
    (this.path / "config.json").write_text(json.dumps(values))
    for ask in (
        this.config,
        lambda: next(worker.train(this)),
        lambda: catalog.config_of(this.id, runs_dir),
    ):
        with pytest.raises(
            RunError, match=f"{this.id} comes from a newer version of this app: .*{part}.*Update the app"
        ):
            ask()
    assert this.status().state == "waiting"
    assert run.list_runs(runs_dir) == [this, other]
    assert summary.row(other).state == "waiting"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\0" * 100, b"[]", b'{"lr": "fast"}', b""])
def test_a_config_that_is_damaged_is_not_taken_for_a_newer_one(runs_dir, text):
    this = run.create(CONFIG, runs_dir)
    (this.path / "config.json").write_bytes(text)
    with pytest.raises(RunError, match=f"config of run {this.id} (is damaged|cannot be used)"):
        this.config()


def test_a_status_that_is_damaged_is_said(runs_dir):
    this = run.create(CONFIG, runs_dir)
    (this.path / "status.json").write_bytes(b"\0" * 80)
    with pytest.raises(RunError, match=f"status of run {this.id} is damaged"):
        this.status()
    this.delete()
    assert run.list_runs(runs_dir) == []


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_weights_that_are_cut_are_said(runs_dir, length):
    this = train(run.create(CONFIG, runs_dir))
    this.weights.write_bytes(this.weights.read_bytes()[:length])
    with pytest.raises(ModelError, match=r"weights .*weights\.safetensors are damaged or belong to another"):
        predictor.load(this.id, runs_dir)
    assert summary.row(this).epochs == 3


@pytest.mark.parametrize("change", [{"hidden": (9,)}, {"seed": 1}, {"lr": 0.02}])
def test_weights_and_states_of_another_run_are_refused(runs_dir, change):
    """Also where they would fit: they carry the fingerprint of the config that they were made with."""
    this, other = run.create(CONFIG, runs_dir), run.create(dataclasses.replace(CONFIG, **change), runs_dir)
    for one in (this, other):
        train_until(one, "step", 2).close()
    for name in (this.weights.name, this.state.name):
        shutil.copy(other.path / name, this.path / name)
    with pytest.raises(ModelError, match="belong to another"):
        predictor.load(this.id, runs_dir)
    with pytest.raises(RunError, match=r"cannot go on, as .*state\.safetensors is damaged or belongs to another run"):
        next(worker.train(this))
    assert this.status().state == "failed"
    train(other)
    assert other.status().state == "finished"


def test_files_of_earlier_versions_have_no_fingerprint_and_are_read(runs_dir):
    whole, this = train(run.create(CONFIG, runs_dir)), run.create(CONFIG, runs_dir)
    train_until(this, "step", 2).close()
    for path in (this.weights, this.state):
        save_file(load_file(path), path)
    assert predictor.load(this.id, runs_dir).name == this.id
    train(this)
    assert_as_uninterrupted(this, whole)


def test_what_a_killed_save_left_is_removed_and_never_taken_for_data(runs_dir):
    whole, this = train(run.create(CONFIG, runs_dir)), run.create(CONFIG, runs_dir)
    train_until(this, "step", 2).close()
    names = [this.weights.name, this.state.name, "metrics.jsonl", "status.json"]
    for name in names:
        (this.path / f".{name}.0a1b2c3d").write_bytes(b"half of someth")
    assert this.status().state == "stopped"
    training = worker.train(this, report_every=3)
    next(training)
    assert not list(this.path.glob(".*"))
    list(training)
    assert_as_uninterrupted(this, whole)


# The folder is deleted


@pytest.mark.parametrize("event", ["start", "step", "epoch"])
def test_a_training_whose_folder_is_deleted_ends_and_makes_no_new_one(runs_dir, monkeypatch, event):
    monkeypatch.setattr(worker, "PUBLISH_EVERY", 0.0)
    this = run.create(CONFIG, runs_dir)
    for record in (training := worker.train(this, report_every=3)):
        if record["event"] == event:
            break
    shutil.rmtree(this.path)
    with pytest.raises(RunError, match=f"{this.id} has ended, as its folder {this.path} has been deleted"):
        list(training)
    assert list(runs_dir.iterdir()) == []


@pytest.mark.parametrize("what", ["folder", "files", "state"])
def test_a_training_says_that_its_run_was_deleted_whatever_it_finds_first(runs_dir, monkeypatch, what):
    """Also where a file that it has just written keeps the folder from going."""
    this = run.create(dataclasses.replace(CONFIG, optimizer="sgd", lr=30.0, schedule="constant"), runs_dir)
    train_until(this, "step", 1).close()
    for record in (training := worker.train(this, report_every=3)):
        if record["event"] == "epoch":  # after which it diverges, and its last state is looked for
            break
    if what == "state":
        saved = weights.load

        def deleted_meanwhile(path, *arguments):
            shutil.rmtree(this.path)
            return saved(path, *arguments)

        monkeypatch.setattr(weights, "load", deleted_meanwhile)
    else:
        shutil.rmtree(this.path)
        if what == "files":
            this.path.mkdir()
            this.log.touch()
    with pytest.raises(RunError, match=f"{this.id} has ended, as its folder {this.path} has been deleted"):
        list(training)
    assert [path.name for path in runs_dir.rglob("*")] == ([this.id, "log.txt"] if what == "files" else [])


def test_a_run_that_is_deleted_while_it_is_looked_at_is_not_called_damaged(runs_dir, monkeypatch):
    this, other = run.create(CONFIG, runs_dir), run.create(CONFIG, runs_dir)
    shown = summary.Table(runs_dir)
    listed = run.list_runs(runs_dir)
    shutil.rmtree(this.path)
    for look in (this.status, this.config, this.fingerprint, lambda: next(worker.train(this))):
        with pytest.raises(RunError, match=f"The run {this.id} has been deleted"):
            look()
    assert summary.row(this).message == f"The run {this.id} has been deleted."
    monkeypatch.setattr(summary, "list_runs", lambda _: listed)  # as seen just before
    assert [row.run for row in shown.rows()] == [other.id]
    (other.path / "status.json").unlink()
    with pytest.raises(RunError, match=r"has no status\.json: it is not whole"):
        other.status()


@pytest.mark.parametrize("returncode", [-9, 1])
def test_the_end_of_a_process_brings_no_deleted_folder_back(runs_dir, returncode):
    from mnist_core.runs import worker_pool

    this = run.create(CONFIG, runs_dir)
    shutil.rmtree(this.path)
    with contextlib.suppress(RunError):
        worker_pool._note_sudden_end(this, returncode)
    assert not this.path.exists()


def test_a_paused_training_whose_folder_is_deleted_ends(runs_dir):
    this, ends = run.create(SLOW, runs_dir), []
    this.request_pause()

    def trains():
        try:
            list(worker.train(this))
        except RunError as error:
            ends.append(str(error))

    thread = threading.Thread(target=trains)
    thread.start()
    wait_until(lambda: this.status().state == "paused")
    this.path.rename(runs_dir.parent / "elsewhere")
    thread.join(60)
    assert ends == [f"The run {this.id} has ended, as its folder {this.path} has been deleted."]
    assert not this.path.exists()


# There are two servers


class Server:
    """Another process with its own Workers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.runs.server", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, order: str, this: Run) -> None:
        self._process.stdin.write(f"{order} {this.path}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_two_servers_train_a_run_once_and_either_stops_it(runs_dir):
    this, servers = run.create(SLOW, runs_dir), [Server(), Server()]
    try:
        for server in servers:
            server.tell("submit", this)
        answers = [server.answer() for server in servers]
        assert sorted(answers) == ["The run " + this.id + " is being trained already, by another process.", "done"]
        loser = servers[answers.index("done") - 1]
        wait_until(lambda: this.status().state == "running")
        loser.tell("submit", this)
        assert loser.answer() == f"The run {this.id} is being trained already, by another process."
        loser.tell("pause", this)
        wait_until(lambda: this.status().state == "paused")
        loser.tell("resume", this)
        wait_until(lambda: this.status().state == "running")
        loser.tell("stop", this)
        wait_until(lambda: this.status().state == "stopped")
        assert [loser.answer() for _ in range(3)] == ["done"] * 3
    finally:
        for server in servers:
            server.close()
    assert [record["event"] for record in this.records()].count("start") == 1
    assert this.status().state == "stopped"


def test_a_run_handed_to_a_process_that_comes_up_is_not_taken(runs_dir, one_worker):
    this = run.create(CONFIG, runs_dir)
    this.set_status("starting")
    assert this.status().state == "waiting"
    with pytest.raises(RunError, match="is being trained already, by another process"):
        one_worker.submit(this)
    with pytest.raises(RunError, match="stop it before you delete it"):
        this.delete()
    assert not this.is_locked()
    assert this.status().state == "waiting"


def test_a_sudden_end_is_not_said_of_a_run_that_another_process_has_taken_up(runs_dir):
    from mnist_core.runs import worker_pool

    this = run.create(CONFIG, runs_dir)
    this.set_status("running")
    with this.locked(), pytest.raises(RunError, match="by another process"):
        worker_pool._note_sudden_end(this, -9)
    assert status.said(this.path).state == "running"


# The clock is set back


def test_a_clock_set_back_makes_nobody_wait(runs_dir):
    this = run.create(CONFIG, runs_dir)
    for state, expected in (("waiting", "interrupted"), ("starting", "interrupted"), ("stopped", "stopped")):
        said = {"state": state, "message": "", "since": "2999-01-01T00:00:00+00:00"}
        (this.path / "status.json").write_text(json.dumps(said))
        assert this.status().age < 0
        assert this.status().state == expected
    with this.locked():
        (this.path / "status.json").write_text(json.dumps(said | {"state": "running"}))
        assert this.status().state == "running"


def test_a_run_from_the_future_is_listed_taken_up_and_trained(runs_dir):
    whole, this = train(run.create(CONFIG, runs_dir)), run.create(CONFIG, runs_dir)
    train_until(this, "step", 2).close()
    for path in (this.path, *this.path.iterdir()):
        os.utime(path, (4e9, 4e9))
    future = Run(this.path.rename(runs_dir / f"2999{this.id[4:]}"))
    assert run.list_runs(runs_dir) == [future, whole]
    train(future)
    assert_as_uninterrupted(future, whole)


def test_runs_made_while_the_clock_stands_still_are_told_apart_and_in_order(runs_dir, monkeypatch):
    import datetime

    class Still(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Still)
    made = [run.create(CONFIG, runs_dir) for _ in range(3)]
    monkeypatch.undo()
    assert sorted(this.id for this in run.list_runs(runs_dir)) == sorted({this.id for this in made})
    assert all(this.id.startswith("20260102-030405-mlp-") for this in made)


def test_runs_made_one_behind_the_other_are_in_this_order(runs_dir):
    made = [run.create(CONFIG, runs_dir) for _ in range(20)]
    assert run.list_runs(runs_dir) == made[::-1]


# There are very many


def test_thousands_of_runs_are_listed_and_looked_at_without_writing(runs_dir):
    said = {"state": "finished", "message": "", "since": "2026-01-02T03:04:05+00:00"}
    for number in range(2_000):
        folder = runs_dir / f"20260102-{number:06}-mlp-0000"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(CONFIG.to_json())
        (folder / "status.json").write_text(json.dumps(said))
    listed = run.list_runs(runs_dir)
    assert [this.id[9:15] for this in listed] == [f"{number:06}" for number in reversed(range(2_000))]
    assert all(this.status().state == "finished" for this in listed)
    assert all(sorted(os.listdir(this.path)) == ["config.json", "status.json"] for this in listed)


def test_weights_say_whose_they_are(runs_dir):
    this = train(run.create(CONFIG, runs_dir))
    assert len(this.fingerprint()) == 64
    with pytest.raises(ModelError, match=r"weights\.safetensors belongs to another run"):
        weights.load(this.weights, "0" * 64)
