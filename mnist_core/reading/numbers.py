"""Numbers of several digits: the ink is cut into parts, and a model reads the digits that they most likely make up.

Where a digit is made of parts that stand apart, such as a 5 with a loose bar, and where two digits touch, the geometry
alone does not say where one ends. So every way to group neighbouring parts is read, and the likeliest one counts: the
over-segmentation of LeCun, Bottou, Bengio and Haffner (1998, section VII), with dynamic programming.
"""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_core import drawing
from mnist_core.drawing import Grey, Pixels
from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.paper import components, page_reading
from mnist_core.paper.page_reading import Box, Ink, Part
from mnist_core.reading.predictor import Predictor

MOST_PARTS = 4  # of one digit
WIDEST = 1.4  # of the row's height, the width of a digit of several parts
APART = 0.3  # of the row's height, the gap between parts of one digit at most
SURE = 0.9  # confidence from which the whole is one digit
JOIN, GAP = 1.0, 5.0  # nats that it costs to take two parts for one digit, and for each row's height between them
CUT = 3.0  # nats that it costs to cut a part
NO_DIGIT = 3.0  # nats that it costs to take for a digit what looks like none
SMALL = 3.0  # nats that it costs to take for a digit what is less than half as high as the row


@dataclasses.dataclass(frozen=True)
class ReadDigit:
    """A digit of a number, the model's confidence in it, 0 to 1, and its box in the image, in pixels."""

    digit: int
    confidence: float
    box: Box


@dataclasses.dataclass(frozen=True)
class Number:
    """A row of digits; `number` has them as text, from left to right."""

    number: str
    digits: list[ReadDigit]


@dataclasses.dataclass(frozen=True)
class Page:
    """The `rows` of digits that are read on a page, from top to bottom; `ink` is theirs, with what was dropped."""

    rows: list[Number]
    ink: Ink


def read_rows(model: Predictor, image: npt.NDArray[Any] | Image.Image) -> list[Number]:
    """The numbers on a page or a canvas, a row each, from top to bottom. See `read_page`."""
    return read_page(model, image).rows


def read_page(model: Predictor, image: npt.NDArray[Any] | Image.Image) -> Page:
    """The numbers on a page or a canvas and the ink they are made of; boxes are in the image's pixels.

    `image` as in `drawing.follow`; it is on paper where its background is light or not even. What is read with
    confidence as one digit, with nothing beside it, is one, unless its parts are each read so too. Raises EmptyDrawing
    where there are no digits, DrawingError where there is much more than a few rows, and ModelError.
    """
    grey = drawing.brightness(image)
    width = image.width if isinstance(image, Image.Image) else image.shape[1]
    one = _one_digit(model, grey, width)
    if one and not drawing.may_be_several(one.ink.ink):
        return one
    small = components.resized(grey, page_reading.PAGE_SIDE)
    try:
        found, ink = page_reading.find_page(small)
    except DrawingError:
        if one:
            return one
        raise
    if one and not _are_digits(model, found):
        return one
    rows = [row for parts in found if (row := _read_row(model, parts, width / small.shape[1])).digits]
    if not rows:
        raise EmptyDrawing("There are no digits in the image.")
    return Page(rows, ink)


def _one_digit(model: Predictor, grey: Grey, width: int) -> Page | None:
    """All that is in the image as one digit, where it is read so with confidence."""
    try:
        whole = drawing.follow(grey, on_paper=drawing.is_light(grey) or None)
    except EmptyDrawing:  # of one digit
        return None
    read = model.predict_one(whole.image)
    if not read.is_digit or read.confidence < SURE or whole.dropped.any():
        return None
    digit = ReadDigit(read.digit, read.confidence, _scaled(whole.box, width / whole.ink.shape[1]))
    return Page([_number([digit])], Ink(whole.ink, whole.dropped))


def _are_digits(model: Predictor, rows: list[list[Part]]) -> bool:
    """Whether the parts are a row of several digits, each read with confidence, of which none is much smaller."""
    heights = [_height(part) for row in rows for part in row]
    if len(rows) != 1 or len(heights) < 2 or min(heights) < max(heights) / 2:
        return False
    probabilities, are_digits = model.predict(np.stack([drawing.to_mnist(np.pad(part.ink, 2)) for part in rows[0]]))
    return bool(are_digits.all() and probabilities.max(1).min() >= SURE)


def _read_row(model: Predictor, row: list[Part], times: float) -> Number:
    """The likeliest digits of a row of parts; the image has `times` as many pixels across as the parts' page."""
    heights = [_height(part) for part in row]
    height = float(np.median([one for one in heights if one >= max(heights) / 2]))
    pieces = [_cut(part, height) for part in row]
    parts = [piece for part in pieces for piece in part]
    cuts = set(itertools.accumulate(map(len, pieces))) ^ set(range(1, len(parts) + 1))  # within a part
    groups = {
        (start, end): group
        for start in range(len(parts))
        for end in range(start + 1, min(start + MOST_PARTS, len(parts)) + 1)
        if (group := _joined(parts[start:end], height))
    }
    prepared = {}
    for place, group in groups.items():
        try:
            prepared[place] = drawing.to_mnist(np.pad(group.ink, 2))
        except EmptyDrawing:
            continue
    if not prepared:
        return _number([])
    probabilities, are_digits = model.predict(np.stack(list(prepared.values())))
    cost = {
        place: -math.log(max(float(probabilities[i].max()), 1e-9))
        + (0 if are_digits[i] else NO_DIGIT)
        + (SMALL if _height(groups[place]) < height / 2 else 0)
        + (CUT if place[1] in cuts else 0)
        + sum(
            JOIN + GAP * max(0, parts[i].box[0] - parts[i - 1].box[2]) / height
            for i in range(place[0] + 1, place[1])
            if i not in cuts
        )
        for i, place in enumerate(prepared)
    }
    order = {place: i for i, place in enumerate(prepared)}
    digits = []
    for place in _cheapest(cost, len(parts)):
        likely = probabilities[order[place]]
        digits.append(ReadDigit(int(likely.argmax()), float(likely.max()), _scaled(groups[place].box, times)))
    return _number(digits)


def _number(digits: list[ReadDigit]) -> Number:
    return Number("".join(str(read.digit) for read in digits), digits)


def _scaled(box: Box, times: float) -> Box:
    left, top, right, bottom = (round(side * times) for side in box)
    return left, top, right, bottom


def _cheapest(cost: dict[tuple[int, int], float], count: int) -> list[tuple[int, int]]:
    """The groups (start, end) that cover parts 0 to `count` at the least cost together."""
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]
    for end in range(1, count + 1):
        ways = [
            (best[start][0] + cost[start, end], [*best[start][1], (start, end)])
            for start in range(end)
            if (start, end) in cost
        ]
        # what no digit can be made of is left out
        best.append(min(ways, key=lambda way: way[0]) if ways else best[-1])
    return best[-1][1]


def _joined(parts: list[Part], height: float) -> Part | None:
    """The parts as one, None where they are too far from each other for a digit."""
    gaps = [after.box[0] - before.box[2] for before, after in itertools.pairwise(parts)]
    left, top = (min(part.box[side] for part in parts) for side in (0, 1))
    right, bottom = (max(part.box[side] for part in parts) for side in (2, 3))
    if len(parts) > 1 and (max(gaps) > APART * height or right - left > WIDEST * max(height, bottom - top)):
        return None
    ink: Pixels = np.zeros((bottom - top, right - left), np.uint8)
    for part in parts:
        x, y = part.box[0] - left, part.box[1] - top
        place = ink[y : y + part.ink.shape[0], x : x + part.ink.shape[1]]
        np.maximum(place, part.ink, out=place)
    return Part((left, top, right, bottom), ink)


def _cut(part: Part, height: float) -> list[Part]:
    """The part, or where it is as wide as two digits of that height, its pieces between the columns with least ink."""
    width = part.ink.shape[1]
    if width <= drawing.WIDE * height or _height(part) < height / 2:
        return [part]
    columns = part.ink.astype(np.float64).sum(0)
    count = max(2, round(width / (0.6 * height)))
    edges = [0]
    for turn in range(1, count):
        around = round(width * turn / count)
        reach = max(1, round(width / count / 3))
        low, high = max(edges[-1] + 1, around - reach), min(width - 1, around + reach)
        if low < high:
            edges.append(low + int(columns[low:high].argmin()))
    left, top, _, bottom = part.box
    pieces = []
    for begin, end in zip(edges, [*edges[1:], width], strict=True):
        if part.ink[:, begin:end].any():
            pieces.append(Part((left + begin, top, left + end, bottom), part.ink[:, begin:end]))
    return pieces


def _height(part: Part) -> int:
    return part.box[3] - part.box[1]
