"""Where a sheet of paper lies in a photo: what is around it, a table for example, is no paper to look for ink on."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from PIL import Image

COARSE = 160  # pixels, longer side at which the outline is looked for
SMALLEST = 200  # pixels, longer side of a photo that may show more than the paper
STEP = 0.08  # of the brightness' logarithm over three coarse pixels: from here on it is an edge, no falling light
LEAST = 0.1  # of the photo, the area of a sheet at least
SOLID = 0.85  # of its convex hull, the area of a sheet at least
MARGIN = 2  # coarse pixels along the outline that are no paper: its edge, and the shadow there
BAND = 7, 11  # coarse pixels from the outline, between which lies what is around the sheet
SHARP = 0.6  # of how much darker that is, the step at the outline at least
MUCH = 0.75  # of the photo, what a sheet takes where the table is on one side of it alone
DARKEST = 0.05  # brightness that is added before the logarithm, in which noise in the dark would be steps
STROKE = 0.06  # of the longer side: what is narrower and darker is ink, not the paper's brightness

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The sheet lies at `place`, rows and columns of the image; `grey` (H, W), 0 to 1, is what is there.

    `paper` (H, W) is where the sheet is, which may be turned; around it, its brightness goes on in `grey`.
    """

    place: tuple[slice, slice]
    grey: Grey
    paper: Mask


def find(grey: Grey) -> Sheet | None:
    """The sheet of paper in a photo, `grey` (H, W), 0 to 1; None where the whole photo is of paper, or of none.

    It is the lightest of the regions without an edge in them that are large and solid, and lighter than what is around
    them by a sharp step, as no shadow's is.
    """
    from scipy import ndimage

    if max(grey.shape) < SMALLEST:
        return None
    small = resized(grey, COARSE)
    log = np.log(ndimage.gaussian_filter(ndimage.median_filter(small, 3, mode="nearest"), 0.7) + DARKEST)
    steps = ndimage.maximum_filter(log, 3) - ndimage.minimum_filter(log, 3)
    labels, count = ndimage.label(steps < STEP)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    regions = [ndimage.binary_fill_holes(labels == label) for label in np.flatnonzero(areas >= LEAST * small.size) + 1]
    sheets = [
        region
        for region in regions
        if _stands_out(region, log, steps) and _is_solid(region) and not _may_be_lit_alone(region)
    ]
    if not sheets:
        return None
    whole = max(sheets, key=lambda region: float(np.median(log[region])))
    depth = ndimage.distance_transform_cdt(whole)
    inside, deeper = depth > MARGIN, depth > MARGIN + 1
    if not deeper.any():
        return None
    nearest = ndimage.distance_transform_edt(~deeper, return_distances=False, return_indices=True)
    light = _enlarged(_closed(small, int(STROKE * COARSE) | 1)[tuple(nearest)], grey.shape)
    paper = _enlarged(inside.astype(np.float32), grey.shape) > 0.5
    rows, columns = np.flatnonzero(paper.any(1)), np.flatnonzero(paper.any(0))
    place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Sheet(place, np.where(paper, grey, light)[place], paper[place])


def _is_solid(region: Mask) -> bool:
    """Whether the region is about as large as its convex hull."""
    from scipy.spatial import ConvexHull

    y, x = np.nonzero(region)
    corners = np.concatenate([np.stack([x + right, y + down], 1) for right in (0, 1) for down in (0, 1)])
    return bool(region.sum() >= SOLID * ConvexHull(corners).volume)


def _stands_out(region: Mask, log: Grey, steps: Grey) -> bool:
    """Whether the region is lighter than what is around it, by one sharp step."""
    from scipy import ndimage

    away = ndimage.distance_transform_cdt(~region)  # coarse pixels
    around = (away > BAND[0]) & (away <= BAND[1])
    inside = ndimage.distance_transform_cdt(region) > MARGIN
    if not (around.any() and inside.any()):
        return False
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    lighter = float(np.median((log[tuple(nearest)] - log)[around]))
    sharpest = float(np.median(ndimage.maximum_filter(steps, 5)[away == 1]))
    return lighter >= STEP and sharpest >= SHARP * lighter


def _may_be_lit_alone(region: Mask) -> bool:
    """Whether there is much beside the region, all on one side of it, as where a part of the paper is in shadow.

    A table is around a sheet, or little of it is seen.
    """
    return region.mean() < MUCH and _is_solid(~region)


def _closed(grey: Grey, size: int) -> Grey:
    """What is dark and narrower than `size` pixels made as light as what is around it, but for strips at the border."""
    from scipy import ndimage

    lightest = ndimage.maximum_filter(grey, size, mode="constant", cval=0)
    closed: Grey = ndimage.minimum_filter(lightest, size, mode="constant", cval=1)
    return closed


def resized(grey: Grey, longer_side: int) -> Grey:
    """The image (H, W) with its longer side in pixels, if it is longer."""
    height, width = grey.shape
    scale = min(1.0, longer_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _enlarged(coarse: Grey, shape: tuple[int, ...]) -> Grey:
    height, width = shape
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))
