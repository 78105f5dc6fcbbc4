"""A convolution by hand: one small kernel that slides over an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mnist_core.drawing import Pixels

Floats = npt.NDArray[np.float64]

# 3 x 3 kernels, each with what it finds. The edges are Prewitt's (1970).
KERNELS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "left edges": ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1)),
    "upper edges": ((-1, -1, -1), (0, 0, 0), (1, 1, 1)),
    "outlines": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "blur": ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
}


def patch(image: Pixels, row: int, column: int, size: int = 3) -> Floats:
    """What a kernel of `size` x `size` lies on when its upper left corner is at that pixel: 0 to 1."""
    return image[row : row + size, column : column + size] / 255


def slide(image: Pixels, kernel: npt.ArrayLike) -> Floats:
    """What the kernel (K, K) gives at each place of `image` (H, W), 0 to 255: (H - K + 1, W - K + 1).

    At each place the sum of pixels, 0 to 1, times weights; as in all networks the kernel is not turned over.
    """
    weights = np.asarray(kernel, np.float64)
    places = np.lib.stride_tricks.sliding_window_view(image / 255, weights.shape)  # (H - K + 1, W - K + 1, K, K)
    summed: Floats = (places * weights).sum((2, 3))
    return summed
