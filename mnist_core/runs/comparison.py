"""Runs compared: their curves on one axis, and whether one reads more right than the other by more than chance."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mnist_core.config import TrainConfig
from mnist_core.records import Record
from mnist_core.runs.curves import Curve, Smoothed

AXES = ("step", "epoch", "seconds")
FIGURES = ("val_accuracy", "val_loss", "accuracy", "loss", "lr")  # what there are curves of
MOST_POINTS = 1_000  # of one curve
CHANCE = 0.05  # a difference that chance alone makes more often than this is none to speak of


def curve(
    config: TrainConfig, records: Sequence[Record], figure: str, axis: str = "step", smoothing: float = 0
) -> list[tuple[float, float]]:
    """Points (x, y) of a run's curve, at most 1,000, from its `records`.

    `figure` is one of FIGURES, "val_" standing for the validation images at each epoch's end, the others for each
    report of the training. `axis` is one of AXES; seconds are those spent on training steps. `smoothing` is the number
    of steps over which the mean forgets, whatever the length of the run and however often it reports; the validation's
    points are few and stay as they are.
    """
    start = next((record for record in records if record["event"] in ("start", "resume")), None)
    if start is None:
        return []
    epoch_steps = start["steps"] / start["epochs"]
    trace, smooth = Curve(MOST_POINTS), Smoothed(smoothing) if smoothing else None
    step, seconds = 0, 0.0
    for record in records:
        if record["event"] == "step":
            images = (record["step"] - step) * config.training_images / epoch_steps
            seconds += images / record["images_per_s"]
            step = record["step"]
        if (record["event"] == "step" or record["event"] == "epoch") and figure in record:
            x = {"step": record["step"], "epoch": record["step"] / epoch_steps, "seconds": seconds}[axis]
            y: float = record[figure]  # type: ignore[literal-required]
            trace.add(x, smooth.add(record["step"], y) if smooth and record["event"] == "step" else y)
    return trace.points


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve to be drawn, of one run or of several as their mean: `x`, `y` and the standard deviation, each (N,).

    The deviation is 0 for a single run.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]


def together(curves: Sequence[Sequence[tuple[float, float]]]) -> Line:
    """Runs of one config with several seeds as one line, point by point as far as the shortest of their curves goes."""
    length = min((len(points) for points in curves), default=0)
    if not length:
        return Line(np.zeros(0), np.zeros(0), np.zeros(0))
    points = np.array([list(points[:length]) for points in curves], np.float64)  # (runs, N, 2)
    several = len(curves) > 1
    deviation = points[..., 1].std(axis=0, ddof=1) if several else np.zeros(length)
    return Line(points[..., 0].mean(0), points[..., 1].mean(0), deviation)


@dataclasses.dataclass(frozen=True)
class Difference:
    """Two models on the same images: how many only the one reads right, how many only the other, and how likely chance
    alone makes them differ by as much or more.
    """

    only_one: int
    only_other: int
    p_value: float

    @property
    def is_chance(self) -> bool:
        """Whether the difference is no larger than what chance often makes."""
        return self.p_value > CHANCE


def mcnemar(one_right: npt.NDArray[np.bool_], other_right: npt.NDArray[np.bool_]) -> Difference:
    """McNemar's test (1947) of two models on the same images: whether each (N,) was read right.

    Exact: of the images that only one of them reads right, each would be either's with the same probability.
    """
    from scipy.stats import binomtest  # takes a second, for which a page need not wait

    only_one, only_other = int((one_right & ~other_right).sum()), int((other_right & ~one_right).sum())
    apart = only_one + only_other
    return Difference(only_one, only_other, float(binomtest(only_one, apart).pvalue) if apart else 1.0)


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """The indices of the points that no other beats: none has at most the cost and at least the gain, and one better.

    In the order of their costs.
    """
    front: list[int] = []
    best = -math.inf
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i])):
        if gains[index] > best:
            front.append(index)
            best = gains[index]
    return front
