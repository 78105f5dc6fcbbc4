import math

import numpy as np
import pytest

from mnist_core.figures import course as course_figures


def test_counts_are_ten_bars_the_digits_own_strong():
    (bars,) = course_figures.counts(range(100, 110), 4).data
    assert list(bars.y) == list(range(100, 110))
    assert [digit for digit in range(10) if bars.marker.opacity[digit] == 1] == [4]
    (bars,) = course_figures.counts(range(10), None).data
    assert 1 not in bars.marker.opacity


def test_units_below_0_are_grey_where_they_are_bent():
    (bent,) = course_figures.units([2.0, -1.0], True).data
    assert list(bent.y) == [2.0, -1.0]
    assert bent.marker.opacity[1] < 1
    (straight,) = course_figures.units([2.0, -1.0], False).data
    assert set(straight.marker.opacity) == {1.0}


@pytest.mark.parametrize("probability", [0.01, 0.5, 1.0])
def test_surprise_is_marked_on_its_curve(probability):
    curve, mark = course_figures.surprise(probability).data
    assert np.allclose(curve.y, -np.log(curve.x))
    assert (mark.x[0], mark.y[0]) == (probability, pytest.approx(-math.log(probability)))


def test_losses_after_one_step_with_the_one_before_as_a_line():
    figure = course_figures.one_step([0.1, 1, 10], [2.0, 1.5, 900.0], 2.3)
    assert list(figure.data[0].y) == [2.0, 1.5, 900.0]
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == 2.3
    assert figure.layout.yaxis.range[1] < 900
    assert figure.layout.xaxis.type == "log"
