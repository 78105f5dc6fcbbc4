import itertools
import math

import numpy as np
import pytest

from mnist_core.config import TrainConfig
from mnist_core.runs.comparison import AXES, FIGURES, MOST_POINTS, curve, mcnemar, pareto_front

CONFIG = TrainConfig(data="sample", batch_size=125, epochs=2)  # 1,250 images: 10 steps an epoch


def records(report_every: int = 2, speed: float = 500.0) -> list[dict]:
    """What a training of CONFIG with a loss of 1 / step would report."""
    made: list[dict] = [{"event": "start", "steps": 20, "epochs": 2}]
    for step in range(report_every, 21, report_every):
        figures = {"loss": 1 / step, "accuracy": step / 20, "lr": 0.1, "images_per_s": speed}
        made.append({"event": "step", "step": step, **figures})
        if step % 10 == 0:
            made.append({"event": "epoch", "epoch": step // 10, "step": step, "val_loss": 2.0, "val_accuracy": 0.5})
    return made


def test_a_curve_has_its_points_on_each_axis():
    assert curve(CONFIG, records(), "loss") == [(step, pytest.approx(1 / step)) for step in range(2, 21, 2)]
    assert [x for x, _ in curve(CONFIG, records(), "loss", "epoch")] == pytest.approx(np.arange(0.2, 2.1, 0.2))
    # 2,500 images at 500 a second
    assert [x for x, _ in curve(CONFIG, records(), "loss", "seconds")] == pytest.approx(np.arange(0.5, 5.1, 0.5))
    assert curve(CONFIG, records(), "val_accuracy", "seconds") == [(2.5, 0.5), (5.0, 0.5)]


@pytest.mark.parametrize(("figure", "axis"), [*itertools.product(FIGURES, AXES)])
def test_a_run_that_has_not_begun_has_no_points(figure, axis):
    assert curve(CONFIG, [], figure, axis) == []
    assert curve(CONFIG, records()[:1], figure, axis) == []


def test_smoothing_depends_neither_on_the_length_nor_on_how_often_a_run_reports():
    short, long = (curve(CONFIG, records()[:length], "accuracy", smoothing=5) for length in (7, None))
    assert long[: len(short)] == short
    often, seldom = (dict(curve(CONFIG, records(every), "lr", smoothing=5)) for every in (1, 5))
    assert often[20] == pytest.approx(seldom[20]) == pytest.approx(0.1)
    # what is 5 steps ago counts 1 / e of what is now
    made = [
        records()[0],
        *({"event": "step", "step": step, "images_per_s": 1.0, "loss": step // 10.0} for step in (5, 10)),
    ]
    (_, first), (_, second) = curve(CONFIG, made, "loss", smoothing=5)
    assert (first, second) == (0, pytest.approx(1 / (1 + np.exp(-1))))


def test_a_long_run_takes_as_many_points_as_can_be_seen():
    made = [{"event": "start", "steps": 50_000, "epochs": 1}]
    made += [{"event": "step", "step": step, "loss": 1.0, "images_per_s": 1.0} for step in range(1, 50_001)]
    points = curve(CONFIG, made, "loss")
    assert len(points) <= MOST_POINTS
    assert points[-1][0] == 50_000


@pytest.mark.parametrize(
    ("only_one", "only_other"), [(0, 0), (5, 5), (1, 0), (10, 2), (2, 10), (400, 300), (9_000, 1_000)]
)
def test_mcnemar_is_the_binomial_test_of_the_images_that_only_one_reads_right(only_one, only_other):
    one = np.repeat([True, False, True, False], [only_one, only_other, 50, 20])
    other = np.repeat([False, True, True, False], [only_one, only_other, 50, 20])
    difference = mcnemar(one, other)
    assert (difference.only_one, difference.only_other) == (only_one, only_other)
    # the lower tail of the binomial distribution, twice; its middle is counted in both
    apart = only_one + only_other
    oracle = min(1.0, 2 * sum(math.comb(apart, k) for k in range(min(only_one, only_other) + 1)) / 2**apart)
    assert difference.p_value == pytest.approx(oracle)
    assert difference.is_chance == (oracle > 0.05)


def test_the_front_holds_what_no_other_beats():
    costs, gains = [1, 2, 2, 3, 4, 0.5], [0.9, 0.8, 0.95, 0.95, 0.99, 0.5]
    assert pareto_front(costs, gains) == [5, 0, 2, 4]
    assert pareto_front([], []) == []
    assert pareto_front([1, 1], [0.5, 0.5]) == [0]
