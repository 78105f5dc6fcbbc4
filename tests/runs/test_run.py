import datetime
import json
import shutil

import pytest

from mnist_core import records

from mnist_core.runs import run, status
from mnist_core.errors import ConfigError, RunError
from mnist_core.runs.status import HAND_OVER, TAKE_UP


def test_a_new_run_holds_its_config_and_waits(small, runs_dir):
    this = run.create(small, runs_dir)
    assert run.open_run(this.id, runs_dir) == this
    assert this.config() == small
    assert this.status().state == "waiting"
    assert this.records() == []


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "",
        "a/b",
        "/etc",
        "A",
        "a b",
        "a\n",
        "-a",
        "x" * 81,
        "ä",
        "a\\b",
        "a\0b",
        "a" * 9_999,
        ".deleted",
    ],
)
def test_what_is_no_id_is_refused(name, runs_dir):
    with pytest.raises(RunError, match="is not a run's id"):
        run.open_run(name, runs_dir)


def test_a_run_that_is_not_there_is_named(runs_dir):
    with pytest.raises(RunError, match="There is no run nope in"):
        run.open_run("nope", runs_dir)


def test_runs_are_listed_newest_first_and_strangers_left_out(small, runs_dir):
    made = [run.create(small, runs_dir) for _ in range(3)]
    (runs_dir / "notes").mkdir()
    (runs_dir / "file.txt").touch()
    assert {this.id for this in run.list_runs(runs_dir)} == {this.id for this in made}
    ids = [this.id for this in run.list_runs(runs_dir)]
    assert ids == sorted(ids, reverse=True)
    assert run.list_runs(runs_dir / "none") == []


def test_a_folder_that_cannot_be_written_is_named(small, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be saved in .*file: Not a directory"):
        run.create(small, tmp_path / "file")


def test_running_without_a_process_is_interrupted(small, runs_dir):
    this = run.create(small, runs_dir)
    with this.locked():
        this.set_status("running")
        assert this.status().state == "running"
        with pytest.raises(RunError, match="stop it before"):
            this.delete()
    assert this.status().state == "interrupted"
    this.delete()
    assert run.list_runs(runs_dir) == []


def test_a_paused_run_without_a_process_is_interrupted(small, runs_dir):
    this = run.create(small, runs_dir)
    with this.locked():
        this.set_status("paused")
        assert this.status().state == "paused"
    assert this.status().state == "interrupted"
    assert this.status().is_resumable


def wait_since(this, seconds, state="waiting"):
    """Have the run wait for as many seconds already."""
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    status = {"state": state, "message": "", "since": since.isoformat(timespec="seconds")}
    (this.path / "status.json").write_text(json.dumps(status))


def test_a_waiting_run_that_nobody_takes_up_is_interrupted(small, runs_dir):
    this = run.create(small, runs_dir)
    for state, grace in (("waiting", TAKE_UP), ("starting", HAND_OVER)):
        wait_since(this, grace + 2, state)
        assert this.status().state == "interrupted"
        assert this.status().is_resumable
        with this.locked():
            assert this.status().state == "waiting"
        wait_since(this, grace - 3, state)
        assert this.status().state == "waiting"
        assert this.status().is_active


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01T00:00:00", None, 3])
def test_a_damaged_time_is_said(small, runs_dir, since):
    this = run.create(small, runs_dir)
    (this.path / "status.json").write_text(json.dumps({"state": "waiting", "since": since}))
    with pytest.raises(RunError, match=f"status of run {this.id} is damaged"):
        this.status()


def test_a_run_that_ends_while_it_is_looked_at_is_not_interrupted(small, runs_dir, monkeypatch):
    this = run.create(small, runs_dir)
    this.set_status("running")

    def ends(_):
        this.set_status("finished")
        return False

    monkeypatch.setattr(status, "is_held", ends)
    assert this.status().state == "finished"


def test_a_run_is_trained_by_one_process_at_a_time(small, runs_dir):
    this = run.create(small, runs_dir)
    with this.locked(), pytest.raises(RunError, match="by another process"), this.locked():
        pass


def test_a_line_that_is_being_written_is_left_for_later(small, runs_dir):
    this = run.create(small, runs_dir)
    metrics = this.path / "metrics.jsonl"
    metrics.write_text('{"event": "start"}\n{"event": "st')
    found, offset = records.read_records(metrics)
    assert found == this.records() == [{"event": "start"}]
    with open(metrics, "a") as file:
        file.write('ep"}\n')
    assert records.read_records(metrics, offset)[0] == [{"event": "step"}]


def test_damaged_files_are_named(small, runs_dir):
    this = run.create(small, runs_dir)
    (this.path / "status.json").write_text("{}")
    with pytest.raises(RunError, match=f"status of run {this.id} is damaged"):
        this.status()
    (this.path / "config.json").write_text(json.dumps({"lr": -1}))
    with pytest.raises(RunError, match=f"config of run {this.id} cannot be used: lr must be"):
        this.config()
    (this.path / "config.json").unlink()
    with pytest.raises(RunError, match=r"has been deleted"):
        this.config()


def test_rewinding_keeps_what_came_before_the_epochs_end(small, runs_dir):
    this = run.create(small, runs_dir)
    records = [
        {"event": "start"},
        {"event": "epoch", "epoch": 1},
        {"event": "step", "epoch": 2},
        {"event": "epoch", "epoch": 2},
        {"event": "step", "epoch": 3},
    ]
    with this.recorder() as recorder:
        for record in records:
            recorder.append(record)
    this.rewind(2)
    assert this.records() == records[:4]
    this.rewind(1)
    assert this.records() == records[:2]
    with pytest.raises(RunError, match="lack epoch 2"):
        this.rewind(2)
    this.rewind(0)
    assert this.records() == []


def test_requests_hold_until_they_are_cleared(small, runs_dir):
    this = run.create(small, runs_dir)

    def requests():
        return this.stop_requested(), this.pause_requested(), this.lr_requested()

    assert requests() == (False, False, None)
    this.request_stop()
    this.request_pause()
    this.request_lr(0.1 + 0.2)
    assert requests() == (True, True, 0.1 + 0.2)
    this.end_pause()
    assert requests() == (True, False, 0.1 + 0.2)
    this.request_lr(1)
    assert requests() == (True, False, 1.0)
    this.clear_lr_request()
    assert requests() == (True, False, None)
    this.request_pause()
    this.request_pause()
    this.clear_requests()
    assert requests() == (False, False, None)
    assert {path.name for path in this.path.iterdir()} <= {"config.json", "status.json", "lock"}


def test_clearing_what_was_not_asked_does_nothing(small, runs_dir):
    this = run.create(small, runs_dir)
    this.end_pause()
    this.clear_lr_request()
    this.clear_requests()
    assert this.status().state == "waiting"


@pytest.mark.parametrize("lr", [0.0, -0.1, 101.0, float("nan"), float("inf"), "0.1", None, True])
def test_a_learning_rate_that_no_config_could_have_is_refused(small, runs_dir, lr):
    this = run.create(small, runs_dir)
    with pytest.raises(ConfigError, match="lr must be") as caught:
        this.request_lr(lr)
    assert caught.value.field == "lr"
    assert this.lr_requested() is None


@pytest.mark.parametrize("content", ["", "fast", "0.1 0.2"])
def test_a_damaged_learning_rate_is_said(small, runs_dir, content):
    this = run.create(small, runs_dir)
    (this.path / "lr").write_text(content)
    with pytest.raises(RunError, match="holds no learning rate: delete it"):
        this.lr_requested()
    this.clear_requests()
    assert this.lr_requested() is None


def test_a_request_to_a_run_that_is_gone_is_refused(small, runs_dir):
    this = run.create(small, runs_dir)
    shutil.rmtree(this.path)
    for request in (this.request_stop, this.request_pause, lambda: this.request_lr(0.1)):
        with pytest.raises(RunError, match=f"run {this.id} cannot be reached in .*: No such file"):
            request()
    assert not runs_dir.joinpath(this.id).exists()
