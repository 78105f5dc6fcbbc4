"""Breaking what a network reads, and the network itself, by amounts, to see how much it stands."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_core import evaluation
from mnist_core.dataset import Dataset
from mnist_core.drawing import Pixels
from mnist_core.model import leaf_modules

SEED = 0  # of noise and of the units chosen: the same for all strengths, so that more is more of the same
POINTS = 11  # strengths at which the accuracy is measured

Curve = list[tuple[float, float]]  # strength, accuracy


@dataclasses.dataclass(frozen=True)
class Damage:
    """Something that can be done in strengths from `least` to `most`, in `unit`; at `neutral` it changes nothing."""

    sentence: str
    unit: str
    least: float
    most: float
    step: float
    neutral: float = 0.0

    def strengths(self) -> list[float]:
        """From the least to the most, evenly, the neutral one among them: where the accuracy is measured."""
        even = np.linspace(self.least, self.most, POINTS)
        even = np.round((even - self.least) / self.step) * self.step + self.least
        return sorted({round(float(strength), 6) for strength in [*even, self.neutral]})


@dataclasses.dataclass(frozen=True)
class ImageDamage(Damage):
    """`change` takes images (N, 28, 28), float32, 0 to 255, and a strength, and gives changed ones."""

    change: Callable[[Tensor, float], Tensor] = dataclasses.field(kw_only=True)

    def apply(self, images: Tensor, strength: float) -> Tensor:
        """Images (N, 28, 28), uint8, changed that much: the same shape and dtype."""
        return self.change(images.float(), strength).round().clamp(0, 255).byte()

    def apply_to_one(self, image: Pixels, strength: float) -> Pixels:
        """One image (28, 28), uint8, changed that much."""
        changed: Pixels = self.apply(torch.from_numpy(np.ascontiguousarray(image))[None], strength)[0].numpy()
        return changed


@dataclasses.dataclass(frozen=True)
class WeightDamage(Damage):
    """`change` works on one layer in place, by a strength and a source of random numbers."""

    change: Callable[[nn.Module, float, torch.Generator], None] = dataclasses.field(kw_only=True)

    def apply(self, network: nn.Module, strength: float, path: str | None = None) -> nn.Module:
        """A copy of `network` with the layer of that name changed, or where that is None all layers with weights."""
        changed = copy.deepcopy(network)
        source = torch.Generator().manual_seed(SEED)
        with torch.no_grad():
            for name in with_weights(changed):
                if path in (None, name):
                    self.change(changed.get_submodule(name), strength, source)
        return changed


def with_weights(network: nn.Module) -> list[str]:
    """The names of the layers that have weights."""
    return [path for path, module in leaf_modules(network) if any(True for _ in module.parameters())]


def _mapped(images: Tensor, map_: list[list[float]]) -> Tensor:
    """Each new pixel from where `map_` (2, 3) takes it, the image's edges at -1 and 1."""
    grid = F.affine_grid(
        torch.tensor(map_).expand(len(images), 2, 3), [len(images), 1, *images.shape[1:]], align_corners=False
    )
    return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def _rotated(images: Tensor, degrees: float) -> Tensor:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _mapped(images, [[cos, sin, 0], [-sin, cos, 0]])


def _shifted(images: Tensor, pixels: float) -> Tensor:
    return _mapped(images, [[1, 0, -2 * pixels / images.shape[-1]], [0, 1, 0]])


def _scaled(images: Tensor, times: float) -> Tensor:
    return _mapped(images, [[1 / times, 0, 0], [0, 1 / times, 0]])


def _thickened(images: Tensor, pixels: float) -> Tensor:
    """The strokes' edges moved out by that much, or in where it is below 0."""
    sign = 1 if pixels > 0 else -1
    grown = images[:, None] * sign
    for _ in range(math.floor(abs(pixels))):
        grown = F.max_pool2d(grown, 3, stride=1, padding=1)
    more = F.max_pool2d(grown, 3, stride=1, padding=1)
    return (torch.lerp(grown, more, abs(pixels) % 1) * sign)[:, 0]


def _noisy(images: Tensor, deviation: float) -> Tensor:
    source = torch.Generator().manual_seed(SEED)
    return images + deviation * torch.randn(images.shape, generator=source)


def _blurred(images: Tensor, deviation: float) -> Tensor:
    from scipy import ndimage  # takes a while, for which a page need not wait

    reach = math.ceil(3 * deviation)
    return torch.from_numpy(ndimage.gaussian_filter(images, deviation, axes=(1, 2), mode="constant", radius=reach))


def _occluded(images: Tensor, side: float) -> Tensor:
    begin = (images.shape[-1] - round(side)) // 2
    hidden = slice(begin, begin + round(side))
    changed = images.clone()
    changed[:, hidden, hidden] = 0
    return changed


def _inverted(images: Tensor, share: float) -> Tensor:
    return torch.lerp(images, 255 - images, share)


def _add_noise(layer: nn.Module, strength: float, source: torch.Generator) -> None:
    for parameter in layer.parameters():
        deviation = float(parameter.std(correction=0))
        parameter.add_(strength * deviation * torch.randn(parameter.shape, generator=source))


def _remove_units(layer: nn.Module, share: float, source: torch.Generator) -> None:
    units = len(next(layer.parameters()))
    gone = torch.randperm(units, generator=source)[: round(share * units)]
    for parameter in layer.parameters():
        parameter[gone] = 0


def _remove_biases(layer: nn.Module, share: float, source: torch.Generator) -> None:
    if isinstance(bias := getattr(layer, "bias", None), nn.Parameter):
        bias.mul_(1 - share)


IMAGE_DAMAGES = {
    "rotate": ImageDamage("Turned to the right.", "degrees", -150, 150, 5, change=_rotated),
    "shift": ImageDamage("Moved to the right.", "pixels", -10, 10, 1, change=_shifted),
    "scale": ImageDamage("Made smaller or larger.", "times", 0.4, 1.4, 0.05, neutral=1, change=_scaled),
    "thicken": ImageDamage("A thicker pen; below 0 a thinner one.", "pixels", -2, 3, 0.25, change=_thickened),
    "noise": ImageDamage("Random grey added to each pixel.", "grey levels", 0, 200, 5, change=_noisy),
    "blur": ImageDamage("Out of focus.", "pixels", 0, 5, 0.25, change=_blurred),
    "occlude": ImageDamage("A black square over the middle.", "pixels wide", 0, 28, 2, change=_occluded),
    "invert": ImageDamage("Black made white, and white black.", "of the way", 0, 1, 0.05, change=_inverted),
}
WEIGHT_DAMAGES = {
    "remove units": WeightDamage(
        "Units, or maps, of the layer set to 0; at 1 all of them, which zeroes the layer.",
        "of the units",
        0,
        1,
        0.05,
        change=_remove_units,
    ),
    "remove biases": WeightDamage(
        "What is added without any input, taken away.", "of the bias", 0, 1, 0.05, change=_remove_biases
    ),
    "weight noise": WeightDamage(
        "Random numbers added to all weights.", "of their deviation", 0, 3, 0.05, change=_add_noise
    ),
}


def accuracy_by_strength(
    network: nn.Module, test: Dataset, damage: ImageDamage | WeightDamage, path: str | None = None
) -> Iterator[tuple[float, Curve]]:
    """The share of `test` that is read right at each of the damage's strengths: the share of the work that is done, and
    the curve so far, again and again."""
    curve: Curve = []
    strengths = damage.strengths()
    for strength in strengths:
        if isinstance(damage, ImageDamage):
            right = _right(network, damage.apply(test.images, strength), test.labels)
        else:
            right = _right(damage.apply(network, strength, path), test.images, test.labels)
        curve.append((strength, right))
        yield len(curve) / len(strengths), list(curve)


def _right(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    return float((evaluation.logits(network, images).argmax(1) == labels).float().mean())
