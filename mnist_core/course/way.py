"""An image's way through a network of the course, as numbers."""

from __future__ import annotations

import dataclasses

from torch import nn

from mnist_core.drawing import Pixels
from mnist_core.inside import layers
from mnist_core.model import is_weighted_sum


@dataclasses.dataclass(frozen=True)
class Way:
    """What each layer with weights sums up, before any bend: `units`, none where no layer is hidden, and ten `logits`.

    `worth` is what each of the units adds to the largest logit, after its bend.
    """

    units: list[float]
    worth: list[float]
    logits: list[float]


def follow(network: nn.Module, image: Pixels) -> Way:
    """The way of `image` (28, 28), uint8, through a network of at most one hidden linear layer."""
    trace = layers.trace(network, image)
    sums = [layer for layer in trace.layers if is_weighted_sum(layer.module)]
    logits = trace.logits.flatten().tolist()
    if len(sums) < 2:
        return Way([], [], logits)
    return Way(sums[0].given.flatten().tolist(), trace.reasons().flatten().tolist(), logits)
