"""Random changes to a batch of images, so that a network sees more handwriting than there is.

All randomness is torch's global state on the CPU, so that a seed means the same on every device.
"""

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor

from mnist_core.augmentation import digit_variants, pen
from mnist_core.dataset import Augmentation
from mnist_core.drawing import BOX

# How far each change goes either way, drawn evenly for each image.
ROTATION = 12.0  # degrees
SCALE = 0.12  # share of the size, height and width apart
SHEAR = 0.2  # pixels sideways for each pixel down
SHIFT = 2.0  # pixels

# Of `handwriting` alone.
PARTS = ("forms", "affine", "elastic", "thickness")
SHARE = 0.7  # of the images that get all parts; MNIST's own ways of writing stay frequent in the rest
BEND = 0.9  # pixels, standard deviation of the elastic displacement where it is strongest
SMOOTHNESS = 5.0  # pixels, standard deviation of the Gaussian that makes the displacement smooth
GRID = 4  # pixels between the random numbers that the displacement is made from
JITTER = 0.8  # pixels either way that the centre is off
ZOOM = 0.08  # share by which the size is off
INKED = 80  # of 255, from here on a pixel counts when the box is measured
THINNER = 0.3  # share of the strongest ink, blurred, that a stroke loses at most
THICK_PENS = 0.25  # share of the images that are written with a much thicker pen
RETHICKENED = 0.75  # share of the images whose strokes are made thinner or thicker
BLUR = (0.06, 0.24, 0.4, 0.24, 0.06)  # a Gaussian of about one pixel


def affine(images: Tensor) -> Tensor:
    """Each image turned, scaled, sheared and shifted by amounts of its own.

    `images` (B, 28, 28), uint8 or float, on a background of 0; returns (B, 28, 28), float32, in the same range.
    """
    *linear, down, right = _amounts(6, images)
    shift = torch.stack([right, down], 1) * SHIFT * 2 / images.shape[-1]
    return _sampled(images.float(), _linear_maps(*linear), shift[:, :, None, None])


def handwriting(images: Tensor, labels: Tensor, parts: Collection[str] = PARTS) -> Tensor:
    """Each image as another hand might have written it, and brought to MNIST's form again.

    In SHARE of the images, spread evenly, the forms that MNIST lacks are drawn (see `digit_variants`); the image is
    turned, scaled, sheared and bent elastically (Simard, Steinkraus and Platt, 2003); its box is scaled to 20 pixels
    and its centre of mass put in the middle, both a little off; and its strokes are made thinner or thicker. `parts`
    says which of these are done. In the other images only "affine" is.

    `images` (B, 28, 28), uint8 or float, 0 to 255; `labels` (B,); returns (B, 28, 28), float32, 0 to 255.
    """
    count = torch.arange(len(images) + 1, device=images.device)
    whole = (count * SHARE).floor().diff() > 0  # (B,)
    written = torch.empty(images.shape, device=images.device)
    written[whole] = _rewritten(images[whole], labels[whole], parts)
    few = [part for part in parts if part == "affine"]
    written[~whole] = _rewritten(images[~whole], labels[~whole], few)
    return written


def _rewritten(images: Tensor, labels: Tensor, parts: Collection[str]) -> Tensor:
    """All images with these parts of `handwriting`."""
    count, size = images.shape[:2]
    drawn = digit_variants.draw_forms(images, labels) if "forms" in parts else images.float()
    if "thickness" in parts:
        drawn = _with_thick_pen(drawn)
    maps = _linear_maps(*_amounts(4, drawn) * ("affine" in parts))
    bend = _elastic(drawn) if "elastic" in parts else drawn.new_zeros(count, 2, 1, 1)
    wide = drawn.new_full((count,), 1.15)  # so that what has become larger is not cut
    longer, middle = _box_and_centre(_sampled(drawn, maps, bend, zoom=wide))
    off_x, off_y, larger = _amounts(3, drawn)
    zoom = longer * wide / BOX * (1 + ZOOM * larger)
    # MNIST's centre of mass is half a pixel right of and below the middle, on the average
    off = torch.stack([off_x, off_y], 1) * JITTER - 0.5
    middle = middle * wide[:, None] + zoom[:, None] * off * 2 / size
    written = _sampled(drawn, maps, bend, middle, zoom)
    return _rethickened(written) if "thickness" in parts else written


AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    "affine": lambda images, labels: affine(images),
    "handwriting": handwriting,
}


def _amounts(kinds: int, images: Tensor) -> Tensor:
    """Random numbers between -1 and 1: (kinds, B)."""
    return (torch.rand(kinds, len(images)) * 2 - 1).to(images.device)


def _linear_maps(turn: Tensor, tall: Tensor, wide: Tensor, shear: Tensor) -> Tensor:
    """(B, 2, 2), from a new pixel's place to the old one's; each amount (B,), -1 to 1."""
    cos, sin = torch.cos(turn * math.radians(ROTATION)), torch.sin(turn * math.radians(ROTATION))
    tall, wide, shear = 1 + SCALE * tall, 1 + SCALE * wide, SHEAR * shear
    rows = (wide * cos, wide * (shear * cos - sin)), (tall * sin, tall * (shear * sin + cos))
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def _sampled(
    images: Tensor, maps: Tensor, bend: Tensor, middle: Tensor | None = None, zoom: Tensor | None = None
) -> Tensor:
    """New images (B, 28, 28) from old ones: each pixel p from where `maps` @ (middle + zoom * p) + bend is.

    The image's edges are at -1 and 1. `bend` (B, 2, 28, 28), or (B, 2, 1, 1); `middle` (B, 2), (x, y); `zoom` (B,).
    Summed up by hand: on a CPU torch's affine_grid alone takes longer than all of this.
    """
    size = images.shape[-1]
    line = (torch.arange(size, device=images.device) * 2 + 1) / size - 1
    zoomed = line if zoom is None else zoom[:, None] * line  # (28,) or (B, 28)
    x, y = (zoomed, zoomed) if middle is None else (middle[:, :1] + zoomed, middle[:, 1:] + zoomed)
    x, y = x[..., None, :], y[..., :, None]
    places = [maps[:, i, 0, None, None] * x + maps[:, i, 1, None, None] * y + bend[:, i] for i in (0, 1)]
    return F.grid_sample(images[:, None], torch.stack(places, -1), align_corners=False)[:, 0]


def _elastic(images: Tensor) -> Tensor:
    """A smooth random displacement for each image: (B, 2, 28, 28), where the image's edges are at -1 and 1."""
    size = images.shape[-1]
    pixels = torch.arange(size, device=images.device)
    nodes = torch.arange(-GRID, size + GRID, GRID, device=images.device)
    smooth = torch.exp(-((pixels[:, None] - nodes) ** 2) / (2 * SMOOTHNESS**2))
    smooth = smooth / smooth.norm(dim=1, keepdim=True)  # the sum of independent numbers keeps their variance
    noise = torch.randn(len(images), 2, len(nodes), len(nodes)).to(images.device)
    strength = torch.rand(len(images), 1, 1, 1).to(images.device) * BEND * 2 / size
    bend: Tensor = strength * (smooth @ noise @ smooth.T)
    return bend


def _box_and_centre(images: Tensor) -> tuple[Tensor, Tensor]:
    """The longer side (B,) of the box around the ink, in pixels, and the centre of mass (B, 2), edges at -1 and 1."""
    size = images.shape[-1]
    left, top, right, bottom = pen.box(images, INKED)
    line = (torch.arange(size, device=images.device) * 2 + 1) / size - 1
    mass = images.sum((1, 2)).clamp(min=1)
    centre = torch.stack([images.sum(1) @ line, images.sum(2) @ line], 1) / mass[:, None]
    return torch.maximum(right - left, bottom - top), centre


def _with_thick_pen(images: Tensor) -> Tensor:
    """Some of the images as with a pen up to two pixels thicker, which no blur makes; their digits grow by as much."""
    grown = F.max_pool2d(images[:, None], 3, stride=1, padding=1)[:, 0]
    amount, chosen = torch.rand(2, len(images), 1, 1).to(images.device)
    return torch.where(chosen < THICK_PENS, torch.lerp(images, grown, amount), images)


def _rethickened(images: Tensor) -> Tensor:
    """Strokes thinner, thicker, softer or crisper: each image blurred, and its ink cut at a level of its own."""
    blur = torch.tensor(BLUR, device=images.device)
    across, down = blur.view(1, 1, 1, -1), blur.view(1, 1, -1, 1)
    blurred = F.conv2d(F.conv2d(images[:, None], across, padding=(0, 2)), down, padding=(2, 0))[:, 0]
    level, softness, chosen = torch.rand(3, len(images), 1, 1).to(images.device)
    cut = (blurred / _strongest(blurred) - THINNER * level) / (0.25 + 0.35 * softness)
    cut = cut.clamp(0, 1)
    return torch.where(chosen < RETHICKENED, cut / _strongest(cut) * 255, images)


def _strongest(images: Tensor) -> Tensor:
    return images.amax((1, 2), keepdim=True).clamp(min=1e-3)
