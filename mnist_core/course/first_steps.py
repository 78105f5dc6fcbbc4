"""A network's first moments: what it loses before it has learned anything, and what one step does to that."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from mnist_core import dataset, model
from mnist_core.config import TrainConfig
from mnist_core.dataset import Dataset
from mnist_core.drawing import Pixels


@dataclasses.dataclass(frozen=True)
class Untrained:
    """What a network with its first weights makes of a batch: the mean cross-entropy in nats, the share read right,
    and what it thinks of one more image: ten probabilities, which sum to 1.
    """

    loss: float
    accuracy: float
    probabilities: list[float]


def fresh(config: TrainConfig) -> nn.Module:
    """The config's network with the first weights that follow from its seed, as a training begins with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return model.build(config.model, **config.hyperparameters).eval()


def untrained(config: TrainConfig, batch: Dataset, image: Pixels) -> Untrained:
    """The config's network, untrained, on a batch of digits, and on an `image` (28, 28), uint8."""
    network = fresh(config)
    with torch.inference_mode():
        logits = network(dataset.normalise(batch.images))  # (B, 10)
        own = network(dataset.normalise(torch.tensor(image)[None]))[0]
    right = (logits.argmax(1) == batch.labels).float().mean()
    return Untrained(F.cross_entropy(logits, batch.labels).item(), float(right), own.softmax(0).tolist())


def after_one_step(config: TrainConfig, batch: Dataset, rates: Sequence[float]) -> list[float]:
    """The loss of the config's untrained network on `batch` after one step of plain gradient descent on that batch.

    One loss for each of the learning `rates`: the batch's loss at w - rate * gradient, where w are the first weights.
    """
    network = fresh(config)
    pixels = dataset.normalise(batch.images)
    weights = dict(network.named_parameters())
    gradients = torch.autograd.grad(F.cross_entropy(network(pixels), batch.labels), list(weights.values()))
    losses = []
    with torch.no_grad():
        for rate in rates:
            moved = {name: weights[name] - rate * slope for name, slope in zip(weights, gradients, strict=True)}
            losses.append(F.cross_entropy(functional_call(network, moved, pixels), batch.labels).item())
    return losses


def rates(least: float = 0.001, most: float = 100.0, count: int = 61) -> list[float]:
    """So many learning rates from the least to the most, each the same factor above the last."""
    return [float(f"{rate:.4g}") for rate in np.geomspace(least, most, count)]
