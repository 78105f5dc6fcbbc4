import os
import shutil
import time

import pytest

from mnist_core import trash
from mnist_core.errors import RunError
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState


@pytest.fixture
def deleted(small, store):
    run = store.create(small)
    run.set_about(name="Seven")
    run.set_status(RunState.STOPPED)
    run.delete()
    return run


def test_what_was_deleted_is_not_listed_and_comes_back_whole(deleted, small, store):
    other = store.create(small)
    assert store.runs() == [other]
    with pytest.raises(RunError, match=f"There is no run {deleted.id}"):
        store.open(deleted.id)
    assert store.restore(deleted.id) == deleted
    assert store.runs() == [other, deleted]
    assert (deleted.about().name, deleted.config(), deleted.status().state) == ("Seven", small, "stopped")
    assert {path.name for path in deleted.path.iterdir()} == {"about.json", "config.json", "status.json", "lock"}
    with pytest.raises(RunError, match=f"There is no deleted run {deleted.id}"):
        store.restore(deleted.id)


def test_what_is_trained_or_in_line_is_not_deleted(small, store):
    run = store.create(small)
    with run.locked(), pytest.raises(RunError, match="being trained or in line: stop it before you delete it"):
        run.delete()
    assert store.runs() == [run]


@pytest.mark.parametrize("name", ["../x", "..", ".deleted", "/etc", "a\0b", "a" * 300, "", "A", ".x.00000000"])
def test_what_is_no_id_is_not_brought_back(deleted, store, name):
    with pytest.raises(RunError, match="is not a run's id") as caught:
        store.restore(name)
    assert len(str(caught.value)) < 250


def test_a_run_of_the_same_id_is_not_overwritten(deleted, small, store):
    shutil.copytree(store.folder / trash.FOLDER / deleted.id, deleted.path)
    with pytest.raises(RunError, match="there is another one of that id"):
        store.restore(deleted.id)
    deleted.set_about(name="Eight")
    deleted.delete()
    assert store.restore(deleted.id).about().name == "Eight"


def test_the_trash_is_emptied_of_what_is_old(deleted, small, store):
    assert store.empty_trash(older_than=3_600) == []
    another = store.create(small)
    another.delete()
    (store.folder / trash.FOLDER / deleted.id / "deleted").write_text(repr(time.time() - 3_601))
    assert store.empty_trash(older_than=3_600) == [deleted.id]
    assert os.listdir(store.folder / trash.FOLDER) == [another.id]
    assert store.restore(another.id) == another
    assert store.empty_trash(older_than=0) == []
    assert RunStore(store.folder / "none").empty_trash() == []


def test_a_clock_set_back_loses_nothing(deleted, store, monkeypatch):
    (store.folder / trash.FOLDER / deleted.id / "deleted").write_text(repr(time.time() + 1e6))
    assert store.empty_trash(older_than=0) == []
    assert store.restore(deleted.id) == deleted


@pytest.mark.parametrize("stamp", [None, "", "yesterday"])
def test_what_does_not_say_since_when_it_is_deleted_is_kept_from_now_on(deleted, store, stamp):
    path = store.folder / trash.FOLDER / deleted.id / "deleted"
    path.unlink() if stamp is None else path.write_text(stamp)
    assert store.empty_trash(older_than=60) == []
    assert abs(time.time() - float(path.read_text())) < 60


def test_a_removal_that_broke_off_is_brought_to_its_end(deleted, store):
    half = store.folder / trash.FOLDER / ".some-run.0a1b2c3d"
    half.mkdir()
    (half / "weights.safetensors").touch()
    assert store.empty_trash(older_than=60) == []
    assert os.listdir(store.folder / trash.FOLDER) == [deleted.id]


def test_a_folder_that_cannot_be_moved_is_said(small, store):
    run = store.create(small)
    (store.folder / trash.FOLDER).touch()
    with pytest.raises(RunError, match=f"{run.id} cannot be deleted in .*: File exists"):
        run.delete()
    assert run.status().state == "waiting"
