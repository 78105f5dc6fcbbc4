"""Figures of how well digits are read, from true and predicted labels."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]


def confusion_matrix(true: Labels, predicted: Labels) -> npt.NDArray[np.int64]:
    """How often each digit was read as which: (10, 10), rows true, columns predicted. Both arrays (N,), 0 to 9."""
    matrix = np.zeros((10, 10), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def interval(right: int, images: int) -> tuple[float, float]:
    """The range in which the true share of right answers lies with 95 % confidence, by Wilson's score (1927).

    `right` of `images` were read right; for no images the range is (0, 1).
    """
    if not images:
        return 0.0, 1.0
    z = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution
    share = right / images
    middle = share + z * z / (2 * images)
    half = z * math.sqrt(share * (1 - share) / images + (z / (2 * images)) ** 2)
    whole = 1 + z * z / images
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


@dataclasses.dataclass(frozen=True)
class ClassFigures:
    """How one digit is read. Precision, recall and F1 are 0 where there is nothing to divide by."""

    digit: int
    images: int
    precision: float
    recall: float
    f1: float


def per_class(confusion: npt.NDArray[np.int64]) -> list[ClassFigures]:
    """The figures of each digit from a confusion matrix (10, 10), rows true."""
    figures = []
    for digit in range(10):
        right = int(confusion[digit, digit])
        images, answers = int(confusion[digit].sum()), int(confusion[:, digit].sum())
        figures.append(
            ClassFigures(
                digit,
                images,
                precision=right / answers if answers else 0.0,
                recall=right / images if images else 0.0,
                f1=2 * right / (images + answers) if images + answers else 0.0,
            )
        )
    return figures
