"""The commands about searches."""

import json

import pytest

from mnist_core.__main__ import main

SAMPLE = ["--data", "sample", "--epochs", "2", "--device", "cpu"]


@pytest.fixture
def search(tmp_path, capsys):
    """Runs a command on the searches in a folder of the test's own, and gives the objects that it prints."""

    def run(*arguments):
        assert main(["search", *arguments, "--runs-dir", str(tmp_path / "runs"), "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.slow
def test_a_search_is_started_shown_gone_on_with_and_forgotten(search, tmp_path, capsys):
    trials = search("start", "one", "--vary", "lr=0.001..0.1", "--vary", "hidden=8..32", "--trials", "2", *SAMPLE)
    assert [trial["number"] for trial in trials] == [0, 1]
    assert search() == search("list")
    assert [(one["name"], one["state"], one["trials"]) for one in search("list")] == [("one", "finished", 2)]
    search("resume", "one", "--trials", "3")
    assert len(search("show", "one")) == 3
    assert main(["search", "show", "one", "--runs-dir", str(tmp_path / "runs")]) == 0
    assert "Best: " in capsys.readouterr().out
    search("delete", "one")
    assert search("list") == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["start", "one", "--vary", "lr=1..0.1"], "upside down"),
        (["start", "one", "--vary", "width"], "has no such hyperparameter"),
        (["start", "../one"], "A search's name"),
        (["start", "one", "--trials", "0"], "trials must be above 0"),
        (["start", "one", "--goal", "own"], "where a set"),
        (["show", "one"], "There is no search"),
        (["resume", "one"], "There is no search"),
        (["list", "--storage", "x"], "no database's URL"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(arguments, part, tmp_path, capsys):
    assert main(["search", *arguments, "--runs-dir", str(tmp_path / "runs")]) == 2
    said = capsys.readouterr().err
    assert part in said
    assert said.count("\n") == 1
