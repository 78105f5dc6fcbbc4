"""Numbers as colours: pictures of weights, of values and of what counts, seen well on light and on dark."""

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.floating]

ABOVE, BELOW, NOTHING = np.array([[230, 97, 0], [53, 132, 228], [128, 128, 128]], np.float32)  # red, green, blue
FAINTEST = 0.12  # opacity of a 0, so that a picture's outline is seen


def tinted(values: Numbers, largest: float | None = None) -> Picture:
    """`values` (H, W) as a picture (H, W, 4) of red, green, blue and opacity: orange above 0, blue below.

    The full colour stands for `largest`, or where that is None for the largest size in `values`; 0 lets the page shine
    through.
    """
    most = float(np.abs(values).max(initial=0)) if largest is None else largest
    size = np.clip(np.abs(values) / (most or 1), 0, 1).astype(np.float32)[..., None]
    color = np.where(values[..., None] > 0, ABOVE, BELOW)
    rgb = NOTHING + (color - NOTHING) * np.minimum(1, 5 * size)
    return np.concatenate([rgb, 255 * (FAINTEST + (1 - FAINTEST) * size)], -1).astype(np.uint8)


def overlaid(image: Picture, values: Numbers) -> Picture:
    """`values` (H, W) over a faint `image` (H, W), uint8, white ink on black: (H, W, 4), the ink as grey."""
    most = float(np.abs(values).max(initial=0))
    picture = tinted(values, 0.6 * most)  # a few pixels count most by far; the others are to be seen as well
    ink = image > 0
    grey = np.stack([np.full_like(image, 128)] * 3 + [image // 2], -1)
    return np.where((ink & (picture[..., 3] < grey[..., 3]))[..., None], grey, picture)


def sheet(maps: Numbers, columns: int, times: int = 1) -> Picture:
    """`maps` (N, H, W) in rows of `columns`, each value a block of `times` pixels: one picture (height, width, 4).

    One scale of colours for all.
    """
    count, height, width = maps.shape
    columns = min(columns, count)
    most = float(np.abs(maps).max(initial=0))
    gap = max(2, times // 2)
    down, across = height * times + gap, width * times + gap
    picture = np.zeros((-(-count // columns) * down - gap, columns * across - gap, 4), np.uint8)
    for index, values in enumerate(maps):
        top, left = index // columns * down, index % columns * across
        tile = tinted(values, most).repeat(times, 0).repeat(times, 1)
        picture[top : top + height * times, left : left + width * times] = tile
    return picture
