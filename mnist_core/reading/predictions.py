"""What a model reads in every image of a split: one table to filter, sort and search."""

import dataclasses
import functools
import io
import pathlib

import numpy as np
import numpy.typing as npt

from mnist_core.drawing import Pixels
from mnist_core.errors import ModelError
from mnist_core.files import oserror_as, replacing
from mnist_core.metrics import Labels

SORTS = ("loss", "confidence", "index")

Indices = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Predictions:
    """`images` (N, 28, 28), uint8, their true `labels` (N,), 0 to 9, and a model's `probabilities` (N, 10), float32.

    The probabilities are calibrated, so that confidence and loss are as well: the loss in a training's records is not.
    """

    images: Pixels
    labels: Labels
    probabilities: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    @functools.cached_property
    def digits(self) -> Labels:
        """What is read in each image: (N,), 0 to 9."""
        digits: Labels = self.probabilities.argmax(1)
        return digits

    @functools.cached_property
    def confidence(self) -> npt.NDArray[np.float32]:
        """The probability of what is read: (N,)."""
        confidence: npt.NDArray[np.float32] = self.probabilities.max(1)
        return confidence

    @functools.cached_property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each image is read right: (N,)."""
        right: npt.NDArray[np.bool_] = self.digits == self.labels
        return right

    @functools.cached_property
    def loss(self) -> npt.NDArray[np.float32]:
        """The cross-entropy of each image's probabilities in nats: (N,). Infinite where that of the truth is 0."""
        with np.errstate(divide="ignore"):
            loss: npt.NDArray[np.float32] = -np.log(self.probabilities[np.arange(len(self)), self.labels])
        return loss

    def select(
        self,
        true: int | None = None,
        read: int | None = None,
        right: bool | None = None,
        confidence: tuple[float, float] = (0.0, 1.0),
        sort: str = "index",
    ) -> Indices:
        """The images with that true digit, read as that digit, read right or wrong, and with a confidence in the range
        (both ends in it); None leaves all in.

        Sorted by "loss" (the highest first), "confidence" (the lowest first) or "index"; ties by index.
        """
        chosen = (self.confidence >= confidence[0]) & (self.confidence <= confidence[1])
        if true is not None:
            chosen &= self.labels == true
        if read is not None:
            chosen &= self.digits == read
        if right is not None:
            chosen &= self.right == right
        indices = np.flatnonzero(chosen)
        if sort == "index":
            return indices
        by = -self.loss if sort == "loss" else self.confidence
        return indices[np.argsort(by[indices], kind="stable")]

    def alike(self, index: int, count: int) -> Indices:
        """The `count` other images whose probabilities are nearest to those of image `index`, the nearest first.

        Nearest by the Hellinger distance, which minds differences between small probabilities.
        """
        roots = self._roots
        distance = ((roots - roots[index]) ** 2).sum(1)
        distance[index] = np.inf
        nearest = np.argsort(distance, kind="stable")
        return nearest[: min(count, len(self) - 1)]

    def to_csv(self) -> str:
        """The table as text, a line for each image below one with the columns' names, values apart by commas.

        `index` from 0; `true` and `read`, digits; `confidence`, 0 to 1; `right`, 1 or 0; `loss`, the cross-entropy of
        the calibrated probabilities in nats, "inf" where that of the truth is 0; `p0` to `p9`, these probabilities.
        Numbers have nine digits, from which float32 can be read back as it is.
        """
        names = ["index", "true", "read", "confidence", "right", "loss", *(f"p{digit}" for digit in range(10))]
        figures = (self.labels, self.digits, self.confidence, self.right, self.loss, self.probabilities)
        text = io.StringIO()
        table = np.column_stack([np.arange(len(self)), *figures])
        np.savetxt(text, table, fmt="%.9g", delimiter=",", header=",".join(names), comments="")
        return text.getvalue()

    def write_csv(self, path: pathlib.Path) -> None:
        """Write `to_csv` to `path`. Raises ModelError if it cannot be written."""
        with oserror_as(ModelError, f"The table cannot be written to {path}"), replacing(path) as fresh:
            fresh.write_text(self.to_csv(), encoding="utf-8")

    @functools.cached_property
    def _roots(self) -> npt.NDArray[np.float32]:
        roots: npt.NDArray[np.float32] = np.sqrt(self.probabilities)
        return roots
