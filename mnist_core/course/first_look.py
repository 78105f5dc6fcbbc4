"""What there is to see in a data set before anything is trained."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from mnist_core.dataset import Dataset


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """How many images of each digit there are, (10,), the mean image of each, (10, 28, 28), uint8, and the pixels:
    `darkest` and `brightest` of 0 to 255, and the share that is blank.
    """

    counts: npt.NDArray[np.int64]
    means: npt.NDArray[np.uint8]
    darkest: int
    brightest: int
    blank: float


def look(dataset: Dataset) -> Look:
    """Every digit 0 to 9 must be there."""
    images, labels = dataset.images.numpy(force=True), dataset.labels.numpy(force=True)
    means = np.stack([images[labels == digit].mean(0).round().astype(np.uint8) for digit in range(10)])
    counts = np.bincount(labels, minlength=10)
    return Look(counts, means, int(images.min()), int(images.max()), float((images == 0).mean()))


def in_text(image: npt.NDArray[np.uint8]) -> str:
    """An image (H, W) as the numbers it is made of, a line for each row; a blank pixel as a dot."""
    return "\n".join("".join(f"{value or '·':>4}" for value in row) for row in image.tolist())
