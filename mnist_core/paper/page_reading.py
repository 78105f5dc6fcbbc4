"""From a photo or a scan to the ink of the digits on it: one digit, or rows of them, each with its parts.

Which components of ink are a digit's, which are specks, and which stand beside each other, goes by their sizes, their
places and how dark they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DrawingError
from mnist_core.paper.components import Components, Grey, Mask, find_components

SIDE, PAGE_SIDE = 512, 1_280  # pixels, longer side at which one digit and several are looked for
MOST = 80  # pieces of ink on a page: with more it is no page of numbers, but of text
SPECK = 0.06  # of the largest component's area: what is smaller is no part of a digit
SHADE = 0.4  # of the largest component's darkness: what is lighter is a shadow
REACH = 0.35  # of the largest component's longer side, within which another belongs to the same digit
DOT = 0.22  # of a row's height: what is neither wider nor higher is no digit
LEVEL = 0.5  # of the usual height, how far digits of a row may be above each other
OVERLAP = 0.35  # of the narrower component's width, from which two are of one digit

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are the first without


@dataclasses.dataclass(frozen=True)
class Ink:
    """`ink` (H, W), uint8, 255 where it is darkest, 0 on paper, and `dropped` (H, W): dark, but taken for no ink."""

    ink: Pixels
    dropped: Mask


@dataclasses.dataclass(frozen=True)
class Part:
    """A piece of a number, a digit or a part of one: its `box` in the image, and the `ink` in the box, uint8."""

    box: Box
    ink: Pixels


def find(grey: Grey) -> Ink:
    """The ink of one digit on paper, `grey` (H, W), 0 to 1. Raises EmptyDrawing where there is none."""
    components = find_components(grey, several=False)
    return _told_apart(components, _one_digit(components))


def find_rows(grey: Grey) -> list[list[Part]]:
    """The rows of digits on a page, from top to bottom, each its parts from left to right. See `find_page`."""
    return find_page(grey)[0]


def find_page(grey: Grey) -> tuple[list[list[Part]], Ink]:
    """The rows of digits on a page, from top to bottom, each its parts from left to right; and the ink of all of them.

    `grey` (H, W), 0 to 1. Components above each other are one part, such as the strokes of a 5 or a 4; a digit may
    still be several parts. Raises EmptyDrawing where there is no ink, and DrawingError where there are more than MOST
    pieces of it.
    """
    components = find_components(grey, several=True)
    places = dict(enumerate(components.places, 1))
    kept = _without_dots(places, components.kept)
    if len(kept) > MOST:
        raise DrawingError("There is more here than a few digits: choose a part that has digits alone.")

    def overlap(axis: int) -> Callable[[int, int], bool]:
        return lambda one, other: _share(places[one][axis], places[other][axis]) > OVERLAP

    rows = _linked(kept, overlap(0))
    usual = float(np.median([_length(places[label][0]) for label in kept]))
    if len(_linked(kept, overlap(1))) == len([part for row in rows for part in _linked(row, overlap(1))]):
        # nothing is above anything else: the digits of a row may not be level
        rows = _linked(kept, lambda one, other: _gap(places[one][0], places[other][0]) < LEVEL * usual)
    found, digits = [], []
    for row in rows:
        if max(_length(places[label][0]) for label in row) < usual / 2:
            continue  # it is a line, or what is left of one
        digits += row
        parts = [_part(components, part) for part in _linked(row, overlap(1))]
        found.append(sorted(parts, key=lambda part: part.box[0] + part.box[2]))
    return sorted(found, key=lambda row: min(part.box[1] for part in row)), _told_apart(components, digits)


def _one_digit(components: Components) -> list[int]:
    """The labels of one digit: of the largest component, and of those near it that are no specks."""
    height, width = components.labels.shape
    places = components.places
    areas = np.bincount(components.labels.ravel())
    at_border, worth, dark = {}, {}, {}
    for label in components.kept:
        rows, columns = place = places[label - 1]
        dark[label] = float(np.percentile(components.darkness[place][components.labels[place] == label], 90))
        at_border[label] = not (rows.start and columns.start and rows.stop < height and columns.stop < width)
        middle = abs((rows.start + rows.stop) / height - 1), abs((columns.start + columns.stop) / width - 1)
        worth[label] = areas[label] * (2 - max(middle)) * (0.5 if at_border[label] else 1)
    best = max(worth, key=lambda label: worth[label])
    reach = REACH * max(_length(side) for side in places[best - 1])
    digit = [best]
    for label in components.kept:
        if label == best or areas[label] < SPECK * areas[best] or dark[label] < SHADE * dark[best]:
            continue
        gap = max(map(_gap, places[best - 1], places[label - 1]))
        if gap <= (reach / 3 if at_border[label] and not at_border[best] else reach):
            digit.append(label)
    return digit


def _told_apart(components: Components, digits: list[int]) -> Ink:
    """The ink of the components with these labels, and all else that is dark as dropped."""
    from scipy import ndimage

    shown = ndimage.binary_dilation(np.isin(components.labels, digits), np.ones((3, 3)))  # with the strokes' soft edge
    ink = np.where(shown, components.darkness * 255, 0).astype(np.uint8)
    return Ink(ink, components.first & ~shown)


def _without_dots(places: dict[int, tuple[slice, slice]], labels: list[int]) -> list[int]:
    """The labels of components that are as large as digits are, beside the others."""
    sizes = {label: max(_length(side) for side in places[label]) for label in labels}
    usual = float(np.median([size for size in sizes.values() if size >= max(sizes.values()) / 3]))
    return [label for label in labels if sizes[label] > DOT * usual]


def _linked(labels: list[int], belong: Callable[[int, int], bool]) -> list[list[int]]:
    """Groups of labels that belong together, two by two or over others."""
    groups: list[list[int]] = []
    for label in labels:
        joined = [group for group in groups if any(belong(label, other) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([label, *(other for group in joined for other in group)])
    return groups


def _gap(one: slice, other: slice) -> int:
    return max(int(one.start) - int(other.stop), int(other.start) - int(one.stop))


def _length(side: slice) -> int:
    return int(side.stop) - int(side.start)


def _share(one: slice, other: slice) -> float:
    """How much of the shorter of two ranges lies in the other, 0 to 1."""
    common = min(int(one.stop), int(other.stop)) - max(int(one.start), int(other.start))
    return common / min(_length(one), _length(other))


def _part(components: Components, labels: list[int]) -> Part:
    places = [components.places[label - 1] for label in labels]
    top, bottom = min(rows.start for rows, _ in places), max(rows.stop for rows, _ in places)
    left, right = min(columns.start for _, columns in places), max(columns.stop for _, columns in places)
    inside = slice(top, bottom), slice(left, right)
    ink = np.where(np.isin(components.labels[inside], labels), components.darkness[inside] * 255, 0)
    return Part((left, top, right, bottom), ink.astype(np.uint8))
