"""Lines drawn by code onto images, and what is measured of the strokes in them.

Coordinates are in pixels, x to the right and y down, with the middle of the top left pixel at (0.5, 0.5).
"""

import math

import torch
from torch import Tensor

INKED = 100  # of 255: from here on a pixel counts as ink when ends and boxes of a digit are looked for


def stroke(images: Tensor, points: Tensor, width: Tensor) -> Tensor:
    """`images` (B, H, W), 0 to 255, with a line through `points` (B, K, 2), K > 1, of `width` (B,) in pixels on top."""
    return segments(images, points[:, :-1], points[:, 1:], width)


def segments(images: Tensor, start: Tensor, end: Tensor, width: Tensor) -> Tensor:
    """`images` (B, H, W), 0 to 255, with lines from `start` to `end`, each (B, K, 2), of `width` (B,) on top."""
    x = torch.arange(images.shape[2], device=images.device) + 0.5
    y = (torch.arange(images.shape[1], device=images.device) + 0.5)[:, None]
    along = end - start
    along_x, along_y = along[..., 0, None, None], along[..., 1, None, None]  # (B, K, 1, 1)
    from_x, from_y = x - start[..., 0, None, None], y - start[..., 1, None, None]
    length = (along**2).sum(2)[..., None, None].clamp(min=1e-6)
    share = ((from_x * along_x + from_y * along_y) / length).clamp(0, 1)  # of the line, where it is nearest
    distance = ((from_x - share * along_x) ** 2 + (from_y - share * along_y) ** 2).amin(1).sqrt()  # (B, H, W)
    ink = (0.5 + width[:, None, None] / 2 - distance).clamp(0, 1) * 255
    return torch.maximum(images, ink)


def pen_width(images: Tensor) -> Tensor:
    """About how wide the strokes of images (B, H, W), 0 to 255, are: (B,), in pixels.

    Twice the area over the length of the outline, which a line much longer than wide has nearly on each side.
    """
    area = images.sum((1, 2))
    outline = images.diff(dim=1).abs().sum((1, 2)) + images.diff(dim=2).abs().sum((1, 2))
    # steps down and across overstate a slanted outline: by 4 / pi on the average over all directions
    return 2 * area / (outline * math.pi / 4).clamp(min=1)


def curve(points: Tensor, steps: int = 5) -> Tensor:
    """A smooth line through `points` (B, K, 2): (B, (K - 1) * steps + 1, 2), a Catmull-Rom spline."""
    ends = torch.cat([points[:, :1], points, points[:, -1:]], 1)
    before, start, end, behind = (ends[:, i : i + points.shape[1] - 1, None] for i in range(4))
    t = torch.arange(steps, device=points.device)[:, None] / steps
    line = (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - behind) * t**2
        + (3 * start - before - 3 * end + behind) * t**3
    ) / 2
    return torch.cat([line.flatten(1, 2), points[:, -1:]], 1)


def box(images: Tensor, inked: float = INKED) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The box around the pixels above `inked` in images (B, H, W): left, top, right and bottom, each (B,), float32.

    Right and bottom are the first without ink. Of an image without any, the box is the whole image.
    """
    ink = images > inked
    columns, rows = ink.any(1).float(), ink.any(2).float()
    left, top = columns.argmax(1), rows.argmax(1)
    right = columns.shape[1] - columns.flip(1).argmax(1)
    bottom = rows.shape[1] - rows.flip(1).argmax(1)
    return left.float(), top.float(), right.float(), bottom.float()
