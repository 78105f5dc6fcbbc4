"""The networks there are, and what each is made of.

A network is one entry in NETWORKS and one class in `networks.py`. This module imports torch only when a network is
built, so that the command line's help and the pages' controls, which need only the names, come up at once.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from mnist_core.errors import ModelError
from mnist_core.text import quoted

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.config import TrainConfig


@dataclasses.dataclass(frozen=True)
class Network:
    """An entry of the registry: `hyperparameters` are fields of TrainConfig and arguments of the class `class_name`."""

    class_name: str
    sentence: str
    hyperparameters: tuple[str, ...] = ()


NETWORKS = {
    "softmax": Network("Softmax", "every pixel votes for every digit, with no hidden layer"),
    "mlp": Network("MLP", "hidden layers of any sizes between pixels and digits", ("hidden", "activation", "dropout")),
    "cnn": Network("CNN", "three small convolutions, made to be fast on a CPU", ("width", "dropout")),
    "convnet": Network("ConvNet", "four convolutions: reads better than cnn and takes longer", ("width", "dropout")),
    "resnet": Network(
        "ResNet",
        "six convolutions, two with a shortcut around them: reads as well as convnet with fewer weights",
        ("width", "dropout"),
    ),
}
# Every hyperparameter that some network has, in the order of first use.
HYPERPARAMETERS = tuple(dict.fromkeys(name for network in NETWORKS.values() for name in network.hyperparameters))


def build(name: str, **hyperparameters: Any) -> nn.Module:
    """A fresh network, initialised from torch's global random state.

    It takes normalised images (B, 1, 28, 28), float32, and gives logits (B, 10). Raises ModelError for an unknown name.
    """
    from mnist_core import networks

    if name not in NETWORKS:
        raise ModelError(f"There is no network {quoted(name)}; there are {', '.join(NETWORKS)}.")
    network: nn.Module = getattr(networks, NETWORKS[name].class_name)(**hyperparameters)
    return network


def initial(config: TrainConfig) -> nn.Module:
    """The config's network before its first step, on the CPU: its weights follow from the config's seed.

    Sets torch's global seed.
    """
    import torch

    torch.manual_seed(config.seed)
    return build(config.model, **config.hyperparameters)


def skeleton(name: str, **hyperparameters: Any) -> nn.Module:
    """The network of `build` without its numbers: only the shapes of its parameters, which take no memory."""
    import torch

    with torch.device("meta"):
        return build(name, **hyperparameters)


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def leaf_modules(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules without modules in them, which are its layers, each with its name in the network."""
    return [(name, module) for name, module in network.named_modules() if not any(module.children())]


def is_weighted_sum(module: nn.Module) -> bool:
    """Whether each value that the module gives is a weighted sum of values that it takes: of a linear layer or a 2d
    convolution."""
    from torch import nn

    return isinstance(module, nn.Linear | nn.Conv2d)


def freeze(network: nn.Module, layers: int) -> None:
    """Have the first so many layers with weights, and what follows each of them, be no more trained.

    Raises ModelError where nothing would be left to train.
    """
    begun = 0
    for _, module in leaf_modules(network):
        begun += is_weighted_sum(module)
        if begun <= layers:
            module.requires_grad_(False)
    if begun <= layers:
        raise ModelError(f"The network has {begun} layers with weights: fewer have to be frozen, got {layers}.")


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that are trained."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


@dataclasses.dataclass(frozen=True)
class LayerSummary:
    """One layer at work on one image. Shapes are without the batch; multiply-adds of convolutions and linear layers."""

    layer: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def summary(model: nn.Module) -> list[LayerSummary]:
    """A row for each layer, in the order in which one (1, 28, 28) image passes them; also of a `skeleton`."""
    import torch
    from torch import nn

    rows: list[LayerSummary] = []

    def record(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        multiply_adds = 0
        if isinstance(layer, nn.Linear):
            multiply_adds = layer.in_features * layer.out_features
        elif isinstance(layer, nn.Conv2d):
            # every output value is a sum over the kernel's weights of its channel
            multiply_adds = output[0].numel() * layer.weight[0].numel()
        rows.append(
            LayerSummary(
                type(layer).__name__,
                tuple(inputs[0].shape[1:]),
                tuple(output.shape[1:]),
                sum(parameter.numel() for parameter in layer.parameters()),
                multiply_adds,
            )
        )

    hooks = [module.register_forward_hook(record) for _, module in leaf_modules(model)]
    was_training = model.training
    model.eval()  # batch norm cannot learn from one image, and must not
    # The tensors that a skeleton lacks: each is one zero, seen at every place. Torch's own way to compute without
    # numbers, its meta kernels, takes seconds to import.
    state = model.state_dict()
    lacking = {
        name: torch.zeros((), dtype=value.dtype).expand(value.shape) for name, value in state.items() if value.is_meta
    }
    place = "cpu" if lacking else next(model.parameters()).device
    try:
        with torch.inference_mode():
            torch.func.functional_call(model, lacking, torch.zeros(1, 1, 28, 28, device=place))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return rows
