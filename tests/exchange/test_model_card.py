import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mnist_core.__main__ import main
from mnist_core.errors import ModelError, RunError
from mnist_core.exchange.model_card import export
from mnist_core.reading import catalog, predictor
from mnist_core.reading.pen_strokes import DrawnDigits


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Where shipped models are, for this test alone."""
    (tmp_path / "pretrained").mkdir()
    monkeypatch.setattr(catalog, "PRETRAINED", tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_an_exported_run_is_a_shipped_model(finished, shelf):
    export([finished], shelf / "own.safetensors")
    assert "own" in catalog.shipped()
    ours, theirs = load_file(finished.weights), load_file(shelf / "own.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert predictor.load("own").config == finished.config()
    assert catalog.card("own")["test_accuracy"] == finished.end()["test_accuracy"]


@pytest.mark.parametrize(
    ("name", "part"), [("none/own.safetensors", "cannot be written: No such file"), ("own.json", "must end in")]
)
def test_an_export_that_cannot_be_written_is_said(finished, tmp_path, name, part):
    with pytest.raises(ModelError, match=part):
        export([finished], tmp_path / name)
    assert not (tmp_path / name).exists()


def test_only_a_finished_run_can_be_exported(small, store, tmp_path):
    run = store.create(small)
    save_file({}, run.weights)
    with pytest.raises(RunError, match="has not finished"):
        export([run], tmp_path / "own.safetensors")


def test_of_several_seeds_the_best_on_validation_is_written_with_the_figures_of_all(shelf, trained):
    runs = [trained(seed=seed) for seed in (3, 4, 5)]
    drawn = DrawnDigits(np.zeros((2, 28, 28), np.uint8), np.array([0, 1]), np.array(["a", "b"]))
    export(runs, shelf / "own.safetensors", drawn)
    ends = [run.end() for run in runs]
    best = max(range(3), key=lambda i: ends[i]["val_accuracy"] + ends[i]["changed_accuracy"])
    card = json.loads((shelf / "own.json").read_text())
    assert card["seed"] == card["config"]["seed"] == best + 3
    assert f"--seed {best + 3} " in card["command"]
    assert [one["seed"] for one in card["all_seeds"]] == [3, 4, 5]
    assert [one["test_accuracy"] for one in card["all_seeds"]] == [end["test_accuracy"] for end in ends]
    assert card["test_accuracy_mean"] == pytest.approx(np.mean([end["test_accuracy"] for end in ends]), abs=1e-5)
    assert all(one["drawn_accuracy"] in (0, 0.5) for one in card["all_seeds"])
    ours, theirs = load_file(runs[best].weights), load_file(shelf / "own.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    loaded = predictor.load("own")
    assert loaded.calibration.temperature == ends[best]["temperature"]
    assert loaded.calibration.threshold == ends[best]["threshold"]


def test_runs_that_differ_in_more_than_the_seed_are_exported_apart(finished, tmp_path, trained):
    other = trained(lr=0.02)
    with pytest.raises(RunError, match="differ in more than their seed"):
        export([finished, other], tmp_path / "own.safetensors")
    assert not (tmp_path / "own.safetensors").exists()


def test_a_shipped_model_is_exported_as_it_is(tmp_path):
    path = tmp_path / "copy.safetensors"
    assert main(["export", "tiny", "--out", str(path)]) == 0
    ours, theirs = load_file(catalog.weights_path("tiny")), load_file(path)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert json.loads(path.with_suffix(".json").read_text()) == catalog.card("tiny")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["tiny", "cnn"], "tiny is a shipped model"),
        (["tiny", "--strokes", "x.npz"], "tiny is a shipped model"),
        (["tiny", "cnn", "--format", "onnx"], "one model is exported at a time"),
        (["tiny", "--strokes", "x.npz", "--format", "onnx"], "one model is exported at a time"),
        (["nope", "--format", "onnx"], "must end in .onnx"),
    ],
)
def test_an_export_that_has_no_sense_is_said(arguments, part, tmp_path, capsys):
    assert main(["export", *arguments, "--out", str(tmp_path / "own.safetensors")]) == 2
    assert part in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
