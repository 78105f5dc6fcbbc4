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
    # drawn on the CPU, so that a seed means the same on every device; each (B, 1, 1)
    turn, tall, wide, shear, down, right = (torch.rand(6, count, 1, 1) * 2 - 1).to(images.device)
    cos, sin = torch.cos(turn * math.radians(ROTATION)), torch.sin(turn * math.radians(ROTATION))
    tall, wide, shear = 1 + SCALE * tall, 1 + SCALE * wide, SHEAR * shear
    # The middles of the pixels, with the image's edges at -1 and 1; where in the old image each new pixel comes from.
    # Summed up by hand: on a CPU torch's affine_grid alone takes longer than all of this.
    across = (torch.arange(size, device=images.device) * 2 + 1) / size - 1
    along = across[:, None]
    x = (wide * cos * across + right * SHIFT * 2 / size) + wide * (shear * cos - sin) * along
    y = (tall * sin * across + down * SHIFT * 2 / size) + tall * (shear * sin + cos) * along
    moved = F.grid_sample(images[:, None].float(), torch.stack([x, y], dim=-1), align_corners=False)
    return moved[:, 0]


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor] | None] = {"none": None, "affine": affine}
