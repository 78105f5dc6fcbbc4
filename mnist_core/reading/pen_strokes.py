"""Pen strokes of digits that people wrote, drawn as the app's canvas would show them: a measure beside MNIST.

No network is trained on them.
"""

import dataclasses
import pathlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mnist_core import drawing
from mnist_core.drawing import Pixels
from mnist_core.errors import DatasetError
from mnist_core.metrics import Labels

CANVAS = 280  # pixels, square
PEN_WIDTHS = (8, 14, 20, 28)  # pixels, in turn
SIZES = 0.35, 0.9  # longer side of a digit as a share of the canvas
SIZES_IN_NUMBERS = 0.35, 0.6
GAPS = 12, 40  # pixels between two digits of a number
FINER = 2  # times the canvas' resolution at which a digit is drawn, for smooth edges

Stroke = npt.NDArray[np.float64]  # points (N, 2), x and y down


@dataclasses.dataclass(frozen=True)
class DrawnDigits:
    """Drawings as a network sees them, (N, 28, 28), uint8, what they are, (N,), and whose, (N,) names of sources."""

    images: Pixels
    labels: Labels
    sources: npt.NDArray[np.str_]

    def macro_accuracy(self, digits: Labels) -> float:
        """The share of right `digits` (N,), 0 to 9, in each source; the mean over the sources."""
        right = digits == self.labels
        return float(np.mean([right[self.sources == source].mean() for source in np.unique(self.sources)]))


@dataclasses.dataclass(frozen=True)
class DrawnNumber:
    """Digits side by side that do not touch, on a canvas (280, W), uint8, white on black."""

    number: str
    image: Pixels


def load(path: pathlib.Path, seed: int = 0) -> DrawnDigits:
    """The digits of an .npz file, as in `_read`, each drawn at a random size and place. Raises DatasetError."""
    digits, labels, sources = _read(path)
    rng = np.random.default_rng(seed)
    order, images = [], []
    for source in np.unique(sources):
        for turn, digit in enumerate(rng.permutation(np.flatnonzero(sources == source))):
            order.append(digit)
            drawn = draw(digits[digit], rng, PEN_WIDTHS[turn % len(PEN_WIDTHS)])
            images.append(drawing.to_mnist(drawn))
    return DrawnDigits(np.stack(images), labels[order], sources[order])


def load_numbers(path: pathlib.Path, count: int, seed: int = 0) -> list[DrawnNumber]:
    """Numbers of two to six digits of the file, as in `_read`, each digit at a random size. Raises DatasetError."""
    digits, labels, _ = _read(path)
    rng = np.random.default_rng(seed)
    numbers = []
    for turn in range(count):
        chosen = rng.integers(0, len(digits), rng.integers(2, 7))
        columns = []
        for digit in chosen:
            drawn = draw(digits[digit], rng, PEN_WIDTHS[turn % len(PEN_WIDTHS)], SIZES_IN_NUMBERS)
            inked = np.flatnonzero(drawn.any(0))
            columns += [np.zeros((CANVAS, rng.integers(*GAPS)), np.uint8), drawn[:, inked[0] : inked[-1] + 1]]
        columns.append(np.zeros((CANVAS, GAPS[1]), np.uint8))
        numbers.append(DrawnNumber("".join(str(labels[digit]) for digit in chosen), np.hstack(columns)))
    return numbers


def _read(path: pathlib.Path) -> tuple[list[list[Stroke]], Labels, npt.NDArray[np.str_]]:
    """The strokes of each digit, what it is, and the name of its source.

    The file holds `points` (P, 2) of all strokes one behind the other, `stroke_lengths` (S,) in points,
    `strokes_per_digit`, `labels` and `source` (N,), and `sources`, the names that `source` counts. Raises DatasetError
    for a file that does not.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            strokes = np.split(file["points"].reshape(-1, 2).astype(np.float64), np.cumsum(file["stroke_lengths"])[:-1])
            ends = np.cumsum(file["strokes_per_digit"])
            digits = [strokes[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            labels, sources = file["labels"].astype(np.int64), file["sources"].astype(str)[file["source"]]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DatasetError(f"{path} holds no pen strokes that can be read: {error}.") from error
    return digits, labels, sources


def draw(strokes: list[Stroke], rng: np.random.Generator, pen_width: int, sizes: tuple[float, float] = SIZES) -> Pixels:
    """The strokes on a canvas (280, 280), uint8, white on black, at a random size and place.

    `sizes` bound the longer side of the digit as a share of the canvas.
    """
    points = np.concatenate(strokes)
    low, extent = points.min(0), np.ptp(points, axis=0)
    scale = rng.uniform(*sizes) * CANVAS / max(extent.max(), 1.0)
    free = np.maximum(CANVAS - extent * scale - pen_width, 0.0)
    corner = rng.uniform(0, 1, 2) * free + pen_width / 2
    image = Image.new("L", (CANVAS * FINER, CANVAS * FINER))
    pen = ImageDraw.Draw(image)
    radius = pen_width * FINER / 2
    for stroke in strokes:
        path = [tuple(point) for point in ((stroke - low) * scale + corner) * FINER]
        if len(path) > 1:
            pen.line(path, fill=255, width=int(2 * radius), joint="curve")
        for x, y in path:  # round ends and joints
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return np.asarray(image.resize((CANVAS, CANVAS), Image.Resampling.BOX))
