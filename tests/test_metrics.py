import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from mnist_core import metrics


def test_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 10, 500)
    predicted = np.where(rng.random(500) < 0.7, true, rng.integers(0, 10, 500))
    matrix = metrics.confusion_matrix(true, predicted)
    assert np.array_equal(matrix, confusion_matrix(true, predicted, labels=range(10)))
    precision, recall, f1, images = precision_recall_fscore_support(true, predicted, labels=range(10))
    ours = metrics.per_class(matrix)
    assert [one.digit for one in ours] == list(range(10))
    assert [one.images for one in ours] == list(images)
    assert [one.precision for one in ours] == pytest.approx(precision)
    assert [one.recall for one in ours] == pytest.approx(recall)
    assert [one.f1 for one in ours] == pytest.approx(f1)


def test_a_digit_that_never_occurs_has_zeros():
    figures = metrics.per_class(metrics.confusion_matrix(np.array([1, 1]), np.array([1, 2])))
    assert figures[0] == metrics.ClassFigures(0, 0, 0.0, 0.0, 0.0)
    assert figures[1] == metrics.ClassFigures(1, 2, 1.0, 0.5, pytest.approx(2 / 3))
