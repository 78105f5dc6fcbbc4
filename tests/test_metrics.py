import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest

from mnist_core import metrics


def test_figures_are_those_counted_by_hand():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 10, 500)
    predicted = np.where(rng.random(500) < 0.7, true, rng.integers(0, 10, 500))
    matrix = metrics.confusion_matrix(true, predicted)
    pairs = list(zip(true.tolist(), predicted.tolist(), strict=True))
    assert matrix.tolist() == [[pairs.count((row, column)) for column in range(10)] for row in range(10)]
    for digit, figures in enumerate(metrics.per_class(true, predicted)):
        right, images, answers = matrix[digit, digit], (true == digit).sum(), (predicted == digit).sum()
        assert (figures.digit, figures.images) == (digit, images)
        assert figures.precision == pytest.approx(right / answers)
        assert figures.recall == pytest.approx(right / images)
        assert figures.f1 == pytest.approx(2 * right / (images + answers))
        assert [type(value) for value in dataclasses.astuple(figures)] == [int, int, float, float, float]  # for JSON


def test_a_digit_that_never_occurs_has_zeros():
    true, predicted = np.array([1, 1]), np.array([1, 2])
    assert metrics.confusion_matrix(true, predicted).shape == (10, 10)
    figures = metrics.per_class(true, predicted)
    assert figures[0] == metrics.ClassFigures(0, 0, 0.0, 0.0, 0.0)
    assert figures[1] == metrics.ClassFigures(1, 2, 1.0, 0.5, pytest.approx(2 / 3))


def test_the_interval_is_wilsons_by_hand():
    # Newcombe (1998), Statistics in Medicine 17, table I: method 3
    assert metrics.interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert metrics.interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert metrics.interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert metrics.interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@pytest.mark.parametrize("images", [1, 2, 10, 359, 10_000])
def test_the_interval_is_scipys(images):
    for right in sorted({0, 1, images // 3, images // 2, images - 1, images}):
        theirs = binomtest(right, images).proportion_ci(method="wilson")
        assert metrics.interval(right, images) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


@pytest.mark.parametrize("images", [1, 3, 20, 10_000])
def test_the_interval_stays_within_0_and_1(images):
    low, high = metrics.interval(0, images)
    assert low == pytest.approx(0.0, abs=1e-12)
    assert 0 <= low < high < 1
    low, high = metrics.interval(images, images)
    assert 0 < low < high <= 1
    assert high == pytest.approx(1.0)


def test_no_images_leave_all_open():
    assert metrics.interval(0, 0) == (0.0, 1.0)


def test_more_images_narrow_the_interval():
    widths = [high - low for low, high in (metrics.interval(9 * n, 10 * n) for n in (1, 10, 100, 1_000))]
    assert widths == sorted(widths, reverse=True)


def test_what_is_mixed_up_comes_the_worst_first_without_what_is_right():
    matrix = np.diag(np.arange(10, 20))
    matrix[4, 9], matrix[7, 1], matrix[1, 7] = 12, 3, 3
    assert metrics.mix_ups(matrix) == [(4, 9, 12), (1, 7, 3), (7, 1, 3)]
    assert metrics.mix_ups(np.diag(np.arange(10))) == []
