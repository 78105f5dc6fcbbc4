import io
import pathlib
import zipfile

import numpy as np
import pytest
from PIL import Image

from mnist_core.errors import DatasetError
from mnist_core.exchange import digit_sets
from mnist_core.own_digits.digit_set import to_png
from mnist_core.own_digits.digit_store import DigitStore


def picture(*bars, size=(60, 60)):
    """Dark upright bars on white paper, each (left, width), as PNG."""
    values = np.full(size, 255, np.uint8)
    for left, width in bars:
        values[10:50, left : left + width] = 0
    content = io.BytesIO()
    Image.fromarray(values).save(content, "PNG")
    return content.getvalue()


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    content.seek(0)
    return content


ONE, OTHER, TWO, BLANK = picture((20, 8)), picture((20, 12)), picture((5, 8), (45, 8)), picture()


@pytest.fixture
def sets(tmp_path):
    return DigitStore(tmp_path / "digits")


def folder(tmp_path: pathlib.Path, files):
    for name, data in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "in"


@pytest.mark.parametrize("as_zip", [False, True])
def test_labelled_images_are_found_and_the_rest_is_said(tmp_path, as_zip):
    files = {
        "me/1/a.png": ONE,
        "me/7/b.png": OTHER,
        "me/set.json": b"{}",
        "me/1/.DS_Store": b"x",
        "me/1/blank.png": BLANK,
        "me/1/note.txt": b"no image",
        "me/4/two.png": TWO,
        "me/4/again.png": ONE,
        "me/loose.png": ONE,
    }
    found = digit_sets.read(zipped(files) if as_zip else folder(tmp_path, files))
    assert sorted(digit for digit, _ in found.digits) == [1, 7]
    said = " ".join(sorted(found.problems))
    for words in ("no ink", "is not an image", "several digits", "as a 1, too", "lies in no folder"):
        assert words in said
    assert len(found.problems) == 5
    assert all(any(name in one for name in files) for one in found.problems)


def test_reading_says_how_far_it_is():
    files = {f"{digit}/{name}.png": picture((20, width)) for digit, width in ((1, 8), (7, 12)) for name in "abc"}
    shares, found = zip(*digit_sets.reading(zipped(files)), strict=True)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1])
    assert len(found[-1].digits) == 6


def test_of_large_images_no_more_is_held_than_a_set_keeps(sets):
    files = {f"1/{width}.png": picture((900, 300 + width), size=(2_000, 2_000)) for width in range(5)}
    found = digit_sets.read(zipped(files))
    assert len(found.digits) == 5
    assert sum(len(png) for _, png in found.digits) < 50_000
    digit_sets.keep(found.digits, "me", sets)
    assert {path.read_bytes() for path, _ in sets.open("me").files()} == {png for _, png in found.digits}


def test_problems_beyond_the_first_are_counted():
    found = digit_sets.read(zipped({"1/a.png": ONE, **{f"7/{number}.png": BLANK for number in range(30)}}))
    assert len(found.problems) == digit_sets.LISTED + 1
    assert found.problems[-1] == "10 more images."


def test_a_set_comes_back_from_its_zip(sets, tmp_path):
    found = digit_sets.read(zipped({"1/a.png": ONE, "7/b.png": OTHER}))
    assert digit_sets.keep(found.digits, "me", sets) == 2
    digit_sets.export(sets.open("me"), tmp_path / "me.zip")
    again = digit_sets.read(tmp_path / "me.zip")
    digit_sets.keep(again.digits, "you", sets)
    assert np.array_equal(sets.open("me").load().images, sets.open("you").load().images)
    assert sets.open("you").counts() == sets.open("me").counts()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "There are no images of digits to add."),
        ({"a.png": ONE}, "lies in no folder"),
        ({"x/1/a.png": BLANK}, "no ink"),
        ({"../../1/a.png": ONE}, "There are no images of digits to add."),
    ],
)
def test_a_zip_without_digits_is_refused(files, words):
    with pytest.raises(DatasetError, match=words):
        digit_sets.read(zipped(files))


def test_a_zip_that_is_none_or_cut_or_too_large_is_refused(tmp_path, monkeypatch):
    whole = zipped({"1/a.png": ONE}).getvalue()
    for name, content in (("none.zip", b"no zip"), ("cut.zip", whole[:-30])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match="neither a folder nor a whole zip"):
            digit_sets.read(tmp_path / name)
    with pytest.raises(DatasetError, match="cannot be read"):
        digit_sets.read(tmp_path / "missing.zip")
    bomb = zipped({"1/a.png": b"\0" * (digit_sets.LARGEST + 1)})
    with pytest.raises(DatasetError, match="larger than an image may be"):
        digit_sets.read(bomb)
    monkeypatch.setattr(digit_sets, "MOST_ENTRIES", 1)
    with pytest.raises(DatasetError, match="holds more than 1 files"):
        digit_sets.read(zipped({"1/a.png": ONE, "1/b.png": OTHER}))
    monkeypatch.setattr(digit_sets, "MOST_PACKED", 10)
    with pytest.raises(DatasetError, match="larger than"):
        digit_sets.read(zipped({"1/a.png": ONE}))


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_damaged_anywhere_is_refused_with_a_sentence(packing):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as archive:
        archive.writestr("1/a.png", ONE)
        archive.writestr("7/b.png", OTHER)
    whole, refused = content.getvalue(), 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            digit_sets.read(io.BytesIO(damaged))
        except DatasetError:
            refused += 1
    assert refused > 5


def test_a_zip_may_hold_anything_and_is_read_as_images():
    found = digit_sets.read(
        zipped(
            {
                "<b>x</b>/1/a.png": ONE,
                "/etc/7/b.png": OTHER,
                "../../7/c.png": OTHER,  # hidden, as all that begins with a dot
                f"{'x' * 10_000}.png": ONE,
                "1/inside.zip": zipped({"1/a.png": ONE}).getvalue(),
                "1/program.exe": b"MZ" + bytes(1000),
            }
        )
    )
    assert [digit for digit, _ in found.digits] == [1, 7]
    assert len(found.problems) == 3
    assert all(len(one) < 300 for one in found.problems)


def test_a_contact_sheet_shows_every_digit(sets, tmp_path):
    digit_sets.keep([(1, to_png(np.eye(40, dtype=np.uint8) * 255))] * 20, "me", sets)
    digit_sets.write_contact_sheet(sets.open("me"), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (digit_sets.COLUMNS * digit_sets.CELL, 2 * digit_sets.CELL)
    with pytest.raises(DatasetError, match="cannot be written"):
        digit_sets.write_contact_sheet(sets.open("me"), tmp_path / "no" / "sheet.png")
