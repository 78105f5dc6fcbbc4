"""The ink on paper: what is darker than the paper by more than its texture, in connected components.

The light that falls on the paper is estimated from the paper itself and divided out; lines that are printed, and what
lies around the paper, are left behind. scipy.ndimage does the work on pixels: the app needs it anyway, where OpenCV
would be 60 MB more to install.
"""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_core.errors import EmptyDrawing
from mnist_core.paper import outline, printed_lines
from mnist_core.paper.outline import Grey as Grey
from mnist_core.paper.outline import Mask as Mask
from mnist_core.paper.outline import resized as resized

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


@dataclasses.dataclass(frozen=True)
class Components:
    """Connected `labels` (H, W) of ink, from 1 on, of which `kept` are dark enough; `darkness` (H, W), 0 to 1.

    `first` (H, W) is all that is darker than the paper.
    """

    labels: npt.NDArray[np.int32]
    places: list[tuple[slice, slice]]  # rows and columns of label 1, 2, ...
    kept: list[int]
    darkness: Grey
    first: Mask


def find_components(grey: Grey, several: bool) -> Components:
    """The ink in `grey` (H, W), 0 to 1, without lines that are no part of a digit. Raises EmptyDrawing."""
    if sheet := outline.find(grey):
        with contextlib.suppress(EmptyDrawing):  # what stood out was a blank card, or a patch of light
            return _in_photo(_on_sheet(sheet.grey, several, sheet.paper), sheet.place, grey.shape)
    return _on_sheet(grey, several)


def _in_photo(found: Components, place: tuple[slice, slice], shape: tuple[int, ...]) -> Components:
    """What was found on a sheet of paper, in the photo that has the sheet at `place`."""
    labels, darkness, first = np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    labels[place], darkness[place], first[place] = found.labels, found.darkness, found.first
    top, left = (int(side.start) for side in place)
    places = [
        (slice(rows.start + top, rows.stop + top), slice(columns.start + left, columns.stop + left))
        for rows, columns in found.places
    ]
    return Components(labels, places, found.kept, darkness, first)


def _on_sheet(grey: Grey, several: bool, paper: Mask | None = None) -> Components:
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
    return Components(labels, ndimage.find_objects(labels), kept, np.clip(density / strength, 0, 1), first)


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
    smooth = _smooth(grey, BLUR)
    light = _light(small, grey.shape)
    usual, texture = _texture(light - smooth)
    is_photo = texture > SMOOTH
    if several and is_photo:  # beside a page a pen is thin: what is wider is a shadow, however sharp its edge
        smooth = _smooth(grey, BLUR_OF_PAGE)
        size = int(THICKEST_PEN * max(grey.shape)) | 1
        light = np.maximum(ndimage.grey_closing(smooth, (size, size), mode="nearest"), DARKEST)
        usual, texture = _texture(light - smooth)
    density: Grey = np.clip((light - smooth - usual) / light, 0, 1).astype(np.float32)
    return density, np.maximum(TEXTURE * texture / light, FAINTEST), is_photo


def _smooth(grey: Grey, most: float) -> Grey:
    """The image blurred by so many pixels at most, less where it is small."""
    from scipy import ndimage

    blur = min(max(grey.shape) / 250, most)
    smooth: Grey = ndimage.gaussian_filter(grey, blur) if blur > 0.4 else grey
    return smooth


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


def _strength(density: Grey, floor: Grey) -> float:
    """How dark the ink is: of most of it, away from the border."""
    height, width = density.shape
    inner = slice(height // 8, height - height // 8), slice(width // 8, width - width // 8)
    for part in (inner, (slice(None), slice(None))):
        if len(values := density[part][density[part] > floor[part]]):
            return float(np.percentile(values, 85))
    return 1.0
