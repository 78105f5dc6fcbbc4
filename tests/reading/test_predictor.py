import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core import dataset, drawing, evaluation
from mnist_core.calibration import Calibration
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError, RunError
from mnist_core.presets import RECIPES
from mnist_core.reading import catalog, predictor
from tests.conftest import NESTED, needs_mnist


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A copy of the shipped models that a test may damage."""
    shutil.copytree(catalog.PRETRAINED, tmp_path / "pretrained")
    monkeypatch.setattr(catalog, "PRETRAINED", tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_the_default_is_shipped_and_stands_first():
    assert catalog.shipped()[0] == catalog.DEFAULT_MODEL == "cnn"
    assert set(catalog.shipped()) == set(RECIPES)


@pytest.mark.parametrize("name", catalog.shipped())
def test_a_shipped_model_reads_the_sample_and_has_a_whole_card(name):
    card = catalog.card(name)
    command = card["command"].split()
    assert command[:4] == ["python", "-m", "mnist_core", "train"]
    assert command[4:6] == ["--recipe", name]
    config = TrainConfig.from_dict(card["config"])
    assert dataclasses.replace(config, seed=0) == RECIPES[name].config
    assert command[6:] == TrainConfig(seed=config.seed).flags()
    assert {"device", "seconds", "versions", "val_accuracy", "temperature", "threshold", "parameters"} <= card.keys()
    assert card["seeds"] == len(card["all_seeds"]) >= 2
    for figure in ("test_accuracy", "drawn_accuracy"):
        assert card[f"{figure}_mean"] == pytest.approx(np.mean([one[figure] for one in card["all_seeds"]]), abs=1e-4)
    best = max(card["all_seeds"], key=lambda one: one["val_accuracy"] + one["changed_accuracy"])
    assert card["seed"] == best["seed"]
    test = dataset.load(TrainConfig(data="sample")).test
    # other people's hands, 8 x 8 pixels enlarged: far from MNIST, and still mostly read
    probabilities = predictor.load(name).predict(test.images.numpy())[0]
    assert (probabilities.argmax(1) == test.labels.numpy()).mean() > (0.55 if name == "softmax" else 0.7)


def test_the_shipped_models_are_small():
    assert sum(path.stat().st_size for path in catalog.PRETRAINED.iterdir()) < 6 * 2**20
    parameters = {name: catalog.card(name)["parameters"] for name in catalog.shipped()}
    assert parameters["tiny"] < 10_000
    assert parameters["cnn"] <= 300_000


@needs_mnist
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "wide" else name for name in catalog.shipped()]
)
def test_a_shipped_model_reaches_what_its_card_says(name):
    loaded = predictor.load(name)
    test = dataset.load(loaded.config).test
    accuracy = evaluation.measure(evaluation.logits(loaded.network, test.images), test.labels).accuracy
    assert accuracy == pytest.approx(catalog.card(name)["test_accuracy"], abs=2e-4)  # a tie may fall either way


def test_a_run_answers_with_its_weights(finished, store):
    loaded = predictor.load(finished.id, store)
    test = dataset.load(loaded.config).test
    accuracy = (loaded.predict(test.images.numpy())[0].argmax(1) == test.labels.numpy()).mean()
    assert accuracy == pytest.approx(finished.end()["test_accuracy"])
    assert catalog.names(store)[-1] == finished.id


def test_an_answer_is_a_distribution():
    loaded = predictor.load()
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    probabilities = loaded.predict(images)[0]
    assert probabilities.shape == (3, 10)
    assert probabilities.sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    answer = loaded.predict_one(images[1])
    assert answer.digit == probabilities[1].argmax()
    assert answer.confidence == max(answer.probabilities) == pytest.approx(probabilities[1].max(), abs=1e-5)


def test_a_model_that_is_not_there_is_named_with_those_that_are(store):
    with pytest.raises(RunError, match=r"There is no run resnet in .*Shipped models are cnn, mlp, softmax"):
        predictor.load("resnet", store)
    with pytest.raises(RunError, match="is not a run's id"):
        predictor.load("../cnn", store)


def test_a_run_without_weights_says_so(small, store):
    run = store.create(small)
    with pytest.raises(ModelError, match="has no weights yet"):
        predictor.load(run.id, store)
    assert run.id not in catalog.names(store)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], lambda content: b"", lambda content: b"\x80\x04pickle" * 100]
)
def test_damaged_weights_are_named(shelf, damage):
    path = shelf / "cnn.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"cnn\.safetensors are damaged"):
        predictor.load("cnn")


def test_weights_of_another_network_are_refused(shelf):
    shutil.copy(shelf / "mlp.safetensors", shelf / "cnn.safetensors")
    with pytest.raises(ModelError, match="belong to another network"):
        predictor.load("cnn")


@pytest.mark.parametrize("card", ["{", "[]", "{}", '{"config": {"lr": -1}}', pytest.param(NESTED, id="nested")])
def test_a_damaged_card_is_named(shelf, card):
    (shelf / "cnn.json").write_text(card)
    with pytest.raises(ModelError, match="The card of the shipped model cnn"):
        predictor.load("cnn")


def test_an_answer_names_the_runner_up_and_says_whether_it_is_a_digit():
    canvas = Image.new("L", (280, 280))
    ImageDraw.Draw(canvas).line([(70, 60), (200, 60), (120, 240)], fill=255, width=20, joint="curve")
    answer = predictor.load().predict_one(drawing.to_mnist(canvas))
    assert answer.digit == 7
    assert answer.is_digit
    assert answer.second == sorted(range(10), key=lambda digit: answer.probabilities[digit])[-2]
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    assert not predictor.load().predict_one(noise).is_digit


def test_a_run_that_trains_is_not_calibrated_and_one_that_has_finished_is(finished, store):
    end = finished.end()
    calibrated = predictor.load(finished.id, store).calibration
    assert (calibrated.temperature, calibrated.threshold) == (end["temperature"], end["threshold"])
    run = store.create(finished.config())
    shutil.copy(finished.weights, run.weights)
    assert predictor.load(run.id, store).calibration == Calibration()
    assert predictor.load(run.id, store).predict_one(np.zeros((28, 28), np.uint8)).is_digit


def test_a_damaged_calibration_is_named(shelf):
    card = json.loads((shelf / "cnn.json").read_text())
    (shelf / "cnn.json").write_text(json.dumps({**card, "temperature": "warm"}))
    with pytest.raises(ModelError, match="calibration of cnn is damaged"):
        predictor.load("cnn")
