import json

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_core.figures import inside as figures


def test_what_adds_is_orange_and_what_takes_away_blue():
    (bars,) = figures.worths(["7", "3"], [0.5, -0.25]).data
    assert list(bars.x) == ["7", "3"]
    assert list(bars.y) == [0.5, -0.25]
    assert list(bars.marker.color) == [figures.VALIDATION, figures.TRAINING]


@pytest.mark.parametrize("logits", [np.arange(10.0), -np.arange(10.0), np.zeros(10)])
def test_logits_stand_above_what_the_softmax_makes_of_them(logits):
    probabilities = np.exp(logits) / np.exp(logits).sum()
    figure = figures.logits_to_probabilities(logits.tolist(), probabilities.tolist())
    above, below = figure.data
    assert list(above.y) == logits.tolist()
    assert list(below.y) == probabilities.tolist()
    assert figure.layout.yaxis2.domain[0] > figure.layout.yaxis.domain[1]
    low, high = figure.layout.yaxis2.range
    assert low <= logits.min()
    assert high >= logits.max()


def test_a_curve_keeps_its_frame_however_much_of_it_there_is():
    for curve in ([(0, 1.0)], [(0, 1.0), (5, 0.5), (10, 0.1)]):
        figure = figures.accuracy_by_strength(curve, (0, 10), "pixels", 4)
        assert list(figure.data[0].y) == [accuracy for _, accuracy in curve]
        assert figure.layout.xaxis.range[0] <= 0
        assert figure.layout.xaxis.range[1] >= 10
        assert figure.layout.shapes[0].x0 == 4


def test_points_of_the_space_say_which_image_they_are():
    rng = np.random.default_rng(0)
    places, truth = rng.normal(size=(40, 2)), np.arange(40) % 10
    read, numbers = truth.copy(), np.arange(100, 140)
    read[3] = 8
    figure = figures.space(places, truth, read, numbers, [0.5, 0.25], places[:3])
    digits, (nearest, yours) = figure.data[:10], figure.data[10:]
    assert [trace.name for trace in digits] == [str(digit) for digit in range(10)]
    assert sorted(int(number) for trace in digits for number in trace.customdata) == numbers.tolist()
    crosses = [
        int(number)
        for trace in digits
        for number, symbol in zip(trace.customdata, trace.marker.symbol, strict=True)
        if symbol == "x"
    ]
    assert crosses == [103]
    assert len(nearest.x) == 3
    assert (yours.x[0], yours.y[0]) == (0.5, 0.25)
    assert len(set(figures.DIGITS)) == 10


def test_shares_are_in_their_order_from_the_top():
    (bars,) = figures.shares({"all": 0.9, "without": 0.5}, [(0.8, 0.95), (0.4, 0.6)]).data
    assert list(bars.y) == ["all", "without"]
    assert list(bars.x) == [0.9, 0.5]
    assert np.allclose(bars.error_x.array, [0.05, 0.1])
    assert np.allclose(bars.error_x.arrayminus, [0.1, 0.1])


def test_figures_are_plain_json():
    made = [
        figures.worths(["1"], [1.0]),
        figures.logits_to_probabilities([0.0] * 10, [0.1] * 10),
        figures.accuracy_by_strength([(0, 1.0)], (0, 1), "pixels", 0),
        figures.shares({"all": 1.0}, [(0.9, 1.0)]),
    ]
    assert all(isinstance(figure, go.Figure) and json.loads(figure.to_json()) for figure in made)
