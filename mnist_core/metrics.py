"""Figures of how well digits are read, from true and predicted labels."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]


def confusion_matrix(true: Labels, predicted: Labels) -> npt.NDArray[np.int64]:
    """How often each digit was read as which: (10, 10), rows true, columns predicted. Both arrays (N,), 0 to 9."""
    # not by scikit-learn, whose metrics take 1.5 s and 118 MB to import: every server would pay for two lines
    return np.bincount(10 * true.astype(np.int64) + predicted, minlength=100).reshape(10, 10)


def mix_ups(matrix: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """What is taken for what, of a confusion matrix (10, 10): the true digit, the one that is read, and how often; the
    most frequent first, and none that never happened."""
    pairs = [(true, read, int(matrix[true, read])) for true in range(10) for read in range(10) if true != read]
    return sorted((pair for pair in pairs if pair[2]), key=lambda pair: -pair[2])


def interval(right: int, images: int) -> tuple[float, float]:
    """The range in which the true share of right answers lies with 95 % confidence, by Wilson's score (1927).

    `right` of `images` were read right; for no images the range is (0, 1).
    """
    if not images:
        return 0.0, 1.0
    # not by scipy.stats, whose import takes a second and each call 0.4 ms: the list of runs asks for thousands
    z2 = 1.959964**2  # so many standard deviations on either side hold 95 % of a normal distribution
    middle, half = right + z2 / 2, math.sqrt(z2 * (right * (images - right) / images + z2 / 4))
    return max(0.0, (middle - half) / (images + z2)), min(1.0, (middle + half) / (images + z2))


@dataclasses.dataclass(frozen=True)
class ClassFigures:
    """How one digit is read. Precision, recall and F1 are 0 where there is nothing to divide by."""

    digit: int
    images: int
    precision: float
    recall: float
    f1: float


def per_class(true: Labels, predicted: Labels) -> list[ClassFigures]:
    """The figures of each digit, from 0 to 9. Both arrays (N,), 0 to 9."""
    confusion = confusion_matrix(true, predicted)
    right, images, answers = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    shares = (
        right / np.maximum(answers, 1),
        right / np.maximum(images, 1),
        2 * right / np.maximum(images + answers, 1),
    )
    columns = (range(10), images.tolist(), *(share.tolist() for share in shares))
    return [ClassFigures(*figures) for figures in zip(*columns, strict=True)]
