"""The commands about runs, as `python -m mnist_core runs` has them."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from mnist_core import dataset, metrics
from mnist_core.__main__ import main
from mnist_core.config import TrainConfig
from mnist_core.reading import predictor


@pytest.fixture
def runs(capsys, store):
    def call(*arguments: str, status: int = 0) -> str:
        """What `runs` prints."""
        assert main(["runs", *arguments, "--runs-dir", str(store.folder)]) == status
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return call


def test_runs_are_listed_the_newest_first_and_found_by_what_they_say(runs, trained):
    one, other = trained(), trained(lr=0.1)
    other.set_about(name="fast")
    assert [line.split()[0] for line in runs().splitlines()] == [other.id, one.id]
    assert runs("list") == runs()
    assert [json.loads(line)["run"] for line in runs("list", "lr 0.1", "--json").splitlines()] == [other.id]
    assert "(fast)" in runs("list", "fast")


def test_flags_may_stand_before_the_part_as_well(capsys, store, trained):
    run = trained()
    assert main(["runs", "--json", "--runs-dir", str(store.folder), "list"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == run.id


def test_a_damaged_run_is_said_and_hides_no_other(capsys, store, trained):
    one, broken = trained(), trained()
    (broken.path / "config.json").write_text("{")
    assert main(["runs", "list", "--runs-dir", str(store.folder)]) == 0
    printed = capsys.readouterr()
    assert one.id in printed.out
    assert broken.id not in printed.out
    assert broken.id in printed.err


def test_a_run_is_shown_with_what_repeats_it(runs, trained):
    run = trained()
    run.set_about(note="as in the book")
    shown = json.loads(runs("show", run.id, "--json"))
    assert shown["test_accuracy"] == run.end()["test_accuracy"]
    assert tuple(shown["test_interval"]) == metrics.interval(round(297 * shown["test_accuracy"]), 297)
    assert shown["command"] == "python -m mnist_core train --data sample --hidden 16 --epochs 2 --device cpu"
    assert {"python", "torch", "commit"} <= shown["environment"].keys()
    words = runs("show", run.id)
    assert "as in the book" in words
    assert shown["command"] in words
    assert f"{shown['test_accuracy']:.2%}" in words


def test_runs_are_compared_by_what_differs_and_on_the_same_images(runs, trained, store):
    ids = [trained(seed=seed).id for seed in (0, 1)] + [trained(lr=1e-6).id]
    *rows, repeated, first, second = (json.loads(line) for line in runs("compare", *ids, "--json").splitlines())
    assert [row["differing"] for row in rows] == [
        {"lr": 0.01, "seed": 0},
        {"lr": 0.01, "seed": 1},
        {"lr": 1e-6, "seed": 0},
    ]
    accuracies = [row["test_accuracy"] for row in rows]
    assert repeated == {"runs": ids[:2], "mean": np.mean(accuracies[:2]), "deviation": np.std(accuracies[:2], ddof=1)}
    test = dataset.load_test("sample")
    right = [predictor.load(name, store).predictions(test).right for name in ids]
    for other, found in ((1, first), (2, second)):
        only = int((right[0] & ~right[other]).sum()), int((right[other] & ~right[0]).sum())
        assert (found["one"], found["other"]) == (ids[0], ids[other])
        assert (found["only_one"], found["only_other"]) == only
        assert found["p_value"] == pytest.approx(binomtest(only[0], sum(only)).pvalue)
    words = runs("compare", *ids)
    assert "2 seeds of" in words
    assert "more than chance" in words


def test_runs_that_have_not_finished_are_compared_as_far_as_they_go(runs, trained, small, store):
    waiting = store.create(small)
    words = runs("compare", trained().id, waiting.id)
    assert waiting.id in words
    assert "reads" not in words


def test_runs_of_different_networks_are_compared_by_what_each_has(runs, small, store):
    one = store.create(small).id
    other = store.create(TrainConfig(model="cnn", data="sample", epochs=2, device="cpu", width=8)).id
    assert [json.loads(line)["differing"] for line in runs("compare", one, other, "--json").splitlines()] == [
        {"model": "mlp", "hidden": [16], "activation": "relu"},
        {"model": "cnn", "width": 8},
    ]
    lines = runs("compare", one, other).splitlines()
    assert lines[0].endswith("model mlp, hidden 16, activation relu, width -")
    assert lines[1].endswith("model cnn, hidden -, activation -, width 8")


def test_deleted_runs_are_brought_back(runs, trained):
    one, other = trained(), trained()
    assert runs("delete", one.id, other.id) == ""
    assert runs("list") == ""
    assert runs("restore", one.id) == ""
    assert runs("list").split()[0] == one.id


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nope"], "There is no run nope"),
        (["compare", "nope", "nope"], "There is no run nope"),
        (["delete", "../x"], "is not a run's id"),
        (["restore", "../x"], "is not a run's id"),
        (["restore", "nope"], "There is no deleted run nope"),
        (["export", "nope", "--out", "x.zip"], "There is no run nope"),
        (["import", "nope.zip"], "nope.zip"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(runs, arguments, said):
    printed = runs(*arguments, status=2)
    assert said in printed
    assert printed.count("\n") == 1


def test_one_run_is_none_to_compare(runs, trained):
    run = trained()
    assert "two or more runs" in runs("compare", run.id, run.id, status=2)


def test_of_several_to_delete_all_must_be_there(runs, trained):
    run = trained()
    runs("delete", run.id, "nope", status=2)
    assert run.id in runs("list")
