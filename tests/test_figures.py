import json

import pytest

from mnist_core import figures

RECORDS = [
    {"event": "start", "first_loss": 2.3},
    {"event": "step", "step": 20, "loss": 1.0, "accuracy": 0.5},
    {"event": "step", "step": 40, "loss": 0.5, "accuracy": 0.8},
    {"event": "epoch", "step": 40, "val_loss": 0.4, "val_accuracy": 0.9},
    {"event": "end", "reason": "stopped"},
]


def test_probabilities_are_ten_bars_the_likeliest_strong():
    figure = figures.probabilities([0.05] * 7 + [0.6] + [0.025] * 2)
    (bars,) = figure.data
    assert list(bars.x) == [str(digit) for digit in range(10)]
    assert bars.y[7] == 0.6
    assert [digit for digit in range(10) if bars.marker.opacity[digit] == 1] == [7]


def test_curves_hold_the_records_points():
    loss, accuracy = figures.loss_curves(RECORDS), figures.accuracy_curves(RECORDS)
    assert [series["data"] for series in loss["series"]] == [[[0, 2.3], [20, 1.0], [40, 0.5]], [[40, 0.4]]]
    assert [series["data"] for series in accuracy["series"]] == [[[20, 0.5], [40, 0.8]], [[40, 0.9]]]
    json.dumps(loss, allow_nan=False)


def test_curves_without_points_are_empty():
    assert [series["data"] for series in figures.loss_curves([])["series"]] == [[], []]


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 25_000])
def test_a_curve_never_has_more_points_than_can_be_seen(count):
    points = [(step, float(step)) for step in range(count)]
    thin = figures.thinned(points)
    assert len(thin) == count if count <= 1_000 else 500 <= len(thin) <= 1_000
    if count:
        assert thin[-1][0] == count - 1
        weighted = sum(value for _, value in thin) / len(thin)
        assert weighted == pytest.approx(sum(value for _, value in points) / count, rel=0.01)


def test_a_long_curve_stays_small():
    records = [{"event": "step", "step": step, "loss": 1 / step, "accuracy": 0.123456} for step in range(1, 100_000)]
    assert len(json.dumps(figures.loss_curves(records))) < 20_000
