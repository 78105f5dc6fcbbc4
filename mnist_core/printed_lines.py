"""Lines that are printed on paper, and not written: frames, rules, the paper's edge."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LINE = 0.9  # of a side, the length of a line at least
THIN = 0.65  # of the usual stroke's width: what is thinner, straight and level or upright is a printed line
SHORTEST = 0.3  # of a digit's longer side, the length of a printed line at least
ASKEW = 0.12  # how far a line may lean, as a share of its length

Mask = npt.NDArray[np.bool_]


def straight(mask: Mask, axes: Iterable[int], margin: float) -> Mask:
    """Pixels of straight lines along the axes, 1 across and 0 down, within a share of the image from its border."""
    from scipy import ndimage

    lines = np.zeros_like(mask)
    for axis in axes:
        across = mask if axis else mask.T
        height, width = across.shape
        length = max(1, int(LINE * width))
        thick = ndimage.binary_dilation(across, np.ones((3, 1))).astype(np.uint8)  # a line may be a little askew
        runs = ndimage.maximum_filter1d(ndimage.minimum_filter1d(thick, length, mode="nearest"), length) > 0
        edge = max(1, round(margin * height))
        runs[edge : height - edge] = False
        found = ndimage.binary_dilation(runs, np.ones((3, 3))) & across
        lines |= found if axis else found.T
    return lines


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
