"""A network's first layer as pictures: what each of its units looks for in the pixels."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mnist_core.runs.weight_history import UNITS, first_layer


def pictures(network: nn.Module, weights: Tensor | None = None) -> npt.NDArray[np.float32]:
    """How much each pixel adds to each of the first units' sums: (units, H, W), as much of the image as they see.

    `weights` (units, ...) stand in for those the first layer has; None for its own. A convolution's unit is shown at
    the middle of its map. As only layers that put pixels elsewhere come before, the slope of the sum is the weight
    of the pixel, whatever form the layer has it in.
    """
    network = copy.deepcopy(network).eval()
    layer: Any = first_layer(network)
    with torch.no_grad():
        if weights is not None:
            layer.weight[: len(weights)] = weights
    units = min(UNITS, len(layer.weight) if weights is None else len(weights))
    given: list[Tensor] = []
    layer.register_forward_hook(lambda module, inputs, output: given.append(output))
    blank = torch.zeros(units, 1, 28, 28, requires_grad=True)
    with torch.enable_grad():
        network(blank)
        sums = given[0].flatten(2) if given[0].dim() > 2 else given[0][..., None]
        middle = _middle(tuple(given[0].shape[2:]))
        own = sums[torch.arange(units), torch.arange(units), middle]  # of each image, the unit of its number
        (slopes,) = torch.autograd.grad(own.sum(), blank)
    return _cropped(slopes[:, 0].numpy())


def _middle(shape: tuple[int, ...]) -> int:
    """The place of the middle of maps of that shape, where they are flattened."""
    return int(np.ravel_multi_index([side // 2 for side in shape], shape)) if shape else 0


def _cropped(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The part of the maps (N, H, W) that any of them uses; all of it where none uses any."""
    used = (maps != 0).any(0)
    if not used.any():
        return maps
    rows, columns = np.flatnonzero(used.any(1)), np.flatnonzero(used.any(0))
    return maps[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
