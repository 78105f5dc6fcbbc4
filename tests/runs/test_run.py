import datetime
import json
import shutil

import pytest

from mnist_core.errors import ConfigError, RunError
from mnist_core.runs import status
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import HAND_OVER_GRACE, SUBMIT_GRACE, RunState
from tests.sample_records import epoch, start, step


def test_a_new_run_holds_its_config_and_waits(small, store):
    run = store.create(small)
    assert store.open(run.id) == run
    assert run.config() == small
    assert run.status().state == "waiting"
    assert run.records() == []


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
def test_what_is_no_id_is_refused(name, store):
    with pytest.raises(RunError, match="is not a run's id"):
        store.open(name)


def test_a_run_that_is_not_there_is_named(store):
    with pytest.raises(RunError, match="There is no run nope in"):
        store.open("nope")


def test_runs_are_listed_newest_first_and_strangers_left_out(small, store):
    made = [store.create(small) for _ in range(3)]
    (store.folder / "notes").mkdir()
    (store.folder / "file.txt").touch()
    assert {run.id for run in store.runs()} == {run.id for run in made}
    ids = [run.id for run in store.runs()]
    assert ids == sorted(ids, reverse=True)
    assert RunStore(store.folder / "none").runs() == []


def test_a_folder_that_cannot_be_written_is_named(small, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be saved in .*file: Not a directory"):
        RunStore(tmp_path / "file").create(small)


def test_running_without_a_process_is_interrupted(small, store):
    run = store.create(small)
    with run.locked():
        run.set_status(RunState.RUNNING)
        assert run.status().state == "running"
        with pytest.raises(RunError, match="stop it before"):
            run.delete()
    assert run.status().state == "interrupted"
    run.delete()
    assert store.runs() == []


def test_a_paused_run_without_a_process_is_interrupted(small, store):
    run = store.create(small)
    with run.locked():
        run.set_status(RunState.PAUSED)
        assert run.status().state == "paused"
    assert run.status().state == "interrupted"
    assert run.status().state.is_resumable


def wait_since(run, seconds, state="waiting"):
    """Have the run wait for as many seconds already."""
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    status = {"state": state, "message": "", "since": since.isoformat(timespec="seconds")}
    (run.path / "status.json").write_text(json.dumps(status))


def test_a_waiting_run_that_nobody_takes_up_is_interrupted(small, store):
    run = store.create(small)
    for state, grace in (("waiting", SUBMIT_GRACE), ("starting", HAND_OVER_GRACE)):
        wait_since(run, grace + 2, state)
        assert run.status().state == "interrupted"
        assert run.status().state.is_resumable
        with run.locked():
            assert run.status().state == "waiting"
        wait_since(run, grace - 3, state)
        assert run.status().state == "waiting"
        assert run.status().state.is_active


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01T00:00:00", None, 3])
def test_a_damaged_time_is_said(small, store, since):
    run = store.create(small)
    (run.path / "status.json").write_text(json.dumps({"state": "waiting", "since": since}))
    with pytest.raises(RunError, match=f"status of run {run.id} is damaged"):
        run.status()


def test_a_run_that_ends_while_it_is_looked_at_is_not_interrupted(small, store, monkeypatch):
    run = store.create(small)
    run.set_status(RunState.RUNNING)

    def ends(_):
        run.set_status(RunState.FINISHED)
        return False

    monkeypatch.setattr(status, "is_held", ends)
    assert run.status().state == "finished"


def test_a_run_is_trained_by_one_process_at_a_time(small, store):
    run = store.create(small)
    with run.locked(), pytest.raises(RunError, match="by another process"), run.locked():
        pass


def test_a_line_that_is_being_written_is_left_for_later(small, store):
    run = store.create(small)
    with run.recorder() as recorder:
        recorder.append(start())
    with open(run.metrics, "a") as file:
        file.write(json.dumps(step())[:20])
    assert run.records() == [start()]


def test_damaged_files_are_named(small, store):
    run = store.create(small)
    (run.path / "status.json").write_text("{}")
    with pytest.raises(RunError, match=f"status of run {run.id} is damaged"):
        run.status()
    (run.path / "config.json").write_text(json.dumps({"lr": -1}))
    with pytest.raises(RunError, match=f"config of run {run.id} cannot be used: lr must be"):
        run.config()
    (run.path / "config.json").unlink()
    with pytest.raises(RunError, match=r"has been deleted"):
        run.config()


def test_rewinding_keeps_what_came_before_the_epochs_end(small, store):
    run = store.create(small)
    records = [start(), epoch(epoch=1), step(epoch=2), epoch(epoch=2), step(epoch=3)]
    with run.recorder() as recorder:
        for record in records:
            recorder.append(record)
    run.rewind(2)
    assert run.records() == records[:4]
    run.rewind(1)
    assert run.records() == records[:2]
    with pytest.raises(RunError, match="lack epoch 2"):
        run.rewind(2)
    run.rewind(0)
    assert run.records() == []


def test_requests_hold_until_they_are_cleared(small, store):
    run = store.create(small)

    def requests():
        return run.stop_requested(), run.pause_requested(), run.lr_requested()

    assert requests() == (False, False, None)
    run.request_stop()
    run.request_pause()
    run.request_lr(0.1 + 0.2)
    assert requests() == (True, True, 0.1 + 0.2)
    run.end_pause()
    assert requests() == (True, False, 0.1 + 0.2)
    run.request_lr(1)
    assert requests() == (True, False, 1.0)
    run.clear_lr_request()
    assert requests() == (True, False, None)
    run.request_pause()
    run.request_pause()
    run.clear_requests()
    assert requests() == (False, False, None)
    assert {path.name for path in run.path.iterdir()} <= {"config.json", "status.json", "lock"}


def test_clearing_what_was_not_asked_does_nothing(small, store):
    run = store.create(small)
    run.end_pause()
    run.clear_lr_request()
    run.clear_requests()
    assert run.status().state == "waiting"


@pytest.mark.parametrize("lr", [0.0, -0.1, 101.0, float("nan"), float("inf"), "0.1", None, True])
def test_a_learning_rate_that_no_config_could_have_is_refused(small, store, lr):
    run = store.create(small)
    with pytest.raises(ConfigError, match="lr must be") as caught:
        run.request_lr(lr)
    assert caught.value.field == "lr"
    assert run.lr_requested() is None


@pytest.mark.parametrize("content", ["", "fast", "0.1 0.2"])
def test_a_damaged_learning_rate_is_said(small, store, content):
    run = store.create(small)
    (run.path / "lr").write_text(content)
    with pytest.raises(RunError, match="holds no learning rate: delete it"):
        run.lr_requested()
    run.clear_requests()
    assert run.lr_requested() is None


def test_a_request_to_a_run_that_is_gone_is_refused(small, store):
    run = store.create(small)
    shutil.rmtree(run.path)
    for request in (run.request_stop, run.request_pause, lambda: run.request_lr(0.1)):
        with pytest.raises(RunError, match=f"run {run.id} cannot be saved in .*: No such file"):
            request()
    assert not store.folder.joinpath(run.id).exists()
