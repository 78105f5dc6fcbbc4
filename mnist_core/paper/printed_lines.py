"""Lines that are printed on paper, and not written: frames, rules, the paper's edge."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LINE = 0.9  # of a side, the length of a line at least
BREAK = 0.02  # of a side, half of a gap in a line at most
SLANTS = np.linspace(-0.16, 0.16, 161)  # how far a page may be turned, as a slope
THIN = 0.65  # of the usual stroke's width: what is thinner, straight and level or upright is a printed line
DARKER = 1.35  # than most of the pen: what is, straight and level or upright is a printed line
THICKEST = 0.07  # of a digit's longer side, the thickness of a printed line at most
RUN = 0.3  # of a digit's longer side, the length of a run of a straight line
SHORTEST = 0.5  # of a digit's longer side, the length of a printed line at least
ASKEW = 0.12  # how far a line may lean, as a share of its length

Mask = npt.NDArray[np.bool_]


def straight(mask: Mask, axes: Iterable[int], margin: float, slanted: bool = False, share: float = 1.0) -> Mask:
    """Pixels of straight lines along the axes, 1 across and 0 down, within a share of the image from its border.

    Where they may be `slanted`, as on a page that was not held straight, they are all as much so. `share` is how much
    of the image's sides the paper takes.
    """
    from scipy import ndimage

    lines = np.zeros_like(mask)
    for axis in axes:
        upright = mask if axis else mask.T
        drops = _drops(upright) if slanted else np.zeros(upright.shape[1], np.intp)
        across = _sheared(upright, drops)
        height, width = across.shape
        length = max(1, int(LINE * share * width))
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
    above = int(SLANTS[-1] * mask.shape[1]) + 1  # so that no row is less than 0
    sharpest = max(
        SLANTS, key=lambda slant: float((np.bincount(np.rint(y - slant * x).astype(np.intp) + above) ** 2.0).sum())
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
    """Straight lines, across or down, that are thinner than the pen, also where they touch a digit."""
    from scipy import ndimage

    pen, depth, size = _pen(mask)
    if not pen.any() or (radius := int(THIN * float(np.median(depth[pen])))) < 1:
        return np.zeros_like(mask)
    thick = ndimage.distance_transform_edt(depth <= radius) <= radius + 2
    return _pieces(mask & ~thick, size)


def darker_than_the_pen(mask: Mask, density: npt.NDArray[np.float32]) -> Mask:
    """Straight lines, across or down, that are darker than the pen, also where they touch a digit."""
    from scipy import ndimage

    pen, _, size = _pen(mask)
    if not pen.any():
        return np.zeros_like(mask)
    dark = mask & (density > DARKER * np.percentile(density[pen], 80))
    lines: Mask = ndimage.maximum_filter(_pieces(dark, size), 7)  # with their soft edges
    return lines


def _pen(mask: Mask) -> tuple[Mask, npt.NDArray[np.float64], float]:
    """The middle of the strokes that are not straight across or down, which are the pen's.

    With how far each pixel is from the paper, and the digits' usual size.
    """
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask, depth, 0.0
    sizes = np.array([max(_length(side) for side in place) for place in ndimage.find_objects(labels)])
    size = float(np.median(sizes[sizes >= sizes.max() / 3]))
    pen = mask & (depth >= ndimage.maximum_filter(depth, 3))
    for axis in (0, 1):
        pen &= ~_runs(mask, axis, size)
    return pen, depth, size


def _pieces(mask: Mask, size: float) -> Mask:
    """Straight thin pieces, across or down, long enough for digits of that size."""
    from scipy import ndimage

    lines = np.zeros_like(mask)
    for axis in (0, 1):
        labels, _ = ndimage.label(_runs(mask, axis, size), np.ones((3, 3)))
        for label, place in enumerate(ndimage.find_objects(labels), 1):
            piece = labels[place] == label
            short, long = _length(place[1 - axis]), _length(place[axis])
            if (
                long >= SHORTEST * size
                and piece.sum() <= THICKEST * size * long
                and short <= THICKEST * size + ASKEW * long
            ):
                lines[place] |= piece
    return lines


def _runs(mask: Mask, axis: int, size: float) -> Mask:
    """What is in straight runs along the axis, which may be a little askew."""
    from scipy import ndimage

    length = int(RUN * size) | 1
    thick = ndimage.maximum_filter1d(mask.view(np.uint8), 3, 1 - axis)
    runs = ndimage.maximum_filter1d(ndimage.minimum_filter1d(thick, length, axis), length, axis)
    along: Mask = mask & (runs > 0)
    return along


def _length(side: slice) -> int:
    return int(side.stop) - int(side.start)
