"""Lines that are printed on paper, and not written: frames, rules, the paper's edge."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LINE = 0.9  # of a side, the length of a line at least
BREAK = 0.02  # of a side, half of a gap in a line at most
SLANTS = np.linspace(-0.1, 0.1, 101)  # how far a page may be turned, as a slope
THIN = 0.65  # of the usual stroke's width: what is thinner, straight and level or upright is a printed line
SHORTEST = 0.3  # of a digit's longer side, the length of a printed line at least
ASKEW = 0.12  # how far a line may lean, as a share of its length

Mask = npt.NDArray[np.bool_]


def straight(mask: Mask, axes: Iterable[int], margin: float, slanted: bool = False) -> Mask:
    """Pixels of straight lines along the axes, 1 across and 0 down, within a share of the image from its border.

    Where they may be `slanted`, as on a page that was not held straight, they are all as much so.
    """
    from scipy import ndimage

    lines = np.zeros_like(mask)
    for axis in axes:
        upright = mask if axis else mask.T
        drops = _drops(upright) if slanted else np.zeros(upright.shape[1], np.intp)
        across = _sheared(upright, drops)
        height, width = across.shape
        length = max(1, int(LINE * width))
        thick = ndimage.binary_dilation(across, np.ones((3, 1)))  # a line may be a little askew
        if slanted:
            thick = ndimage.binary_closing(thick, np.ones((1, 2 * int(BREAK * width) + 1)))
        runs = ndimage.maximum_filter1d(ndimage.minimum_filter1d(thick.view(np.uint8), length, mode="nearest"), length)
        edge = max(1, round(margin * height))
        runs[edge : height - edge] = False
        found = _sheared(ndimage.binary_dilation(runs > 0, np.ones((3, 3))) & across, -drops)
        lines |= found if axis else found.T
    return lines


def _drops(mask: Mask) -> npt.NDArray[np.intp]:
    """How many pixels lower lines across are in each column than in the middle one, where they are sharpest."""
    y, x = np.nonzero(mask)
    x = x - mask.shape[1] // 2
    sharpest = max(
        SLANTS, key=lambda slant: float((np.bincount(np.rint(y - slant * x).astype(np.intp) + len(mask)) ** 2.0).sum())
    )
    drops: npt.NDArray[np.intp] = np.rint(sharpest * (np.arange(mask.shape[1]) - mask.shape[1] // 2)).astype(np.intp)
    return drops


def _sheared(mask: Mask, drops: npt.NDArray[np.intp]) -> Mask:
    """Each column moved up by its drop; what comes from outside is as at the border."""
    if not drops.any():
        return mask
    rows = np.arange(len(mask))[:, None] + drops
    sheared: Mask = np.take_along_axis(mask, rows.clip(0, len(mask) - 1), 0)
    return sheared


def thinner_than_the_pen(mask: Mask) -> Mask:
    """What belongs to straight lines, across or down, that are thinner than the pen, also where they touch a digit."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return np.zeros_like(mask)
    pens = ndimage.maximum(depth, labels, np.arange(1, count + 1))
    sizes = np.array([max(_length(side) for side in place) for place in ndimage.find_objects(labels)])
    large = sizes >= sizes.max() / 3
    radius = int(THIN * float(np.median(pens[large])))
    if radius < 1:
        return np.zeros_like(mask)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = x * x + y * y <= radius * radius + 0.5
    thick = ndimage.binary_dilation(ndimage.binary_opening(mask, disc), np.ones((5, 5)))
    thin, count = ndimage.label(mask & ~thick, np.ones((3, 3)))
    shortest = SHORTEST * float(np.median(sizes[large]))
    lines = np.zeros_like(mask)
    for label, place in enumerate(ndimage.find_objects(thin), 1):
        long, short = sorted((_length(side) for side in place), reverse=True)
        if long >= shortest and short <= 2 * radius + ASKEW * long:
            lines[place] |= thin[place] == label
    return lines


def _length(side: slice) -> int:
    return int(side.stop) - int(side.start)
