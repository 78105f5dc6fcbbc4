"""Figures of how well digits are read, from true and predicted labels."""

import dataclasses

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]


def confusion_matrix(true: Labels, predicted: Labels) -> npt.NDArray[np.int64]:
    """How often each digit was read as which: (10, 10), rows true, columns predicted. Both arrays (N,), 0 to 9."""
    matrix = np.zeros((10, 10), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


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
