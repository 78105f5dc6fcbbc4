"""The smallest step that makes a network read something else."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mnist_core import dataset, evaluation
from mnist_core.drawing import Pixels


@dataclasses.dataclass(frozen=True, eq=False)
class Flip:
    """An image (28, 28), uint8, in which `digit` is read, though it differs from one read as `was` by `step` grey
    levels of 255 in each pixel at most."""

    image: Pixels
    step: int
    was: int
    digit: int


def smallest_flip(network: nn.Module, image: Pixels, towards: int | None = None) -> Flip | None:
    """The smallest gradient-sign step in whole grey levels from `image` (28, 28), uint8, that changes what is read.

    The fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015): all pixels that matter go by the same amount,
    each the way on which the loss of what is read grows; with `towards`, the way on which the loss of that digit falls,
    and that digit is to be read. All 255 steps are tried. None where none does it.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image))[None]
    inputs = dataset.normalise(pixels).requires_grad_()
    with torch.enable_grad():
        logits = network(inputs)
        was = int(logits[0].argmax())
        loss = F.cross_entropy(logits, torch.tensor([was if towards is None else towards]))
        (slope,) = torch.autograd.grad(loss, inputs)
    way = slope[0].sign() * (1 if towards is None else -1)  # (1, 28, 28)
    steps = torch.arange(1, 256).view(-1, 1, 1)
    tried = (pixels.float() + steps * way).clamp(0, 255).byte()
    digits = evaluation.logits(network, tried).argmax(1)
    reached = (digits != was) if towards is None else (digits == towards)
    if not reached.any():
        return None
    first = int(reached.int().argmax())
    return Flip(tried[first].numpy(), first + 1, was, int(digits[first]))
