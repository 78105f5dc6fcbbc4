"""Images that are no digits, made by code: letters, scribbles, shapes, pairs of digits, digits that lie on their side.

A network that is trained on them as well learns to say "this is no digit" (see `calibration`). Their label is
dataset.NO_DIGIT. What looks like a digit, as O, I, S and Z do, is left out.
"""

import functools
import itertools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mnist_core.augmentation import pen

CHUNK = 500  # images drawn at once; bounds the memory that drawing takes
SEGMENTS = 40  # of an image at most
TURNED = (3, 7)  # digits that are none on their side
# What the background is made of; glyphs are letters and shapes
SHARES = {"glyphs": 0.4, "scribbles": 0.25, "blots": 0.1, "turned": 0.125, "pairs": 0.125}
# The strokes of letters: points on a grid of 5 columns, a to e, and 7 rows, 0 (top) to 6. A comma lifts the pen.
LETTERS = {
    "A": "a6c0e6,b4d4",
    "C": "e1d0b0a2a4b6d6e5",
    "E": "e0a0a6e6,a3d3",
    "F": "e0a0a6,a3d3",
    "H": "a0a6,e0e6,a3e3",
    "K": "a0a6,e0a3e6",
    "M": "a6a0c4e0e6",
    "N": "a6a0e6e0",
    "P": "a6a0d0e1e2d3a3",
    "R": "a6a0d0e1e2d3a3,c3e6",
    "T": "a0e0,c0c6",
    "U": "a0a5b6d6e5e0",
    "V": "a0c6e0",
    "W": "a0b6c2d6e0",
    "X": "a0e6,e0a6",
    "AE": "a6c0e0,c0c6e6,b4c4,c3d3",
    "a": "e2c1a3a5c6e4e2,e1e6",
    "d": "e4c3a4a5c6e5,e0e6",
    "e": "a4e4e3d2b2a4a5b6d6e5",
    "f": "e1d0c1c6,b3d3",
    "h": "a0a6,a4c3d3e4e6",
    "k": "a0a6,e3a4e6",
    "m": "a6a2,a3b2c3c6,c3d2e3e6",
    "n": "a6a2,a3c2d2e3e6",
    "p": "a0a6,a1c0e1e2c3a2",
    "r": "b6b2,b4c2e2",
    "t": "c0c5d6e5,a2e2",
    "u": "a2a5b6d6e5,e2e6",
    "w": "a2b6c3d6e2",
    "x": "a2e6,e2a6",
    "beta": "a6a1b0d0d1b2d3e4d6b5",
    "pi": "a1e1,b1b6,d1d6",
}
SHAPES = {
    "triangle": "a6c0e6a6",
    "star": "b6c0d6a2e2b6",
    "plus": "c0c6,a3e3",
    "square": "a1e1e6a6a1",
    "dash": "a3e3",
    "house": "a6a2c0e2e6a6",
    "check": "a4b6e0",
    "equals": "a2e2,a4e4",
    "hash": "b0b6,d0d6,a2e2,a4e4",
    "arrow": "a3e3,d2e3d4",
    "heart": "c6a2a1b0c2d0e1e2c6",
    "bolt": "d0a3d3a6",
    "zigzag": "a4b2c4d2e4",
    "face": "b1b2,d1d2,a4b6d6e4",
}


def background(count: int, digits: Tensor, labels: Tensor) -> Tensor:
    """`count` images that are no digits, of all kinds: (count, 28, 28), uint8, white ink 255 on black 0.

    Some are made from `digits` (N, 28, 28), uint8, with `labels` (N,). All randomness is torch's global state.
    """
    ends = [round(count * share) for share in itertools.accumulate(SHARES.values())]
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    parts = [draw(kind, size, digits, labels) for kind, size in zip(SHARES, sizes, strict=True)]
    return torch.cat(parts)


def draw(kind: str, count: int, digits: Tensor, labels: Tensor) -> Tensor:
    """`count` images of a kind in SHARES, as `background`."""
    makers: dict[str, Callable[[int], Tensor]] = {
        "glyphs": _glyphs,
        "scribbles": _scribbles,
        "blots": _blots,
        "turned": functools.partial(_turned, digits, labels),
        "pairs": functools.partial(_pairs, digits),
    }
    chunks = [makers[kind](min(CHUNK, count - start)) for start in range(0, count, CHUNK)]
    return torch.cat([torch.zeros(0, 28, 28), *chunks]).round().byte()


@functools.cache
def _strokes() -> Tensor:
    """All letters and shapes as segments (N, SEGMENTS, 2, 2): start and end, x and y from -1 to 1; spare ones at 9."""
    table = [*LETTERS.values(), *SHAPES.values()]
    segments = torch.full((len(table), SEGMENTS, 2, 2), 9.0)
    for glyph, text in enumerate(table):
        row = 0
        for line in text.split(","):
            points = [((ord(line[i]) - ord("a") - 2) / 2, (int(line[i + 1]) - 3) / 3) for i in range(0, len(line), 2)]
            for start, end in itertools.pairwise(points):
                segments[glyph, row] = torch.tensor([start, end])
                row += 1
    return segments


def _width(count: int) -> Tensor:
    return torch.rand(count) * 2 + 1.4  # pixels, as of most of MNIST


def _glyphs(count: int) -> Tensor:
    """Letters and shapes, each point a little out of its place, the strokes lightly curved, the whole slanted."""
    table = _strokes()
    segments = table[torch.randint(len(table), (count,))]
    spare = segments[:, :, :1, :1] > 5
    # the same point moves the same way in all strokes that meet in it
    offsets = torch.randn(count, 7 * 5, 2) * 0.09
    place = ((segments[..., 0] * 2 + 2).round() + 5 * (segments[..., 1] * 3 + 3).round()).clamp(0, 34).long()
    moved = segments + torch.gather(
        offsets[:, None].expand(-1, SEGMENTS, -1, -1), 2, place[..., None].expand(-1, -1, -1, 2)
    )
    start, end = moved[:, :, 0], moved[:, :, 1]
    across = torch.stack([start[..., 1] - end[..., 1], end[..., 0] - start[..., 0]], -1)
    middle = (start + end) / 2 + across * torch.randn(count, SEGMENTS, 1) * 0.12
    # half of it, in pixels
    size = torch.stack([torch.rand(count) * 3.5 + 4.5, torch.rand(count) * 2 + 7.5], 1)[:, None]
    slant = (torch.rand(count, 1) - 0.35) * 0.5

    def placed(points: Tensor) -> Tensor:
        x, y = points[..., 0] - slant * points[..., 1], points[..., 1]
        return torch.where(spare[..., 0], 99.0, torch.stack([x, y], -1) * size + 14)

    joints = torch.stack([placed(start), placed(middle), placed(end)], 2)  # (B, SEGMENTS, 3, 2)
    starts, ends = joints[:, :, :2].flatten(1, 2), joints[:, :, 1:].flatten(1, 2)
    return pen.segments(torch.zeros(count, 28, 28), starts, ends, _width(count))


def _scribbles(count: int) -> Tensor:
    """Smooth curves that wander through the box: sums of a few waves."""
    time = torch.linspace(0, 1, SEGMENTS + 1)
    waves = 4
    speed = torch.rand(count, 2, waves, 1) * torch.tensor([1.0, 2.0, 3.5, 6.0])[:, None]
    power = torch.rand(count, 2, waves, 1)
    curve = (power * torch.sin(2 * math.pi * (speed * time + torch.rand(count, 2, waves, 1)))).sum(2)  # (B, 2, points)
    low, high = curve.amin(2, keepdim=True), curve.amax(2, keepdim=True)
    half = torch.stack([torch.rand(count) * 4 + 6, torch.rand(count) * 4 + 6], 1)[:, :, None]
    points = (((curve - low) / (high - low) * 2 - 1) * half + 14).transpose(1, 2)
    return pen.stroke(torch.zeros(count, 28, 28), points, 1 + torch.rand(count) * 1.5)


def _blots(count: int) -> Tensor:
    """A thick dot, or some dots and short lines anywhere."""
    start = torch.rand(count, 3, 2) * 14 + 7
    alone = torch.rand(count, 1, 1) < 0.25  # a line alone could be a 1
    end = torch.where(alone, start, start + (torch.rand(count, 3, 2) - 0.5) * torch.rand(count, 1, 1) * 12)
    keep = ~alone & (torch.rand(count, 3, 1) < 0.7)
    keep[:, 0] = True
    keep[:, 1] |= ~alone[:, 0]
    images = torch.zeros(count, 28, 28)
    return pen.segments(images, torch.where(keep, start, 99.0), torch.where(keep, end, 99.0), torch.rand(count) * 7 + 2)


def _turned(digits: Tensor, labels: Tensor, count: int) -> Tensor:
    """Digits on their side, of those that are no digit then."""
    fit = torch.isin(labels, torch.tensor(TURNED)).nonzero()[:, 0]
    chosen = digits[fit[torch.randint(len(fit), (count,))]].float()
    back = (torch.rand(count) < 0.5)[:, None, None]
    return torch.where(back, chosen.rot90(1, (1, 2)), chosen.rot90(-1, (1, 2)))


def _pairs(digits: Tensor, count: int) -> Tensor:
    """Two digits side by side."""
    both = digits[torch.randint(len(digits), (2, count))].float()
    small = F.interpolate(both, size=(18, 18), mode="bilinear", antialias=True)  # (2, B, 18, 18)
    images = torch.zeros(count, 28, 28)
    images[:, 5:23, 1:15] = small[0, :, :, 2:16]
    images[:, 5:23, 13:27] = torch.maximum(images[:, 5:23, 13:27], small[1, :, :, 2:16])
    return images
