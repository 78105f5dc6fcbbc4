"""What bringing a drawing to MNIST's form is worth: digits as people draw them, read with and without its steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from PIL import Image

from mnist_core import drawing, metrics
from mnist_core.dataset import Dataset
from mnist_core.drawing import Pixels
from mnist_core.inside import damage
from mnist_core.reading.predictor import Predictor

CANVAS = 112  # pixels, side of the canvases
SIZES = (0.3, 0.9)  # of the canvas, the digit's longer side
PENS = (-0.75, 2.0)  # pixels of 28 by which the pen is thinner or thicker
DRAWN = 1_000  # images
A_LOOK = 50  # images between two reports
SEED = 0

# What is left out, by its name on the page.
VARIANTS: dict[str, tuple[str, ...]] = {
    "all steps": drawing.STEPS,
    **{f"without {left_out}": tuple(step for step in drawing.STEPS if step != left_out) for left_out in drawing.STEPS},
    "no step": (),
}


def as_drawn(images: Pixels, random: np.random.Generator) -> list[Pixels]:
    """The digits of images (N, 28, 28), uint8, each on a canvas (CANVAS, CANVAS) of its own, uint8.

    Each has a size, a place and a pen of its own by chance, as digits have that people draw.
    """
    canvases = []
    for image in images:
        pen = damage.IMAGE_DAMAGES["thicken"].apply_to_one(image, float(random.uniform(*PENS)))
        ink = pen if pen.any() else image  # a pen made too thin leaves nothing
        left, top, right, bottom = drawing.follow(ink).box
        side = CANVAS * float(random.uniform(*SIZES))
        scale = side / max(right - left, bottom - top)
        width, height = (max(1, round((end - begin) * scale)) for begin, end in ((left, right), (top, bottom)))
        digit = Image.fromarray(ink[top:bottom, left:right]).resize((width, height), Image.Resampling.BICUBIC)
        canvas = np.zeros((CANVAS, CANVAS), np.uint8)
        y, x = (int(random.integers(0, CANVAS - length + 1)) for length in (height, width))
        canvas[y : y + height, x : x + width] = np.asarray(digit)
        canvases.append(canvas)
    return canvases


@dataclasses.dataclass(frozen=True)
class Measured:
    """Of so many drawn `images`, how many were read `right` with each of VARIANTS."""

    images: int
    right: dict[str, int]

    def share(self, variant: str) -> float:
        return self.right[variant] / self.images

    def interval(self, variant: str) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return metrics.interval(self.right[variant], self.images)

    def is_chance(self, variant: str) -> bool:
        """Whether the variant's interval and that of all steps overlap, so that it may be no worse."""
        return self.interval(variant)[1] >= self.interval("all steps")[0]


def measure(model: Predictor, test: Dataset) -> Iterator[tuple[float, Measured]]:
    """How many of the first DRAWN test images `model` reads right when they are drawn on canvases and brought to
    MNIST's form with each of VARIANTS: the share of the work that is done, and the figures so far, again and again."""
    some = test[:DRAWN]
    labels = some.labels.numpy()
    right = dict.fromkeys(VARIANTS, 0)
    random = np.random.default_rng(SEED)
    for begin in range(0, len(labels), A_LOOK):
        canvases = as_drawn(some.images[begin : begin + A_LOOK].numpy(), random)
        truth = labels[begin : begin + A_LOOK]
        for name, steps in VARIANTS.items():
            prepared = np.stack([drawing.follow(canvas, steps).image for canvas in canvases])
            right[name] += int((model.predict(prepared)[0].argmax(1) == truth).sum())
        done = begin + len(truth)
        yield done / len(labels), Measured(done, dict(right))
