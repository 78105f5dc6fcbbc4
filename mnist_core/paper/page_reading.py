"""From a photo or a scan to the ink of the digits on it: light, shadows, frames and specks are left behind.

The light that falls on the paper is estimated from the paper itself and divided out; what is darker than the paper by
more than its texture is grouped into connected components; lines along the border and specks are dropped. scipy.ndimage
does the work on pixels: the app needs it anyway, where OpenCV would be 60 MB more to install.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.paper import outline, printed_lines

SIDE, PAGE_SIDE = 512, 1_280  # pixels, longer side at which one digit and several are looked for
MOST = 80  # pieces of ink on a page: with more it is no page of numbers, but of text
COARSE = 32  # pixels, longer side at which the light is estimated
WINDOW = 0.4  # of the longer side, of which ink covers less than half
STROKE = 0.28  # of the longer side: what is narrower is filled with the paper around it to estimate the light
THICKEST_PEN = 0.08  # of a page's longer side
DARKEST = 0.02  # the light on paper at least
BLUR, BLUR_OF_PAGE = 1.5, 0.85  # pixels, against the camera's noise, where one digit and where several are looked for
SMOOTH = 1e-4  # texture that is only rounding
TEXTURE = 4.0  # standard deviations of the paper's texture that are no ink
FAINTEST = 0.04  # of the paper's brightness, by which the faintest ink is darker
FAINTEST_PHOTO = 0.1  # the same of a photo, where light that is estimated wrongly is as dark as faint ink
LOW, HIGH = 0.1, 0.35  # of the ink's darkness: all of a stroke is above the one, some of it above the other
BORDER = 0.16  # of a side, in which lines along the border lie
BRIDGED = 0.006  # of the longer side, half the width of a ruled line that a stroke crosses
DARKER = 1.6  # than a ruled line, from which it is ink that lies on it
# Of the image's area, the ink of a digit at least, alone and among several: the camera's noise is dark as well.
SMALLEST, SMALLEST_OF_SEVERAL = 0.0004, 0.00004
SPECK = 0.06  # of the largest component's area: what is smaller is no part of a digit
SHADE = 0.4  # of the largest component's darkness: what is lighter is a shadow
REACH = 0.35  # of the largest component's longer side, within which another belongs to the same digit
DOT = 0.22  # of a row's height: what is neither wider nor higher is no digit
LEVEL = 0.5  # of the usual height, how far digits of a row may be above each other
OVERLAP = 0.35  # of the narrower component's width, from which two are of one digit

Grey = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
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


@dataclasses.dataclass(frozen=True)
class _Components:
    """Connected `labels` (H, W) of ink, from 1 on, of which `kept` are dark enough; `darkness` (H, W), 0 to 1.

    `first` (H, W) is all that is darker than the paper.
    """

    labels: npt.NDArray[np.int32]
    places: list[tuple[slice, slice]]  # rows and columns of label 1, 2, ...
    kept: list[int]
    darkness: Grey
    first: Mask


def find(grey: Grey) -> Ink:
    """The ink of one digit on paper, `grey` (H, W), 0 to 1. Raises EmptyDrawing where there is none."""
    components = _components(grey, several=False)
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
    components = _components(grey, several=True)
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


def _components(grey: Grey, several: bool) -> _Components:
    """The ink in `grey` (H, W), 0 to 1, without lines that are no part of a digit. Raises EmptyDrawing."""
    if sheet := outline.find(grey):
        with contextlib.suppress(EmptyDrawing):  # what stood out was a blank card, or a patch of light
            return _in_photo(_components_on(sheet.grey, several, sheet.paper), sheet.place, grey.shape)
    return _components_on(grey, several)


def _in_photo(found: _Components, place: tuple[slice, slice], shape: tuple[int, ...]) -> _Components:
    """What was found on a sheet of paper, in the photo that has the sheet at `place`."""
    labels, darkness, first = np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    labels[place], darkness[place], first[place] = found.labels, found.darkness, found.first
    top, left = (int(side.start) for side in place)
    places = [
        (slice(rows.start + top, rows.stop + top), slice(columns.start + left, columns.stop + left))
        for rows, columns in found.places
    ]
    return _Components(labels, places, found.kept, darkness, first)


def _components_on(grey: Grey, several: bool, paper: Mask | None = None) -> _Components:
    """The same on a sheet of paper, which is all of `grey` or the part of it that `paper` (H, W) says."""
    from scipy import ndimage

    density, floor, is_photo = _density(grey, several)  # nothing is printed on a canvas, which has no texture
    if paper is not None:
        density[~paper] = 0
    width = 1.0 if paper is None else float(paper.mean())  # of a sheet that is turned, the mean one
    first = density > floor
    lines = np.zeros_like(first)
    if is_photo or not several:
        lines |= printed_lines.straight(first, (0, 1), BORDER)  # a frame, the paper's edge
    if several and is_photo:
        ruled = printed_lines.straight(first, (1,), 0.5, slanted=True, share=width)
        if ruled.any():
            ruled |= printed_lines.straight(first, (0,), 0.5, slanted=True, share=width)  # the margin's
            ruled &= density < DARKER * np.median(density[ruled])
        across = np.ones((2 * int(BRIDGED * max(grey.shape)) + 1, 1))
        lines |= ruled & ~ndimage.binary_closing(first & ~ruled, across)  # where a stroke crosses, it stays whole
        strength = _strength(np.where(lines, 0, density), floor)
        lines |= printed_lines.darker_than_the_pen((density > np.maximum(floor, HIGH * strength)) & ~lines, density)
        strength = _strength(np.where(lines, 0, density), floor)
        lines |= printed_lines.thinner_than_the_pen((density > np.maximum(floor, HIGH * strength)) & ~lines)
    if not (first & ~lines).any():
        lines[:] = False  # a 1 that fills the image
    density[lines] = 0
    strength = _strength(density, floor)
    labels, _ = ndimage.label(density > np.maximum(floor, LOW * strength), np.ones((3, 3)))
    strong = np.unique(labels[density > np.maximum(floor, HIGH * strength)])
    areas = np.bincount(labels.ravel())
    smallest = (SMALLEST_OF_SEVERAL if several else SMALLEST) * grey.size
    kept = [int(label) for label in strong if label and areas[label] >= smallest]
    if not kept or (is_photo and strength < FAINTEST_PHOTO):
        raise EmptyDrawing("There is no ink to be seen: come closer to the digits, or see to more light.")
    return _Components(labels, ndimage.find_objects(labels), kept, np.clip(density / strength, 0, 1), first)


def _density(grey: Grey, several: bool) -> tuple[Grey, Grey, bool]:
    """How much darker than the paper each pixel is, as a share of the paper's brightness there, at most 1.

    And from which density on it is no texture of the paper, both (H, W), and whether there is any texture. Light ink on
    dark is turned over first.
    """
    from scipy import ndimage

    small = resized(grey, COARSE)
    size = max(3, int(WINDOW * max(small.shape)) | 1)
    middle = ndimage.median_filter(small, size, mode="nearest")
    if ((small - middle) ** 3).sum() > 0:  # few pixels are far from the others, and they are lighter
        grey, small = 1 - grey, 1 - small
    blur = min(max(grey.shape) / 250, BLUR_OF_PAGE if several else BLUR)
    smooth = ndimage.gaussian_filter(grey, blur) if blur > 0.4 else grey
    light = _light(small, grey.shape)
    usual, texture = _texture(light - smooth)
    is_photo = texture > SMOOTH
    if several and is_photo:  # beside a page a pen is thin: what is wider is a shadow, however sharp its edge
        size = int(THICKEST_PEN * max(grey.shape)) | 1
        light = np.maximum(ndimage.grey_closing(smooth, (size, size), mode="nearest"), DARKEST)
        usual, texture = _texture(light - smooth)
    density: Grey = np.clip((light - smooth - usual) / light, 0, 1).astype(np.float32)
    return density, np.maximum(TEXTURE * texture / light, FAINTEST), is_photo


def _light(small: Grey, shape: tuple[int, int]) -> Grey:
    """The paper's brightness (H, W) of that shape, by a small image of it, where strokes are thick beside it."""
    from scipy import ndimage

    stroke = max(3, int(STROKE * max(small.shape)) | 1)
    paper = ndimage.gaussian_filter(ndimage.grey_closing(small, (stroke, stroke), mode="nearest"), stroke / 6)
    margin = min(stroke // 2, (min(small.shape) - 1) // 3)
    if margin:  # there it has no paper on one side: the light goes on as it falls off farther in
        paper = np.pad(paper[margin:-margin, margin:-margin], margin, mode="reflect", reflect_type="odd")
    light: Grey = np.asarray(Image.fromarray(paper).resize(shape[::-1], Image.Resampling.BILINEAR))
    return np.maximum(light, DARKEST)


def _texture(darker: Grey) -> tuple[float, float]:
    """How much darker than the light most of the paper is, and by how much that differs, as a standard deviation."""
    usual = float(np.median(darker))
    return usual, 1.4826 * float(np.median(np.abs(darker - usual)))


def resized(grey: Grey, longer_side: int) -> Grey:
    """The image (H, W) with its longer side in pixels, if it is longer."""
    height, width = grey.shape
    scale = min(1.0, longer_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _strength(density: Grey, floor: Grey) -> float:
    """How dark the ink is: of most of it, away from the border."""
    height, width = density.shape
    inner = slice(height // 8, height - height // 8), slice(width // 8, width - width // 8)
    for part in (inner, (slice(None), slice(None))):
        if len(values := density[part][density[part] > floor[part]]):
            return float(np.percentile(values, 85))
    return 1.0


def _one_digit(components: _Components) -> list[int]:
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


def _told_apart(components: _Components, digits: list[int]) -> Ink:
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


def _part(components: _Components, labels: list[int]) -> Part:
    places = [components.places[label - 1] for label in labels]
    top, bottom = min(rows.start for rows, _ in places), max(rows.stop for rows, _ in places)
    left, right = min(columns.start for _, columns in places), max(columns.stop for _, columns in places)
    inside = slice(top, bottom), slice(left, right)
    ink = np.where(np.isin(components.labels[inside], labels), components.darkness[inside] * 255, 0)
    return Part((left, top, right, bottom), ink.astype(np.uint8))
