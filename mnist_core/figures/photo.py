"""A photo with the ink that was found in it."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_core.paper.page_reading import Ink, Pixels

INK, DROPPED = (230, 97, 0), (53, 132, 228)  # red, green and blue
TINTED = 0.85  # of a pixel's colour where there is ink


def tinted(picture: Image.Image, ink: Ink) -> Image.Image:
    """The picture with the ink of its digits in orange, and in blue what is dark and was taken for no digit."""
    painted = np.array(picture.convert("RGB"), np.float32)
    for mask, color in ((np.where(ink.dropped, np.uint8(255), np.uint8(0)), DROPPED), (ink.ink, INK)):
        share = _share(mask, picture.size)
        painted += share * (np.array(color, np.float32) - painted)
    return Image.fromarray(painted.round().astype(np.uint8))


def _share(mask: Pixels, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """How much of each pixel's colour is the ink's: (H, W, 1)."""
    resized = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR), np.float32)
    share: npt.NDArray[np.float32] = resized[..., None] * np.float32(TINTED / 255)
    return share
