"""What the first layer's weights were at each epoch's end, kept in the run's folder in half precision.

It is kept small: of a wide layer only the first units, and of many epochs some, the more thinly the more there are.
Which ones depends on the newest epoch alone, so that a run that is resumed has the same ones as one that was not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib

import torch
from torch import Tensor, nn

from mnist_core import weights
from mnist_core.errors import ModelError
from mnist_core.model import is_weighted_sum, leaf_modules

NAME = "first_layer.safetensors"
UNITS = 64  # of the layer, at most
KEPT = 24  # epochs, at most


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshots:
    """`epochs`, ascending, 0 for the start, and the first layer's `weights` (len(epochs), units, ...), float32."""

    epochs: list[int]
    weights: Tensor


def first_layer(network: nn.Module) -> nn.Module:
    """The first layer of the network that gives weighted sums."""
    return next(module for _, module in leaf_modules(network) if is_weighted_sum(module))


def kept_units(network: nn.Module) -> Tensor:
    """The part of the first layer's weights that is kept of an epoch: (units, ...), at most UNITS of them."""
    weight: Tensor = first_layer(network).weight  # type: ignore[assignment]
    return weight.detach()[:UNITS]


def add(folder: pathlib.Path, epoch: int, network: nn.Module) -> None:
    """Keep the first layer's weights as those at the end of `epoch`, 0 for the start, in place of any from then on."""
    newest = kept_units(network)[None].half().cpu()
    before = Snapshots([], newest[:0].float())
    if epoch:
        with contextlib.suppress(ModelError):  # a power cut may damage the file, which must not stop the training
            before = read(folder)
    kept = [index for index, old in enumerate(before.epochs) if old < epoch and old % stride(epoch) == 0]
    epochs = [*(before.epochs[index] for index in kept), epoch]
    values = torch.cat([before.weights[kept].half(), newest])
    weights.save(folder / NAME, {"epochs": torch.tensor(epochs), "weights": values}, durable=False)


def stride(epoch: int) -> int:
    """How many epochs lie between those that are kept once `epoch` is there: a power of two."""
    stride = 1
    while (epoch - 1) // stride + 2 > KEPT:  # the earlier ones that it divides, 0 among them, and the newest
        stride *= 2
    return stride


def read(folder: pathlib.Path) -> Snapshots:
    """What is kept in a run's folder, which may be nothing. Raises ModelError if it is damaged."""
    if not (folder / NAME).exists():
        return Snapshots([], torch.zeros(0))
    kept = weights.load(folder / NAME)
    epochs, values = kept.get("epochs", torch.zeros(0)), kept.get("weights", torch.zeros(0))
    if epochs.dtype != torch.int64 or epochs.dim() != 1 or values.dim() < 2 or len(values) != len(epochs):
        raise ModelError(f"The file {folder / NAME} holds no weights of epochs.")
    return Snapshots(epochs.tolist(), values.float())
