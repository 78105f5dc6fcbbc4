"""Random changes to a batch of images, so that a network sees more handwriting than there is."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# How far `affine` goes either way, each drawn evenly for each image.
ROTATION = 12.0  # degrees
SCALE = 0.12  # share of the size, height and width apart
SHEAR = 0.2  # pixels sideways for each pixel down
SHIFT = 2.0  # pixels


def affine(images: Tensor) -> Tensor:
    """Each image turned, scaled, sheared and shifted by amounts of its own, from torch's global random state.

    `images` (B, 28, 28), uint8 or float, on a background of 0; returns (B, 28, 28), float32, in the same range.
    """
    count, size = len(images), images.shape[-1]
    # drawn on the CPU, so that a seed means the same on every device
    turn, tall, wide, shear, down, right = (torch.rand(6, count) * 2 - 1).to(images.device)
    angle = turn * math.radians(ROTATION)
    cos, sin = torch.cos(angle), torch.sin(angle)
    tall, wide = 1 + SCALE * tall, 1 + SCALE * wide
    shear = shear * SHEAR
    # (B, 2, 3): where in the old image, from -1 to 1, each new pixel comes from
    matrix = torch.stack(
        [
            torch.stack([wide * cos, wide * (shear * cos - sin), right * SHIFT * 2 / size], dim=1),
            torch.stack([tall * sin, tall * (shear * sin + cos), down * SHIFT * 2 / size], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(matrix, [count, 1, size, size], align_corners=False)
    return F.grid_sample(images[:, None].float(), grid, align_corners=False)[:, 0]


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor] | None] = {"none": None, "affine": affine}
