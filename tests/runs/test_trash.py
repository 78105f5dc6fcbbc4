import os
import shutil
import time

import pytest

from mnist_core.runs import run, trash
from mnist_core.errors import RunError


@pytest.fixture
def deleted(small, runs_dir):
    this = run.create(small, runs_dir)
    this.set_about(name="Seven")
    this.set_status("stopped")
    this.delete()
    return this


def test_what_was_deleted_is_not_listed_and_comes_back_whole(deleted, small, runs_dir):
    other = run.create(small, runs_dir)
    assert run.list_runs(runs_dir) == [other]
    with pytest.raises(RunError, match=f"There is no run {deleted.id}"):
        run.open_run(deleted.id, runs_dir)
    assert run.restore(deleted.id, runs_dir) == deleted
    assert run.list_runs(runs_dir) == [other, deleted]
    assert (deleted.about().name, deleted.config(), deleted.status().state) == ("Seven", small, "stopped")
    assert {path.name for path in deleted.path.iterdir()} == {"about.json", "config.json", "status.json", "lock"}
    with pytest.raises(RunError, match=f"There is no deleted run {deleted.id}"):
        run.restore(deleted.id, runs_dir)


def test_what_is_trained_or_in_line_is_not_deleted(small, runs_dir):
    this = run.create(small, runs_dir)
    with this.locked(), pytest.raises(RunError, match="being trained or in line: stop it before you delete it"):
        this.delete()
    assert run.list_runs(runs_dir) == [this]


@pytest.mark.parametrize("name", ["../x", "..", ".deleted", "/etc", "a\0b", "a" * 300, "", "A", ".x.00000000"])
def test_what_is_no_id_is_not_brought_back(deleted, runs_dir, name):
    with pytest.raises(RunError, match="is not a run's id") as caught:
        run.restore(name, runs_dir)
    assert len(str(caught.value)) < 250


def test_a_run_of_the_same_id_is_not_overwritten(deleted, small, runs_dir):
    shutil.copytree(runs_dir / trash.FOLDER / deleted.id, deleted.path)
    with pytest.raises(RunError, match="there is another one of that id"):
        run.restore(deleted.id, runs_dir)
    deleted.set_about(name="Eight")
    deleted.delete()
    assert run.restore(deleted.id, runs_dir).about().name == "Eight"


def test_the_trash_is_emptied_of_what_is_old(deleted, small, runs_dir):
    assert run.empty_trash(runs_dir, older_than=3_600) == []
    another = run.create(small, runs_dir)
    another.delete()
    (runs_dir / trash.FOLDER / deleted.id / "deleted").write_text(repr(time.time() - 3_601))
    assert run.empty_trash(runs_dir, older_than=3_600) == [deleted.id]
    assert os.listdir(runs_dir / trash.FOLDER) == [another.id]
    assert run.restore(another.id, runs_dir) == another
    assert run.empty_trash(runs_dir, older_than=0) == []
    assert run.empty_trash(runs_dir / "none") == []


def test_a_clock_set_back_loses_nothing(deleted, runs_dir, monkeypatch):
    (runs_dir / trash.FOLDER / deleted.id / "deleted").write_text(repr(time.time() + 1e6))
    assert run.empty_trash(runs_dir, older_than=0) == []
    assert run.restore(deleted.id, runs_dir) == deleted


@pytest.mark.parametrize("stamp", [None, "", "yesterday"])
def test_what_does_not_say_since_when_it_is_deleted_is_kept_from_now_on(deleted, runs_dir, stamp):
    path = runs_dir / trash.FOLDER / deleted.id / "deleted"
    path.unlink() if stamp is None else path.write_text(stamp)
    assert run.empty_trash(runs_dir, older_than=60) == []
    assert abs(time.time() - float(path.read_text())) < 60


def test_a_removal_that_broke_off_is_brought_to_its_end(deleted, runs_dir):
    half = runs_dir / trash.FOLDER / ".some-run.0a1b2c3d"
    half.mkdir()
    (half / "weights.safetensors").touch()
    assert run.empty_trash(runs_dir, older_than=60) == []
    assert os.listdir(runs_dir / trash.FOLDER) == [deleted.id]


def test_a_folder_that_cannot_be_moved_is_said(small, runs_dir):
    this = run.create(small, runs_dir)
    (runs_dir / trash.FOLDER).touch()
    with pytest.raises(RunError, match=f"{this.id} cannot be deleted in .*: File exists"):
        this.delete()
    assert this.status().state == "waiting"
