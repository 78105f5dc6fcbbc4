"""Why a network needs non-linearity: without it, all its layers multiply out to one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mnist_core import model
from mnist_core.errors import ModelError


def collapse(network: nn.Module) -> nn.Linear:
    """The one linear layer that does what `network` does, which must be made of linear layers and nothing that bends.

    W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2), layer by layer, in float64. Raises ModelError where a layer bends.
    """
    weight: Tensor | None = None
    bias = torch.zeros(0)
    for _, layer in model.leaf_modules(network):
        if isinstance(layer, nn.Flatten | nn.Identity | nn.Dropout):
            continue
        if not isinstance(layer, nn.Linear):
            raise ModelError(f"A {type(layer).__name__} is not linear: it cannot be multiplied out.")
        own, own_bias = layer.weight.detach().double(), layer.bias.detach().double()
        weight, bias = (own, own_bias) if weight is None else (own @ weight, own @ bias + own_bias)
    if weight is None:
        raise ModelError("There is no linear layer to multiply out.")
    one = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        one.weight.copy_(weight)
        one.bias.copy_(bias)
    return one
