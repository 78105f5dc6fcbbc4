"""`drawing.to_mnist` as a torch module, to be put into a file together with a network.

It has no step whose shape depends on what is drawn, so that it can be exported: the ink's box is not cut out but
picked by the matrices that scale it.
"""

import math

import torch
from torch import Tensor, nn

from mnist_core.drawing import BOX, EDGE, FAINTEST, SIZE, TIE

# Left, top, right and bottom, the first pixel without ink, each a tensor () of float64.
Box = tuple[Tensor, Tensor, Tensor, Tensor]


class Preprocessing(nn.Module):
    """From an image (H, W), uint8, of one digit on an even background to MNIST's form (28, 28), float32, 0 to 255.

    The second output, (), bool, says whether there is ink; where there is none, the first has no meaning. Light on dark
    and dark on light are the same. What `drawing.follow` does beyond that is left out: transparency, and backgrounds
    that change as a photo's do.
    """

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        ink, has_ink = _ink(image)  # (H, W), ()
        left, top, right, bottom = _box(ink)
        scale = _quotient(BOX, torch.maximum(bottom - top, right - left))
        height, width = (
            ((end - start) * scale).round().clamp(min=1.0) for start, end in ((top, bottom), (left, right))
        )
        down = _resampling(top, bottom - top, height, ink.shape[0])
        across = _resampling(left, right - left, width, ink.shape[1])
        scaled = down @ ink @ across.T  # (20, 20), black beyond the shorter side
        digit = (scaled * (255.0 / scaled.max()) + 0.5).floor()
        return _centred(digit, height, width), has_ink


def _ink(image: Tensor) -> tuple[Tensor, Tensor]:
    """How far each pixel is from the background, (H, W), float64, 0 to 255, and whether that is any ink, ().

    Where there is none, all of the image counts as ink, so that whatever follows stays finite.
    """
    grey = image.float() / torch.tensor(255.0)
    border = torch.cat([grey[0], grey[-1], grey[:, 0], grey[:, -1]]).sort().values
    middle = image.shape[0] + image.shape[1]  # of twice as many
    contrast = (grey - (border[middle - 1] + border[middle]) / 2).abs()
    strongest = contrast.max().double()
    has_ink = strongest >= FAINTEST
    # in float32 and rounded, as NumPy does it
    factor = torch.where(has_ink, _quotient(255.0, strongest), 0.0).float()
    return torch.where(has_ink, (contrast * factor + 0.5).floor(), 255.0).double(), has_ink


def _quotient(number: float, divisor: Tensor) -> Tensor:
    """The number divided by `divisor` (), float64, in one rounding; torch's own `/` would take the reciprocal first."""
    return torch.tensor(number, dtype=torch.float64) / divisor


def _box(ink: Tensor) -> Box:
    """The box of the ink (H, W)."""
    inked = ink > EDGE * 255
    (left, right), (top, bottom) = _ends(inked.any(0)), _ends(inked.any(1))
    return left, top, right, bottom


def _ends(inked: Tensor) -> tuple[Tensor, Tensor]:
    """Where the first True of (N,) is, and the last one plus 1; there is one at least."""
    places = torch.arange(inked.shape[0], dtype=torch.float64)
    return torch.where(inked, places, math.inf).min(), torch.where(inked, places, -1.0).max() + 1


def _resampling(start: Tensor, count: Tensor, new_count: Tensor, length: int) -> Tensor:
    """`drawing.resampling` of the `count` values from `start` on of `length`: (20, length); rows beyond are 0."""
    new = torch.arange(BOX, dtype=torch.float64)[:, None]
    old = torch.arange(length, dtype=torch.float64)[None] - start
    step = count / new_count
    covered = torch.minimum((new + 1) * step, old + 1) - torch.maximum(new * step, old)
    between = 1 - (old - ((new + 0.5) * step - 0.5)).abs()
    weights = torch.where(new_count <= count, covered, between).clamp(min=0.0)
    weights = torch.where((new < new_count) & (old >= 0) & (old < count), weights, 0.0)
    return weights / weights.sum(1, keepdim=True).clamp(min=1e-9)


def _centred(digit: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """The digit (20, 20) in (28, 28), float32, with its centre of mass in the pixel right below the middle.

    `height` and `width`, each (), are those of the digit.
    """
    rows, columns = _placing(digit.sum(1), height), _placing(digit.sum(0), width)
    return (rows @ digit @ columns.T).float()


def _placing(mass: Tensor, length: Tensor) -> Tensor:
    """The matrix (28, 20) that moves `length` rows, which weigh `mass` (20,), to where they belong."""
    places = torch.arange(BOX, dtype=torch.float64)
    centre = (mass * (places + 0.5)).sum() / mass.sum()
    corner = torch.minimum((SIZE / 2 - centre - TIE).ceil().clamp(min=0.0), SIZE - length)
    new = torch.arange(SIZE, dtype=torch.float64)[:, None]
    return (new == places + corner).double()
