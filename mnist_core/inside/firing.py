"""Which of a network's rectified units fire at all."""

import torch
from torch import Tensor, nn

from mnist_core import evaluation


def dead_units(network: nn.Module, images: Tensor) -> tuple[int, int]:
    """How many of the network's ReLU units, or channels, are 0 for all images (N, 28, 28), uint8, and of how many.

    Only the first images are looked at, as many as one batch of `evaluation` has.
    Such a unit has no gradient either: it learns no more (Lu et al., Dying ReLU and initialization, 2019).
    """
    fired: list[Tensor] = []  # for each ReLU whether a unit has fired, (C,)

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        fired.append((output.flatten(2).amax(2) if output.dim() > 2 else output).amax(0) > 0)

    handles = [module.register_forward_hook(record) for module in network.modules() if isinstance(module, nn.ReLU)]
    try:
        with torch.inference_mode():
            evaluation.logits(network, images[: evaluation.BATCH])
    finally:
        for handle in handles:
            handle.remove()
    units = sum(len(one) for one in fired)
    return units - sum(int(one.sum()) for one in fired), units
