"""From a drawing or any image of one digit to the 28 x 28 image that MNIST would have made of it."""

import dataclasses
import math
import os
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_core.errors import DrawingError, EmptyDrawing

SIZE = 28  # pixels, side of MNIST's images
BOX = 20  # pixels, longer side of the digit in it
STEPS = ("size", "pen", "centre")  # what is made as MNIST has it
FAINTEST = 24 / 255  # of the full scale: a drawing with less contrast holds no ink
EDGE = 0.1  # share of the strongest ink from which a pixel counts as the digit's when its box is measured
# Pixels, in the box of 20, that thinner and thicker pens are brought to: more than half of MNIST's lie between
THINNEST, THICKEST = 2.0, 3.0
EVEN = 1.5 / 255  # of the full scale: an even background's pixels differ by less from each other
FINE = 100  # pixels, longer side of the digit while its pen is measured and changed
NOISE = 4.0  # standard deviations of an uneven background that do not count as ink

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # what red, green and blue add to brightness


@dataclasses.dataclass(frozen=True)
class Steps:
    """A drawing on its way to MNIST's form, for people to follow; `image` is what a network sees.

    `ink` (H, W), uint8: how far each pixel is from the background, 255 where it is furthest. `box`: left, top, right
    and bottom of the ink in it, in pixels. `pen`: how wide its strokes are, in pixels where the box' longer side is 20.
    `digit`: the box' content with that side of 20, the pen brought towards MNIST's. `image` (28, 28), uint8.
    """

    ink: Pixels
    box: tuple[int, int, int, int]
    pen: float
    digit: Pixels
    image: Pixels


def open_image(path: str | os.PathLike[str]) -> Image.Image:
    """The image in the file, turned upright as its camera noted. Raises DrawingError for one that cannot be read."""
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise DrawingError(f"{path} is not an image of a kind that can be read, such as PNG or JPEG.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DrawingError(f"The image {path} cannot be read: {reason}.") from error


def to_mnist(image: npt.NDArray[Any] | Image.Image) -> Pixels:
    """The digit in `image` as MNIST would hold it: (28, 28), uint8, white ink 255 on black 0. See `follow`."""
    return follow(image).image


def follow(image: npt.NDArray[Any] | Image.Image, steps: Collection[str] = STEPS) -> Steps:
    """The digit in `image` on its way to MNIST's form, step by step.

    `image` is a PIL image or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of any size and of bool, whole or
    floating numbers, light on dark or dark on light, on a background that is even or changes smoothly; where it is
    transparent there is no ink. Raises EmptyDrawing if there is no ink, and DrawingError for an array of another form.

    The way of MNIST's makers (LeCun, Bottou, Bengio and Haffner, 1998): the box around the ink is scaled to a longer
    side of 20 pixels, keeping its shape, and placed in 28 x 28 with its centre of mass in the middle. Before that a pen
    much thinner or thicker than theirs is brought towards it.

    What `steps` lacks is left out, to see what it is good for: without "size" the digit has the size it has where the
    whole of `image` is shrunk to 28 pixels, without "pen" the pen stays as it is, and without "centre" the digit stays
    at its place in `image`.
    """
    ink = _ink(image)
    left, top, right, bottom = box = _box(ink)
    cropped = ink[top:bottom, left:right]
    pen, evened = _with_even_pen(cropped)
    whole = max(ink.shape)
    as_drawn = max(1, round(max(cropped.shape) * SIZE / whole))
    digit = _scaled(evened if "pen" in steps else cropped, BOX if "size" in steps else as_drawn)
    return Steps(ink, box, pen, digit, _centred(digit) if "centre" in steps else _in_place(digit, box, ink.shape))


def _ink(image: npt.NDArray[Any] | Image.Image) -> Pixels:
    """How far each pixel is from the background: (H, W), uint8, 255 where it is furthest."""
    grey, alpha = _grey_and_alpha(image)
    # on a transparent canvas whatever is painted is ink, of any colour
    contrast = alpha if alpha is not None and alpha.min() < 0.5 else _contrast(grey)
    strongest = float(contrast.max())
    if strongest < FAINTEST:
        raise EmptyDrawing("There is no ink in the drawing: draw a digit.")
    ink: Pixels = (contrast * (255 / strongest)).astype(np.uint8)
    return ink


def _grey_and_alpha(image: npt.NDArray[Any] | Image.Image) -> tuple[Grey, Grey | None]:
    """The image's brightness and opacity, each (H, W), as shares of the full scale."""
    if isinstance(image, Image.Image):
        mode = image.mode if image.mode in ("1", "L", "I", "I;16", "F") else "RGB"
        image = np.asarray(image.convert("RGBA" if image.has_transparency_data else mode))
    shape = image.shape
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.size == 0 or image.dtype.kind not in "buif":
        raise DrawingError(
            f"A drawing must be an array (H, W), (H, W, 3) or (H, W, 4) of numbers, got {shape} of {image.dtype}."
        )
    shares = _shares(image)
    grey: Grey = shares[..., 0] if shares.shape[2] == 1 else shares[..., :3] @ LUMA
    return grey, shares[..., 3] if shares.shape[2] == 4 else None


def _shares(image: npt.NDArray[Any]) -> Grey:
    """The image's numbers as shares of the full scale. Raises DrawingError for numbers that are not finite."""
    if image.dtype == np.uint8:
        shares: Grey = image.astype(np.float32) / np.float32(255)
        return shares
    values = image.astype(np.float64)
    if not np.isfinite(values).all():
        raise DrawingError("A drawing must be made of finite numbers.")
    # whatever the scale, it reaches at least as far as its largest value
    whole = max(1.0 if image.dtype.kind in "bf" else 255.0, float(np.abs(values).max()))
    return (values / whole).astype(np.float32)


def _contrast(grey: Grey) -> Grey:
    """How far each pixel (H, W) is from the background, which is what the image's border shows."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    background = np.float32(np.median(border))
    if np.median(np.abs(border - background)) < EVEN:  # also where a stroke or two crosses the border
        even: Grey = np.abs(grey - background)
        return even
    return _contrast_on_uneven(grey)


def _contrast_on_uneven(grey: Grey) -> Grey:
    """The same where the background changes smoothly, as light on paper does.

    The background is the quadratic surface through the image's rim that leaves out what does not fit; ink is all on
    one side of it. What is not much further from it than the rim's own grain is no ink.
    """
    height, width = grey.shape
    rows, columns = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    y, x = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    rim = np.flatnonzero(np.maximum(np.abs(x), np.abs(y)) > 0.8)
    rim = rim[:: max(1, len(rim) // 5_000)]
    values = grey.ravel().astype(np.float64)
    for _ in range(4):
        surface = np.linalg.lstsq(terms[rim], values[rim], rcond=None)[0]
        off = values[rim] - terms[rim] @ surface
        grain = 1.4826 * float(np.median(np.abs(off)))
        rim = rim[np.abs(off) <= max(3 * grain, FAINTEST / 8)]
    off = (values - terms @ surface).reshape(height, width)
    floor = max(NOISE * grain, FAINTEST / 4)
    lighter, darker = np.maximum(off - floor, 0), np.maximum(-off - floor, 0)
    contrast = lighter if lighter.sum() > darker.sum() else darker
    ink = contrast[contrast > 0]
    if len(ink):
        dark = np.percentile(ink, 90)
        contrast[contrast < dark / 3] = 0  # what is faint beside the ink is the paper's, as a shadow is
        contrast = np.minimum(contrast, dark * 0.6)  # where there is less light, the same ink is less dark
    result: Grey = contrast.astype(np.float32)
    return result


def _box(ink: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the ink; right and bottom are the first without."""
    inked = ink > EDGE * 255
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _with_even_pen(ink: Pixels) -> tuple[float, Pixels]:
    """How wide the strokes are, in pixels where the longer side is 20, and the ink with a pen like MNIST's.

    Each pixel's distance to the outline is known, so that the outline can be moved out or in by any amount.
    """
    from scipy import ndimage  # takes a while, for which a page's first paint need not wait

    padding = math.ceil(FINE * THINNEST / BOX)  # the outline moves by less
    fine = np.pad(_whitened(_resized(ink, FINE)), padding)
    inside = fine > 127
    depth = ndimage.distance_transform_edt(inside)
    # in a line much longer than wide, a pixel's depth is a quarter of the width on the average
    pen = 4 * (float(depth[inside].mean()) - 0.5) * BOX / FINE
    wanted = min(max(pen, THINNEST), THICKEST)
    if wanted == pen:
        return pen, ink
    # moving the outline by `shift` makes the longer side 2 * shift longer, too
    shift = (wanted - pen) * FINE / BOX / (2 * (1 - wanted / BOX))
    # where loops are filled with ink, strokes are thinner than they seem and shall not vanish: a quarter is the most
    shift = max(shift, -pen * FINE / BOX / 8)
    outside = ndimage.distance_transform_edt(~inside)
    signed = np.where(inside, depth - 0.5, 0.5 - outside)
    moved = (np.clip(signed + shift + 0.5, 0, 1) * 255).astype(np.uint8)
    left, top, right, bottom = _box(moved)
    return pen, moved[top:bottom, left:right]


def _resized(ink: Pixels, longer_side: int) -> Pixels:
    """`ink` (H, W) with that longer side in pixels; where it shrinks, each new pixel is the mean of those it covers."""
    height, width = ink.shape
    scale = longer_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    # one direction after the other: which comes first, and so how it is rounded, differs between versions of Pillow
    across = Image.fromarray(ink).resize((size[0], height), resampling)
    return np.asarray(across.resize(size, resampling))


def _scaled(ink: Pixels, longer_side: int) -> Pixels:
    """The longer side made that many pixels."""
    return _whitened(_resized(ink, longer_side))


def _whitened(ink: Pixels) -> Pixels:
    """The strongest ink made white, as MNIST's is; made smaller, a thin pen leaves grey only."""
    white: Pixels = (ink.astype(np.int32) * 255 // int(ink.max())).astype(np.uint8)
    return white


def _centred(digit: Pixels) -> Pixels:
    """The digit in 28 x 28 with its centre of mass in the pixel right below the middle, as MNIST's are."""
    placed = np.zeros((SIZE, SIZE), np.uint8)
    corner = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis, dtype=np.int64)
        centre = (mass * (np.arange(length) + 0.5)).sum() / mass.sum()
        corner.append(int(np.clip(math.ceil(SIZE / 2 - centre), 0, SIZE - length)))
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
