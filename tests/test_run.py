import json

import pytest

from mnist_core import run
from mnist_core.errors import RunError


def test_a_new_run_holds_its_config_and_waits(small, runs_dir):
    this = run.create(small, runs_dir)
    assert run.open_run(this.id, runs_dir) == this
    assert this.config() == small
    assert this.status().state == "waiting"
    assert this.records() == []
    assert this.overview() == {
        "run": this.id,
        "state": "waiting",
        "data": "sample",
        "model": "mlp",
        "epochs": 0,
        "val_accuracy": None,
        "test_accuracy": None,
    }


@pytest.mark.parametrize("name", ["../x", "..", ".", "", "a/b", "/etc", "A", "a b", "a\n", "-a", "x" * 81, "ä", "a\\b"])
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


def test_a_run_that_ends_while_it_is_looked_at_is_not_interrupted(small, runs_dir, monkeypatch):
    this = run.create(small, runs_dir)
    this.set_status("running")

    def ends(_):
        this.set_status("finished")
        return False

    monkeypatch.setattr(run.Run, "is_locked", ends)
    assert this.status().state == "finished"


def test_a_run_is_trained_by_one_process_at_a_time(small, runs_dir):
    this = run.create(small, runs_dir)
    with this.locked(), pytest.raises(RunError, match="by another process"), this.locked():
        pass


def test_a_line_that_is_being_written_is_left_for_later(small, runs_dir):
    this = run.create(small, runs_dir)
    metrics = this.path / "metrics.jsonl"
    metrics.write_text('{"event": "start"}\n{"event": "st')
    records, offset = run.read_records(metrics)
    assert records == this.records() == [{"event": "start"}]
    with open(metrics, "a") as file:
        file.write('ep"}\n')
    assert run.read_records(metrics, offset)[0] == [{"event": "step"}]


def test_damaged_files_are_named(small, runs_dir):
    this = run.create(small, runs_dir)
    (this.path / "metrics.jsonl").write_text("nonsense\n")
    with pytest.raises(RunError, match=r"metrics in .*metrics\.jsonl are damaged"):
        this.records()
    (this.path / "status.json").write_text("{}")
    with pytest.raises(RunError, match=f"status of run {this.id} is damaged"):
        this.status()
    (this.path / "config.json").write_text(json.dumps({"lr": -1}))
    with pytest.raises(RunError, match=f"config of run {this.id} cannot be used: lr must be"):
        this.config()
    (this.path / "config.json").unlink()
    with pytest.raises(RunError, match=r"no config\.json"):
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


def test_replacing_is_all_or_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def breaks_off():
        with run.replacing(path) as fresh:
            fresh.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert path.read_text() == "old"
    with run.replacing(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
