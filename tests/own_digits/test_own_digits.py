import json
import pathlib

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from mnist_core import drawing
from mnist_core.errors import DatasetError
from mnist_core.own_digits import digit_set
from mnist_core.own_digits.digit_set import OwnDigits
from mnist_core.own_digits.digit_store import DigitStore

BAR = np.zeros((420, 420), np.uint8)
BAR[50:350, 200:230] = 255


@pytest.fixture
def sets(tmp_path):
    return DigitStore(tmp_path / "digits")


def drawn(seed):
    """A stroke of its own for each seed, soft at its edge."""
    ink = np.zeros((420, 420), np.uint8)
    left = 40 + 7 * seed
    ink[60 : 300 + seed, left : left + 25] = 255
    ink[60 : 300 + seed, left + 25] = 20 + seed
    return ink


def test_what_is_kept_is_prepared_as_the_whole_drawing_is(sets):
    kept = sets.create("me")
    for seed in range(10):
        kept.add(seed, drawn(seed))
    own = kept.load()
    assert own.labels.tolist() == list(range(10))
    for seed in range(10):
        assert np.array_equal(own.images[seed], drawing.to_mnist(drawn(seed)))


def test_a_set_is_a_folder_that_torchvision_reads(sets):
    kept = sets.create("me")
    for digit in (0, 4, 4, 9):
        kept.add(digit, drawn(digit))
    (kept.path / "set.json").unlink()
    found = ImageFolder(kept.path)
    assert found.classes == ["0", "4", "9"]
    assert found.targets == [0, 1, 1, 2]
    assert kept.counts() == [1, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    assert kept.begun() == ""


def test_a_set_says_when_it_was_begun_and_lists_in_order(sets):
    assert sets.sets() == []
    names = [sets.create(name).name for name in ("zoë", "anna", "2b_3-c")]
    assert [one.name for one in sets.sets()] == sorted(names)
    assert sets.open("anna").begun()[:2] == "20"
    note = sets.open("anna").path / "set.json"
    assert json.loads(note.read_text())["name"] == "anna"
    note.write_text("{")
    assert sets.open("anna").begun() == ""


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "a b", "<b>", ".deleted", "-a", "x" * 41, "x" * 10_000, "a\n"]
)
def test_a_name_is_never_a_path_or_markup(sets, name):
    for ask in (sets.create, sets.open, sets.delete, sets.restore):
        with pytest.raises(DatasetError, match="cannot be a set's name: a set's name is made of"):
            ask(name)
    assert not sets.has(name)


def test_a_second_set_of_a_name_is_refused_and_the_first_stays(sets):
    sets.create("me").add(1, BAR)
    with pytest.raises(DatasetError, match="There is a set me already"):
        sets.create("me")
    assert sum(sets.open_or_create("me").counts()) == 1


def test_a_digit_is_removed_by_its_place(sets):
    kept = sets.create("me")
    first, second = kept.add(3, drawn(1)), kept.add(3, drawn(2))
    kept.remove(kept.place(first))
    assert [path for path, _ in kept.files()] == [second]
    for wrong in (kept.place(first), "set.json", "../me/set.json", "3"):
        with pytest.raises(DatasetError, match="There is no image"):
            kept.remove(wrong)


def test_a_deleted_set_comes_back(sets):
    sets.create("me").add(1, BAR)
    sets.delete("me")
    assert sets.sets() == []
    with pytest.raises(DatasetError, match="There is no set me"):
        sets.open("me")
    sets.restore("me")
    assert sets.open("me").counts()[1] == 1
    with pytest.raises(DatasetError, match="There is no deleted set you"):
        sets.restore("you")
    sets.delete("me")
    sets.create("me")
    with pytest.raises(DatasetError, match="another one of that name"):
        sets.restore("me")


def test_an_empty_set_and_a_drawing_without_ink_are_refused(sets):
    kept = sets.create("me")
    with pytest.raises(DatasetError, match="The set me is empty"):
        kept.load()
    with pytest.raises(DatasetError, match="no ink to keep"):
        kept.add(1, np.zeros((420, 420), np.uint8))


def test_a_damaged_image_is_named(sets):
    kept = sets.create("me")
    path = kept.add(1, BAR)
    path.write_bytes(b"no image")
    with pytest.raises(DatasetError, match=rf"The set me cannot be used\. .*{path.name}.* Mend or remove the image\."):
        kept.load()
    Image.new("L", (30, 30)).save(path)
    with pytest.raises(DatasetError, match="There is no ink"):
        kept.load()


def test_a_full_set_takes_no_more(sets, monkeypatch):
    monkeypatch.setattr(digit_set, "MOST", 2)
    kept = sets.create("me")
    for seed in range(2):
        kept.add(1, drawn(seed))
    with pytest.raises(DatasetError, match="can have 2 digits, and has 2: begin another"):
        kept.add(1, BAR)
    (kept.path / "1" / "more.png").write_bytes((kept.files()[0][0]).read_bytes())
    with pytest.raises(DatasetError, match="more than 2 digits"):
        kept.load()


def test_a_full_disk_is_said_and_leaves_nothing(sets, monkeypatch):
    kept = sets.create("me")

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        kept.add(1, BAR)
    assert kept.files() == []


def test_preparing_says_how_far_it_is_and_leaves_what_is_wrong_to_load(sets, monkeypatch):
    anna, ben = sets.create("anna"), sets.create("ben")
    anna.add(1, drawn(1))
    ben.add(2, drawn(2)).write_bytes(b"no image")
    ben.add(3, drawn(3))
    assert list(sets.preparing(["anna", "ben", "nobody", "anna/1/one.png"])) == [(1 / 3, 1), (2 / 3, 2), (1, 3), (1, 3)]
    assert list(sets.preparing([])) == [(1, 0)]
    monkeypatch.setattr(digit_set, "open_image", None)  # what is prepared is not opened again
    assert len(anna.load()) == 1


def test_many_are_kept_all_or_none(sets, monkeypatch):
    kept = sets.create("me")
    there = kept.add(1, BAR)
    many = [(digit, digit_set.to_png(drawn(digit))) for digit in range(5)]
    unfollowed = kept.adding(many)
    next(unfollowed)
    assert len(kept.files()) == 2
    unfollowed.close()
    assert kept.files() == [(there, 1)]
    write, left = pathlib.Path.write_bytes, iter(range(3))

    def full(*arguments, **options):
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        write(*arguments, **options)

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        list(kept.adding(many))
    assert kept.files() == [(there, 1)]
    monkeypatch.undo()
    assert len(list(kept.adding(many))) == 5
    assert len(kept.files()) == 6


def test_sets_and_single_images_are_put_together(sets):
    anna, ben = sets.create("anna"), sets.create("ben")
    anna.add(1, drawn(1))
    path = ben.add(7, drawn(2))
    ben.add(2, drawn(3))
    assert sets.load(["anna", "ben"]).labels.tolist() == [1, 2, 7]
    assert sets.load([f"ben/{ben.place(path)}"]).labels.tolist() == [7]
    assert len(sets.load([])) == 0
    with pytest.raises(DatasetError, match=r"There is no image '7/x\.png' in the set ben"):
        sets.load(["ben/7/x.png"])


def test_one_in_five_and_at_least_one_of_three_are_held_back():
    labels = np.repeat(np.arange(4), [1, 2, 3, 20])
    own = OwnDigits(np.arange(26, dtype=np.uint8)[:, None, None].repeat(28, 1).repeat(28, 2), labels)
    learnt, held_back = own.split(seed=0)
    assert held_back.labels.tolist() == [2, 3, 3, 3, 3]
    assert sorted([*learnt.images[:, 0, 0], *held_back.images[:, 0, 0]]) == list(range(26))
    assert np.array_equal(own.split(seed=0)[1].images, held_back.images)
    assert not np.array_equal(own.split(seed=1)[1].images, held_back.images)


def test_ink_larger_than_a_canvas_is_made_smaller():
    large = np.zeros((3000, 2000), np.uint8)
    large[100:2900, 900:1100] = 255
    assert max(digit_set.cut_out(large).shape) <= digit_set.SIDE + 2 * digit_set.MARGIN
