"""`drawing.to_mnist` as a torch module, to be put into a file together with a network.

It gives the same 28 x 28 values, bit for bit, and has no step whose shape depends on what is drawn, so that it can be
exported. Pillow's resizing is done as Pillow does it, in whole numbers: weights times 2^22, rounded, and each sum
shifted back; matrix products in float64 hold such sums exactly.
"""

import math

import torch
from torch import Tensor, nn

from mnist_core.drawing import BOX, EDGE, FAINTEST, FINE, SIZE, THICKEST, THINNEST

FIXED_POINT = 2.0**22  # Pillow's weights are whole numbers of this part
PADDING = math.ceil(FINE * THINNEST / BOX)  # pixels around the fine image, more than its outline moves
FAR = 1e6  # a squared distance larger than any

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
        box = _box(ink)
        pen, moved = _with_even_pen(ink, box)  # (), (FINE + 2 PADDING, the same)
        is_even = (pen >= THINNEST) & (pen <= THICKEST)
        moved_box = _box(moved)
        digit = torch.where(is_even, _resized(ink, box, BOX), _resized(moved, moved_box, BOX))  # (20, 20)
        height, width = (torch.where(is_even, *sizes) for sizes in zip(_size(box), _size(moved_box), strict=True))
        return _centred(_whitened(digit), height, width), has_ink


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
    # in float32 and cut, as NumPy does it
    factor = torch.where(has_ink, _quotient(255.0, strongest), 0.0).float()
    return torch.where(has_ink, (contrast * factor).floor(), 255.0).double(), has_ink


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


def _resized(ink: Tensor, box: Box, longer_side: int) -> Tensor:
    """The box' content with that longer side: (longer_side, longer_side), float64, black beyond the shorter one.

    As Pillow's Image.resize: BOX where it shrinks, else BICUBIC; along the rows first.
    """
    left, top, right, bottom = box
    height, width = _size(box, longer_side)
    shrinks = torch.maximum(right - left, bottom - top) > longer_side
    across = _weights(left, right - left, width, shrinks, longer_side, ink.shape[1])
    down = _weights(top, bottom - top, height, shrinks, longer_side, ink.shape[0])
    return _shifted(down @ _shifted(ink @ across.T))


def _size(box: Box, longer_side: int = BOX) -> tuple[Tensor, Tensor]:
    """The box' height and width where its longer side is made `longer_side`, each () of float64."""
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    scale = _quotient(longer_side, torch.maximum(height, width))
    return (height * scale).round().clamp(min=1.0), (width * scale).round().clamp(min=1.0)


def _weights(start: Tensor, count: Tensor, new_count: Tensor, shrinks: Tensor, longer_side: int, length: int) -> Tensor:
    """What each of `length` pixels adds to each new one: (longer_side, length), whole numbers as float64.

    The `count` pixels from `start` on become `new_count`; the rows beyond these are 0.
    """
    new = torch.arange(longer_side, dtype=torch.float64)[:, None]
    old = torch.arange(length, dtype=torch.float64)[None] - start
    step = count / new_count
    reach = step.clamp(min=1.0)  # how much wider the filter is than for enlarging
    support = torch.where(shrinks, 0.5, 2.0) * reach
    centre = (new + 0.5) * step
    first = (centre - support + 0.5).trunc().clamp(min=0.0)
    behind = torch.minimum((centre + support + 0.5).trunc(), count)
    within = (new < new_count) & (old >= first) & (old < behind)
    distance = (old - centre + 0.5) * (1.0 / reach)
    box = ((distance > -0.5) & (distance <= 0.5)).double()
    weights = torch.where(within, torch.where(shrinks, box, _bicubic(distance.abs())), 0.0)
    total = weights.sum(1, keepdim=True)
    weights = weights / torch.where(total == 0, 1.0, total) * FIXED_POINT
    return (weights + torch.where(weights < 0, -0.5, 0.5)).trunc()


def _bicubic(x: Tensor) -> Tensor:
    """Keys's (1981) cubic convolution with a = -0.5, at distances x >= 0."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _shifted(sums: Tensor) -> Tensor:
    """Fixed-point sums as grey values, rounded and limited to 0 to 255."""
    return ((sums + FIXED_POINT / 2) / FIXED_POINT).floor().clamp(0.0, 255.0)


def _whitened(ink: Tensor) -> Tensor:
    """The strongest ink made 255."""
    return (ink * 255.0 / ink.max()).floor()


def _with_even_pen(ink: Tensor, box: Box) -> tuple[Tensor, Tensor]:
    """How wide the strokes are, in pixels where the longer side is 20, and the ink, finer, with a pen like MNIST's."""
    fine = nn.functional.pad(_whitened(_resized(ink, box, FINE)), (PADDING,) * 4)
    inside = fine > 127
    depth = _distance(~inside)
    mean = torch.where(inside, depth, 0.0).sum() / inside.double().sum()
    pen = 4 * (mean - 0.5) * BOX / FINE
    wanted = pen.clamp(THINNEST, THICKEST)
    shift = (wanted - pen) * FINE / BOX / (2 * (1 - wanted / BOX))
    shift = torch.maximum(shift, -pen * FINE / BOX / 8)
    signed = torch.where(inside, depth - 0.5, 0.5 - _distance(inside))
    return pen, ((signed + shift + 0.5).clamp(0.0, 1.0) * 255).floor()


def _distance(mask: Tensor) -> Tensor:
    """How far each pixel is from the nearest True of `mask` (N, N): (N, N), float64, exact.

    The least squared distance along the rows, then the least sum of that and the one along the columns: no cheaper way
    is as simple to write without loops, and N is small.
    """
    places = torch.arange(mask.shape[0], dtype=torch.float32)
    squares = (places[:, None] - places[None]) ** 2
    along_rows = (torch.where(mask, 0.0, FAR)[:, None, :] + squares).amin(2)  # (N, N)
    both = (along_rows.T[:, None, :] + squares).amin(2).T  # (N, N)
    return both.double().sqrt()


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
    corner = torch.minimum((SIZE / 2 - centre).ceil().clamp(min=0.0), SIZE - length)
    new = torch.arange(SIZE, dtype=torch.float64)[:, None]
    return (new == places + corner).double()
