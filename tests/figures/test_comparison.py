"""Figures of runs side by side: what is drawn is what was given."""

import pytest

from mnist_core import metrics
from mnist_core.figures import comparison
from mnist_core.figures.comparison import Point


@pytest.mark.parametrize("cost", ["parameters", "seconds"])
def test_the_board_draws_each_interval_on_its_axis_of_errors(cost):
    accuracies = [0.99, 1.0]
    points = [
        Point(f"model {index}", accuracy, metrics.interval(round(accuracy * 10_000), 10_000), 100, 10.0, index == 0)
        for index, accuracy in enumerate(accuracies)
    ]
    figure = comparison.board(points, cost)
    for mark, point in zip(figure.data[1:], points, strict=True):
        worst, best = 1 - point.interval[0], max(1 - point.interval[1], 0.00005)
        assert mark.y[0] + mark.error_y.array[0] == pytest.approx(worst)
        assert mark.y[0] - mark.error_y.arrayminus[0] == pytest.approx(best)
        assert best > 0  # the axis is logarithmic
        assert f"{point.interval[0]:.2%} to {point.interval[1]:.2%}" in mark.customdata[0]
