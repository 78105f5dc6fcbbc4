"""Forms of digits that people write and MNIST's writers did not, drawn by code onto MNIST's images.

A form is one entry in FORMS: the digit it belongs to, how often it is drawn, and a function that draws it. Coordinates
are in pixels, x to the right and y down, with the middle of the top left pixel at (0.5, 0.5).
"""

import dataclasses
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mnist_core.augmentation.pen import box, curve, pen_width, stroke


@dataclasses.dataclass(frozen=True)
class Form:
    """`draw` maps images (B, 28, 28), float32, 0 to 255, of `digit` to ones with the form; `share` of them get it."""

    digit: int
    share: float
    draw: Callable[[Tensor], Tensor]


def draw_forms(images: Tensor, labels: Tensor) -> Tensor:
    """Each form on its share of the images of its digit, chosen at random; (B, 28, 28), float32, 0 to 255.

    `images` (B, 28, 28), uint8 or float32, 0 to 255; `labels` (B,), 0 to 9. All randomness is torch's global state.
    """
    drawn = images.float() if images.dtype == torch.uint8 else images.clone()
    for form in FORMS.values():
        chosen = (labels == form.digit) & (torch.rand(len(labels)) < form.share).to(labels.device)
        index = chosen.nonzero()[:, 0]
        if len(index):
            drawn[index] = form.draw(drawn[index])
    return drawn


def _uniform(like: Tensor, low: float, high: float) -> Tensor:
    """Random numbers (B,), drawn on the CPU, so that a seed means the same on every device."""
    return (torch.rand(len(like)) * (high - low) + low).to(like.device)


def _middle_of_row(images: Tensor, y: Tensor) -> Tensor:
    """Where, from the left, the ink around height `y` (B,) has its middle: (B,)."""
    rows = torch.arange(images.shape[1], device=images.device) + 0.5
    near = ((rows - y[:, None]).abs() <= 1.0).float()  # (B, H)
    mass = (images * near[:, :, None]).sum(1)  # (B, W)
    return (mass * (torch.arange(images.shape[2], device=images.device) + 0.5)).sum(1) / mass.sum(1).clamp(min=1)


def _polyline(*points: tuple[Tensor, Tensor]) -> Tensor:
    """(B, K, 2) from K pairs of x and y, each (B,)."""
    return torch.stack([torch.stack(point, 1) for point in points], 1)


def _flag(images: Tensor) -> Tensor:
    """A stroke down to the left from the upper end of a 1."""
    _, top, _, bottom = box(images)
    width = pen_width(images)
    y = top + width / 2
    x = _middle_of_row(images, y)
    angle, length = _uniform(x, 15, 75) * math.pi / 180, _uniform(x, 0.2, 0.6) * (bottom - top)
    to_x, to_y = x - length * angle.cos(), y + length * angle.sin()
    bend = _uniform(x, -0.12, 0.12) * length
    middle = ((x + to_x) / 2 + bend * angle.sin(), (y + to_y) / 2 + bend * angle.cos())
    return stroke(images, _polyline((x, y), middle, (to_x, to_y)), width)


def _upright_1(images: Tensor) -> Tensor:
    """A 1 drawn anew, with a stem that hardly leans and a flag that may lie nearly flat, as that of no 7 does."""
    width = pen_width(images)
    lean = _uniform(width, -0.12, 0.15)
    top, bottom = torch.full_like(width, 4), torch.full_like(width, 24)
    x, foot_x = 15 + 10 * lean, 15 - 10 * lean
    angle, length = _uniform(x, 10, 60) * math.pi / 180, _uniform(x, 5, 11)
    tip = (x - length * angle.cos(), top + length * angle.sin())
    bend = _uniform(x, -0.15, 0.15) * length
    middle = ((x + tip[0]) / 2 + bend * angle.sin(), (top + tip[1]) / 2 + bend * angle.cos())
    return stroke(torch.zeros_like(images), _polyline(tip, middle, (x, top), (foot_x, bottom)), width)


def _foot(images: Tensor) -> Tensor:
    """A bar under a 1."""
    _, top, _, bottom = box(images)
    width = pen_width(images)
    y = bottom - width / 2
    x = _middle_of_row(images, y)
    size = bottom - top
    left, right = _uniform(x, 0.05, 0.45) * size, _uniform(x, 0.05, 0.45) * size
    slope = _uniform(x, -0.25, 0.15)
    return stroke(images, _polyline((x - left, y - slope * left), (x + right, y + slope * right)), width)


def _through(images: Tensor, angle: Tensor, low: float, high: float) -> Tensor:
    """A stroke through the middle of the box at `angle` (B,), up from the right; each half `low` to `high` of the way
    to the box's edge."""
    left, top, right, bottom = box(images)
    width = pen_width(images)
    x = (left + right) / 2 + _uniform(left, -0.1, 0.1) * (right - left)
    y = (top + bottom) / 2 + _uniform(left, -0.1, 0.1) * (bottom - top)
    across, up = angle.cos() * (right - left) / 2, angle.sin() * (bottom - top) / 2
    before, behind = _uniform(x, low, high), _uniform(x, low, high)
    line = _polyline((x - before * across, y + before * up), (x + behind * across, y - behind * up))
    return stroke(images, line, width)


def _slash(images: Tensor) -> Tensor:
    return _through(images, _uniform(images, 30, 70) * math.pi / 180, 0.6, 1.9)


def _bar_across(images: Tensor) -> Tensor:
    return _through(images, _uniform(images, -15, 25) * math.pi / 180, 0.5, 1.9)


def _bar_down(images: Tensor) -> Tensor:
    return _through(images, _uniform(images, 70, 105) * math.pi / 180, 0.4, 1.5)


def _dot(images: Tensor) -> Tensor:
    return _through(images, _uniform(images, 0, 180) * math.pi / 180, 0.0, 0.15)


def _bar_on_7(images: Tensor) -> Tensor:
    """A bar through the stem of a 7."""
    _, top, _, bottom = box(images)
    y = top + _uniform(top, 0.4, 0.7) * (bottom - top)
    x = _middle_of_row(images, y)
    left, right = (_uniform(x, 0.12, 0.4) * (bottom - top) for _ in range(2))
    slope = _uniform(x, -0.4, 0.2)
    line = _polyline((x - left, y - slope * left), (x + right, y + slope * right))
    return stroke(images, line, pen_width(images))


def _serif_on_7(images: Tensor) -> Tensor:
    """A short stroke down, or up, at the left end of a 7's bar."""
    _, top, _, bottom = box(images)
    upper = (
        images
        * (torch.arange(images.shape[1], device=images.device) < (top + 0.35 * (bottom - top))[:, None])[:, :, None]
    )
    left, _, _, _ = box(upper)
    columns = torch.arange(images.shape[2], device=images.device) + 0.5
    near = upper * ((columns - left[:, None] - 1).abs() <= 1.0).float()[:, None, :]
    y = (near.sum(2) * (torch.arange(images.shape[1], device=images.device) + 0.5)).sum(1) / near.sum((1, 2)).clamp(
        min=1
    )
    x = left + pen_width(images) / 2
    length = _uniform(x, 0.1, 0.25) * (bottom - top)
    lean = _uniform(x, -0.4, 0.4)
    line = _polyline((x, y - 0.2 * length), (x + lean * length, y + length))
    return stroke(images, line, pen_width(images))


def _open_4(images: Tensor) -> Tensor:
    """A 4 of two strokes, drawn anew: down and to the right, and a stem through or beside the bar."""
    left, top = _uniform(images, 5, 9), _uniform(images, 4, 7)
    corner_x, corner_y = left - _uniform(images, -2, 4), _uniform(images, 13, 18)
    right = _uniform(images, 17, 23)
    bar_y = corner_y - _uniform(images, -1.5, 2.5)
    stem_x = left + (right - left) * _uniform(images, 0.55, 0.9)
    stem_top, stem_bottom = _uniform(images, 4, 12), _uniform(images, 20, 25)
    lean = _uniform(images, -2, 3)
    width = pen_width(images)
    drawn = stroke(torch.zeros_like(images), _polyline((left, top), (corner_x, corner_y), (right, bar_y)), width)
    return stroke(drawn, _polyline((stem_x + lean / 2, stem_top), (stem_x - lean / 2, stem_bottom)), width)


# Digits written in one stroke: boxes (left, top, right, bottom), each with a point somewhere in it that the pen passes,
# in shares of the digit's height, x from its left edge.
Boxes = tuple[tuple[float, float, float, float], ...]
ROOF_1 = ((0, 0.4, 0.05, 0.9), (0.3, 0, 0.65, 0), (0.3, 1, 0.75, 1))
ONE_STROKE_4 = (
    (0.2, 0, 0.42, 0.1),
    (0.1, 0.28, 0.2, 0.4),
    (0, 0.5, 0.1, 0.62),
    (0.3, 0.42, 0.45, 0.55),
    (0.5, 0.22, 0.7, 0.42),
    (0.5, 0.6, 0.7, 0.7),
    (0.4, 1, 0.75, 1),
)
HOOKED_9 = (
    (0.42, 0.2, 0.54, 0.36),
    (0.38, 0, 0.48, 0.08),
    (0.1, 0, 0.2, 0.12),
    (0, 0.2, 0.06, 0.32),
    (0.15, 0.38, 0.25, 0.52),
    (0.45, 0.32, 0.6, 0.5),
    (0.5, 0.62, 0.68, 0.78),
    (0.3, 0.9, 0.45, 1),
    (0, 0.8, 0.2, 1),
)
ANGULAR_5 = (
    (0.5, 0, 0.75, 0.08),
    (0.12, 0, 0.25, 0.1),
    (0.05, 0.36, 0.16, 0.48),
    (0.4, 0.36, 0.52, 0.5),
    (0.5, 0.6, 0.65, 0.75),
    (0.3, 0.9, 0.45, 1),
    (0, 0.85, 0.08, 1),
)
CLOSED_6 = (
    (0.3, 0, 0.5, 0.06),
    (0.08, 0.28, 0.18, 0.4),
    (0, 0.6, 0.06, 0.75),
    (0.25, 0.95, 0.35, 1),
    (0.5, 0.6, 0.65, 0.78),
    (0.3, 0.28, 0.45, 0.48),
    (0.06, 0.4, 0.2, 0.65),
)


def _written(boxes: Boxes, curved: float) -> Callable[[Tensor], Tensor]:
    """Draws a digit anew, through points in `boxes`; `curved` is the share that is a curve, not straight lines."""

    def draw(images: Tensor) -> Tensor:
        corners = torch.tensor(boxes, device=images.device)
        low, high = corners[:, :2], corners[:, 2:]
        points = low + (high - low) * torch.rand(len(images), len(boxes), 2).to(images.device)
        smooth = curve(points)
        straight = F.interpolate(points.mT, smooth.shape[1], mode="linear", align_corners=True).mT
        line = torch.where((_uniform(images, 0, 1) < curved)[:, None, None], smooth, straight)
        slant, wide = _uniform(images, -0.1, 0.25)[:, None], _uniform(images, 0.8, 1.3)[:, None]
        x = (line[..., 0] + slant * (0.5 - line[..., 1])) * wide
        x = x - (x.amin(1, keepdim=True) + x.amax(1, keepdim=True)) / 2
        return stroke(torch.zeros_like(images), torch.stack([14 + 20 * x, 4 + 20 * line[..., 1]], 2), pen_width(images))

    return draw


def _two_loops(images: Tensor) -> Tensor:
    """An 8 of two loops that stand on each other, drawn anew; they may miss each other a little, or not close."""
    count, width = len(images), pen_width(images)
    middle = torch.full((count,), images.shape[2] / 2, device=images.device)
    upper, lower = _uniform(images, 3, 5), _uniform(images, 3.5, 5.5)  # half the height of each
    touch = images.shape[1] / 2 + _uniform(images, -1, 1)
    gap = _uniform(images, -0.7, 1.0)
    drawn = torch.zeros_like(images)
    for half, side in ((upper, -1), (lower, 1)):
        x = middle + _uniform(images, -1.2, 1.2)
        y = touch + side * (half + gap / 2)
        drawn = stroke(drawn, _loop(x, y, half * _uniform(images, 0.7, 1.3), half), width)
    return drawn


def _loop(x: Tensor, y: Tensor, half_width: Tensor, half_height: Tensor, points: int = 14) -> Tensor:
    """A loop around (x, y) as a line (B, points, 2); it begins anywhere and ends a little before or behind itself."""
    begin, whole = _uniform(x, 0, 2 * math.pi), _uniform(x, 1.85, 2.2) * math.pi
    angle = begin[:, None] + whole[:, None] * torch.linspace(0, 1, points, device=x.device)
    return torch.stack(
        [x[:, None] + half_width[:, None] * angle.cos(), y[:, None] + half_height[:, None] * angle.sin()], 2
    )


FORMS = {
    "flag on 1": Form(1, 0.35, _flag),
    "roof for 1": Form(1, 0.25, _written(ROOF_1, 0.3)),
    "upright 1 with a flag": Form(1, 0.15, _upright_1),
    "foot on 1": Form(1, 0.25, _foot),
    "slash in 0": Form(0, 0.2, _slash),
    "bar across 0": Form(0, 0.1, _bar_across),
    "bar down 0": Form(0, 0.1, _bar_down),
    "dot in 0": Form(0, 0.03, _dot),
    "open 4": Form(4, 0.05, _open_4),
    "4 in one stroke": Form(4, 0.1, _written(ONE_STROKE_4, 0.5)),
    "angular 5": Form(5, 0.06, _written(ANGULAR_5, 0.4)),
    "closed 6": Form(6, 0.05, _written(CLOSED_6, 1)),
    "bar on 7": Form(7, 0.3, _bar_on_7),
    "serif on 7": Form(7, 0.12, _serif_on_7),
    "two loops for 8": Form(8, 0.06, _two_loops),
    "hooked 9": Form(9, 0.1, _written(HOOKED_9, 1)),
}
