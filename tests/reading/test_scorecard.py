import numpy as np
import pytest

from mnist_core import dataset
from mnist_core.calibration import calibration_error
from mnist_core.reading import catalog, predictor, scorecard
from mnist_core.reading.pen_strokes import DrawnDigits
from tests.conftest import needs_mnist


@pytest.mark.slow
@needs_mnist
def test_a_models_figures_are_measured():
    test = dataset.load_test("mnist")
    some = slice(0, 300)
    drawn = DrawnDigits(test.images[some].numpy(), test.labels[some].numpy(), np.array(["a"] * 150 + ["b"] * 150))
    row = scorecard.measure("cnn", drawn)
    assert row["test_accuracy"] == pytest.approx(catalog.card("cnn")["test_accuracy"], abs=2e-4)
    low, high = row["test_interval"]
    assert low < row["test_accuracy"] < high
    assert row["drawn_accuracy"] > 0.98
    probabilities = predictor.load("cnn").predict(test.images.numpy())[0]
    assert row["calibration_error"] == calibration_error(probabilities, test.labels.numpy())
    assert row["calibration_error"] <= 0.005
    assert row["digits_accepted"] >= 0.98
    assert row["letters_rejected"] >= 0.95
    assert row["scribbles_rejected"] >= 0.9


def test_the_table_has_a_column_for_each_model_and_a_dash_for_what_is_not_known():
    rows = [{"model": "one", "parameters": 7850, "test_accuracy": 0.925}, {"model": "other", "drawn_accuracy": 0.5}]
    head, *lines = scorecard.table(rows).splitlines()
    assert head.split() == ["one", "other"]
    found = {line[:18].strip(): line[18:].split() for line in lines}
    assert found["parameters"] == ["7,850", "-"]
    assert found["MNIST test"] == ["92.50%", "-"]
    assert found["drawn"] == ["-", "50.00%"]


def test_letters_and_scribbles_are_images_as_networks_see_them():
    for images in (scorecard.printed_letters(), scorecard.scribbles()):
        assert images.shape[1:] == (28, 28)
        assert images.dtype == np.uint8
        assert (images.max((1, 2)) == 255).all()
        assert (images.any(2).sum(1) <= 20).all()
