"""The commands about sets of own digits."""

import json

import pytest
from PIL import Image

from mnist_core.__main__ import main
from tests.exchange.test_digit_sheet import photographed, written


@pytest.fixture
def digits(tmp_path, capsys):
    """Runs a command on the sets in a folder of the test's own, and gives the objects that it prints."""

    def run(*arguments):
        assert main(["digits", *map(str, arguments), "--digits-dir", str(tmp_path / "digits"), "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_a_sheet_is_written_photographed_added_shown_exported_and_deleted(digits, tmp_path):
    assert main(["digits", "sheet", "--out", str(tmp_path / "sheet.pdf")]) == 0
    photographed(written()).save(tmp_path / "photo.jpg")
    (added,) = digits("add", "--set", "me", "--sheet", tmp_path / "photo.jpg")
    assert (added["added"], added["left_out"]) == (30, [])
    (shown,) = digits("show", "me", "--out", tmp_path / "me.png")
    assert shown["counts"] == [3] * 10
    with Image.open(tmp_path / "me.png") as sheet:
        assert sheet.height > 0
    digits("export", "me", "--out", tmp_path / "me.zip")
    digits("add", "--set", "you", tmp_path / "me.zip")
    assert [one["set"] for one in digits("list")] == ["me", "you"]
    digits("delete", "me")
    assert [one["set"] for one in digits()] == ["you"]
    digits("restore", "me")
    assert len(digits("list")) == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["show", "nobody"], "There is no set nobody"),
        (["add", "--set", "../x", "{folder}"], "There are no images of digits"),
        (["add", "--set", "me", "{folder}/missing.zip"], "cannot be read"),
        (["export", "nobody", "--out", "x.zip"], "There is no set nobody"),
        (["delete", "../x"], "cannot be a set's name"),
        (["sheet", "--out", "sheet.txt"], "must end in .pdf or .png"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(arguments, part, tmp_path, capsys):
    words = [word.replace("{folder}", str(tmp_path)) for word in arguments]
    assert main(["digits", *words, "--digits-dir", str(tmp_path / "digits")]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert said.count("\n") == 1
