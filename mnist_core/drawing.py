"""From a drawing or any image of one digit to the 28 x 28 image that MNIST would have made of it."""

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.image_files import decoding
from mnist_core.paper import components, page_reading
from mnist_core.paper.components import Grey as Grey
from mnist_core.paper.page_reading import Pixels as Pixels

SIZE = 28  # pixels, side of MNIST's images
BOX = 20  # pixels, longer side of the digit in it
STEPS = ("size", "centre")  # what is made as MNIST has it
FAINTEST = 24 / 255  # of the full scale: a drawing with less contrast holds no ink
EDGE = 0.1  # share of the strongest ink from which a pixel counts as the digit's when its box is measured
EVEN = 1.5 / 255  # of the full scale: an even background's pixels differ by less from each other
ENOUGH = 2**20  # pixels; an image that has more is made smaller first
WIDE = 1.15  # of its height, from which ink may be two digits that touch
TIE = 1e-6  # pixels; a centre of mass so close to the middle of a pixel counts as there, however it is rounded
LONGEST = 30_000  # pixels; one whose longer side is longer, too
TILE = 512  # pixels, about the side of the tiles in which a larger one is read

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # what red, green and blue add to brightness


@dataclasses.dataclass(frozen=True)
class Steps:
    """A drawing on its way to MNIST's form, for people to follow; `image` is what a network sees.

    `ink` (H, W), uint8: how far each pixel is from the background, 255 where it is furthest. `dropped` (H, W): what is
    dark on paper and no part of the digit, as a frame or a shadow. `box`: left, top, right and bottom of the ink in it,
    in pixels. `digit`: the box' content with a longer side of 20. `image` (28, 28), uint8.
    """

    ink: Pixels
    dropped: npt.NDArray[np.bool_]
    box: tuple[int, int, int, int]
    digit: Pixels
    image: Pixels


def to_mnist(image: npt.NDArray[Any] | Image.Image, on_paper: bool | None = None) -> Pixels:
    """The digit in `image` as MNIST would hold it: (28, 28), uint8, white ink 255 on black 0. See `follow`."""
    return follow(image, on_paper=on_paper).image


def follow(
    image: npt.NDArray[Any] | Image.Image, steps: Collection[str] = STEPS, on_paper: bool | None = None
) -> Steps:
    """The digit in `image` on its way to MNIST's form, step by step.

    `image` is a PIL image or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of any size and of bool, whole or
    floating numbers, light on dark or dark on light; where it is transparent there is no ink. Where it is `on_paper`,
    as a photo or a scan is, ink is told from light, shadows, frames and specks (see `page_reading`); else all that
    differs from the even background is ink. None: on paper where the background is not even. Raises EmptyDrawing if
    there is no ink, and DrawingError for an array of another form.

    The way of MNIST's makers (LeCun, Bottou, Bengio and Haffner, 1998): the box around the ink is scaled to a longer
    side of 20 pixels, keeping its shape, and placed in 28 x 28 with its centre of mass in the middle.

    What `steps` lacks is left out, to see what it is good for: without "size" the digit has the size it has where the
    whole of `image` is shrunk to 28 pixels, and without "centre" the digit stays at its place in `image`.
    """
    ink, dropped = _ink(image, on_paper)
    left, top, right, bottom = box = _box(ink)
    cropped = ink[top:bottom, left:right]
    as_drawn = max(1, round(max(cropped.shape) * SIZE / max(ink.shape)))
    digit = _scaled(cropped, BOX if "size" in steps else as_drawn)
    return Steps(ink, dropped, box, digit, _centred(digit) if "centre" in steps else _in_place(digit, box, ink.shape))


def follow_photo(image: Image.Image) -> Steps:
    """The digit in an image file, as in `follow`: on paper where its background is light or not even."""
    grey = brightness(image)
    return follow(grey, on_paper=is_light(grey) or None)


def brightness(image: npt.NDArray[Any] | Image.Image) -> Grey:
    """The image's brightness (H, W), 0 to 1, large images made smaller; of a transparent one, the ink is dark.

    Raises DrawingError for an array of another form than `follow` takes.
    """
    grey, alpha = _grey_and_alpha(image)
    return 1 - alpha if alpha is not None and alpha.min() < 0.5 else grey


def is_light(grey: Grey) -> bool:
    """Whether the background is light, as paper is and a canvas with white ink is not; `grey` from `brightness`."""
    return bool(_background(grey) > 0.5)


def may_be_several(ink: Pixels) -> bool:
    """Whether ink (H, W) on a canvas may be more than one digit: it has gaps, or is wider than high."""
    inked = ink >= FAINTEST * 255
    sides = [np.flatnonzero(inked.any(axis)) for axis in (0, 1)]  # columns, then rows, with ink
    if not len(sides[0]):
        return False
    columns, rows = (side[-1] - side[0] + 1 for side in sides)
    return bool(columns > len(sides[0]) or rows > len(sides[1]) or columns > WIDE * rows)


def _ink(image: npt.NDArray[Any] | Image.Image, on_paper: bool | None) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """How far each pixel is from the background: (H, W), uint8, 255 where it is furthest; and what is dropped."""
    grey, alpha = _grey_and_alpha(image)
    # on a transparent canvas whatever is painted is ink, of any colour
    is_transparent = alpha is not None and alpha.min() < 0.5
    if on_paper or (on_paper is None and not is_transparent and not _is_even(grey)):
        shown = 1 - alpha if alpha is not None and is_transparent else grey
        found = page_reading.find(components.resized(shown, page_reading.SIDE))
        return found.ink, found.dropped
    contrast = alpha if alpha is not None and is_transparent else np.abs(grey - _background(grey))
    strongest = float(contrast.max())
    if strongest < FAINTEST:
        raise EmptyDrawing("There is no ink in the drawing: draw a digit.")
    ink: Pixels = (contrast * (255 / strongest) + 0.5).astype(np.uint8)
    return ink, np.zeros(ink.shape, bool)


def _grey_and_alpha(image: npt.NDArray[Any] | Image.Image) -> tuple[Grey, Grey | None]:
    """The image's brightness and opacity, each (H, W), as shares of the full scale. Large images are made smaller."""
    with np.errstate(over="ignore", invalid="ignore"):  # such numbers are refused
        values, whole = _values(image)
    lowest, highest = float(values.min()), float(values.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise DrawingError("A drawing must be made of finite numbers.")
    # whatever the scale, it reaches at least as far as its largest value
    values /= max(whole, highest, -lowest)
    shares: Grey = values.astype(np.float32, copy=False)
    grey: Grey = shares[..., 0] if shares.shape[2] == 1 else shares[..., :3] @ LUMA
    return grey, shares[..., 3] if shares.shape[2] == 4 else None


def _values(image: npt.NDArray[Any] | Image.Image) -> tuple[npt.NDArray[Any], float]:
    """The image's numbers (H, W, C), float32 or float64, and the full scale of numbers of their kind.

    Where the image has more than ENOUGH pixels, they are the means of square blocks of it. They are made from one tile
    after the other, because all of them as floating numbers would take many times the image's memory.
    """
    height, width = _size(image)
    whole = 1.0 if _part(image, 0, 0, 1).dtype.kind in "bf" else 255.0
    block = math.ceil(max(1, math.sqrt(height * width / ENOUGH), max(height, width) / LONGEST))
    if block == 1:
        return _floats(_part(image, 0, 0, max(height, width))), whole
    side = max(1, TILE // block) * block
    rows = []
    for top in range(0, height, side):
        tiles = (_floats(_part(image, left, top, side)) for left in range(0, width, side))
        rows.append(np.concatenate([_means(tile, block) for tile in tiles], 1))
    return np.concatenate(rows), whole


def _size(image: npt.NDArray[Any] | Image.Image) -> tuple[int, int]:
    """The image's height and width. Raises DrawingError for an array of another form."""
    if isinstance(image, Image.Image):
        shape, kind = image.size[::-1], np.dtype(np.uint8)
    else:
        shape, kind = image.shape, image.dtype
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,), (4,)) or 0 in shape or kind.kind not in "buif":
        raise DrawingError(
            f"A drawing must be an array (H, W), (H, W, 3) or (H, W, 4) of numbers, got {shape} of {kind}."
        )
    return shape[0], shape[1]


def _part(image: npt.NDArray[Any] | Image.Image, left: int, top: int, side: int) -> npt.NDArray[Any]:
    """A square of the image, as far as that reaches, as an array (H, W) or (H, W, C)."""
    if isinstance(image, np.ndarray):
        return image[top : top + side, left : left + side]
    with decoding("The image"):  # it may not be decoded yet
        part = image.crop((left, top, min(left + side, image.width), min(top + side, image.height)))
        if part.mode == "LAB":
            part = part.getchannel("L")
        elif part.mode == "La":
            part = part.convert("LA")
        if part.mode in ("I", "F") or part.mode.startswith("I;16"):
            return np.asarray(part)
        if part.has_transparency_data:
            return np.asarray(part.convert("RGBA"))
        return np.asarray(part if part.mode in ("1", "L") else part.convert("RGB"))


def _floats(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The part of an image as (H, W, C), float32 or float64."""
    floats: npt.NDArray[Any] = part.astype(np.float32 if part.dtype == np.uint8 else np.float64)
    return floats if floats.ndim == 3 else floats[..., None]


def _means(tile: npt.NDArray[Any], block: int) -> npt.NDArray[Any]:
    """The means of square blocks of `block` pixels, those at the right and at the bottom may be narrower."""
    for axis in (0, 1):
        starts = np.arange(0, tile.shape[axis], block)
        counts = np.diff(starts, append=tile.shape[axis]).astype(tile.dtype)
        tile = np.add.reduceat(tile, starts, axis) / np.expand_dims(counts, (1 - axis, 2))
    return tile


def _border(grey: Grey) -> Grey:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _background(grey: Grey) -> np.float32:
    """The brightness of an even background, which is what the image's border shows."""
    brightness: np.float32 = np.float32(np.median(_border(grey)))
    return brightness


def _is_even(grey: Grey) -> bool:
    """Whether the background is of one brightness, also where a stroke or two crosses the border."""
    return bool(np.median(np.abs(_border(grey) - _background(grey))) < EVEN)


def _box(ink: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the ink; right and bottom are the first without."""
    inked = ink > EDGE * 255
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def resampling(length: int, new_length: int) -> npt.NDArray[np.float64]:
    """The matrix (new_length, length) that makes `new_length` values in a line of `length`; each of its rows sums to 1.

    Where it shrinks, each new value is the mean of those it covers, in part or whole; where it enlarges, it lies on the
    straight line between its two neighbours.
    """
    step = length / new_length
    new, old = np.arange(new_length)[:, None], np.arange(length)[None]
    if new_length <= length:
        covered = np.minimum((new + 1) * step, old + 1) - np.maximum(new * step, old)
        weights = np.maximum(covered, 0)
    else:
        weights = np.maximum(1 - np.abs(old - ((new + 0.5) * step - 0.5)), 0)
    matrix: npt.NDArray[np.float64] = weights / weights.sum(1, keepdims=True)
    return matrix


def _scaled(ink: Pixels, longer_side: int) -> Pixels:
    """`ink` (H, W) with that longer side in pixels, its strongest ink made white as MNIST's is."""
    height, width = (max(1, round(side * longer_side / max(ink.shape))) for side in ink.shape)
    scaled = resampling(ink.shape[0], height) @ ink @ resampling(ink.shape[1], width).T
    white: Pixels = (scaled * (255 / scaled.max()) + 0.5).astype(np.uint8)
    return white


def _centred(digit: Pixels) -> Pixels:
    """The digit in 28 x 28 with its centre of mass in the pixel right below the middle, as MNIST's are."""
    placed = np.zeros((SIZE, SIZE), np.uint8)
    corner = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis, dtype=np.int64)
        centre = (mass * (np.arange(length) + 0.5)).sum() / mass.sum()
        corner.append(int(np.clip(math.ceil(SIZE / 2 - centre - TIE), 0, SIZE - length)))
    top, left = corner
    placed[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return placed


def _in_place(digit: Pixels, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> Pixels:
    """The digit in 28 x 28 with its middle where that of its `box` is in an image (H, W) of that shape."""
    placed = np.zeros((SIZE, SIZE), np.uint8)
    left, top, right, bottom = box
    corner = []
    for begin, end, side, length in zip((top, left), (bottom, right), shape, digit.shape, strict=True):
        middle = ((begin + end) / 2 + (max(shape) - side) / 2) * SIZE / max(shape)
        corner.append(int(np.clip(round(middle - length / 2), 0, SIZE - length)))
    placed[corner[0] : corner[0] + digit.shape[0], corner[1] : corner[1] + digit.shape[1]] = digit
    return placed
