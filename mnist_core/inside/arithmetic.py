"""How one value in a network comes about, in numbers that can be checked by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_core.inside.layers import Layer, Trace
from mnist_core.model import is_weighted_sum
from mnist_core.networks import Sum

Place = tuple[int, ...]  # of a value in what a layer gives: a unit, or channel, row and column
Values = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, eq=False)
class WeightedSum:
    """A unit of a linear layer, or one place of a convolution's map: inputs times weights, summed up, and the bias.

    `inputs` and `weights` (channels, height, width) where the inputs are an image or maps, else (N,). What lies outside
    of an image is in `inputs` as its padding. `value` is what the layer gave.
    """

    inputs: Values
    weights: Values
    bias: float
    value: float

    @property
    def products(self) -> Values:
        return self.inputs * self.weights

    @property
    def total(self) -> float:
        """The products and the bias added up, which makes `value`."""
        return float(self.products.sum(dtype=np.float64)) + self.bias


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a layer without weighted sums does at one place: `words`, the values it takes for that, and what it gives.

    `taken` is empty where it is not known which values these are.
    """

    kind: str
    words: str
    taken: tuple[float, ...]
    given: float


def weighted_sum(trace: Trace, layer: Layer, place: Place) -> WeightedSum:
    """How the value at `place` of what a linear layer or a convolution gives comes about."""
    module: Any = layer.module
    bias = 0.0 if module.bias is None else float(module.bias[place[-1 if isinstance(module, nn.Linear) else 0]])
    if isinstance(module, nn.Linear):
        inputs, weights = layer.taken[place[:-1]], module.weight[place[-1]]
        shape = trace.shape_before(layer) if inputs.dim() == layer.taken.dim() else inputs.shape
        inputs, weights = inputs.reshape(shape), weights.reshape(shape)
    else:
        inputs, weights = _patch(module, layer.taken, place), module.weight[place[0]]
    return WeightedSum(_numpy(inputs), _numpy(weights), bias, float(layer.given[place]))


def _patch(module: nn.Conv2d, taken: Tensor, place: Place) -> Tensor:
    """What the convolution's kernel lies on, where it gives the value at `place`: (channels, height, width)."""
    channel, *corner = place
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    padded = F.pad(taken[None], module._reversed_padding_repeated_twice, mode=mode)[0]
    in_group = module.in_channels // module.groups
    group = channel // (module.out_channels // module.groups)
    rows, columns = (
        slice(begin * stride, begin * stride + (size - 1) * dilation + 1, dilation)
        for begin, stride, size, dilation in zip(
            corner, module.stride, module.kernel_size, module.dilation, strict=True
        )
    )
    return padded[group * in_group : (group + 1) * in_group, rows, columns]


def effect(layer: Layer, place: Place) -> Effect:
    """What a layer without weighted sums does to give the value at `place`."""
    taken = [float(value) for value in _taken(layer, place)]
    given = float(layer.given[place])
    words = WORDS.get(type(layer.module), _unknown)(layer.module, place, taken, given)
    return Effect(layer.kind, words, tuple(taken), given)


def onward(trace: Trace, layer: Layer, place: Place) -> list[Effect]:
    """What the layers right behind `layer` make of its value at `place`, as long as each value stays on its own."""
    effects = []
    for after in trace.layers[layer.number + 1 :]:
        if is_weighted_sum(after.module) or after.given.shape != layer.given.shape:
            break
        effects.append(effect(after, place))
    return effects


def _taken(layer: Layer, place: Place) -> Tensor:
    """The values from which `layer` makes the one at `place`; none where that is not known."""
    module: Any = layer.module
    if isinstance(module, nn.PixelUnshuffle | nn.PixelShuffle | nn.Flatten):  # they only put values elsewhere
        numbers = torch.arange(layer.taken.numel()).reshape(1, *layer.taken.shape)
        return layer.taken.flatten()[module(numbers)[0][place]].reshape(1)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return _window(module, layer.taken, place)
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        channel, *corner = place
        rows, columns = (
            slice(index * size // parts, -(-(index + 1) * size // parts))
            for index, size, parts in zip(corner, layer.taken.shape[1:], layer.given.shape[1:], strict=True)
        )
        return layer.taken[channel, rows, columns].flatten()
    if layer.taken.shape == layer.given.shape and type(module) in WORDS:
        return layer.taken[place].reshape(1)
    return layer.taken.new_empty(0)


def _window(module: nn.MaxPool2d | nn.AvgPool2d, taken: Tensor, place: Place) -> Tensor:
    """The values in the image under a pooling's window; its padding never wins and is left out."""
    channel, *corner = place
    spans = []
    for axis, index in enumerate(corner):
        size, stride, padding = (_of_axis(value, axis) for value in (module.kernel_size, module.stride, module.padding))
        begin, spacing = index * stride - padding, _of_axis(getattr(module, "dilation", 1), axis)
        spans.append([i for i in range(begin, begin + size * spacing, spacing) if 0 <= i < taken.shape[axis + 1]])
    return taken[channel][spans[0]][:, spans[1]].flatten()


def _of_axis(value: int | tuple[int, ...], axis: int) -> int:
    return value if isinstance(value, int) else value[axis]


def _unknown(module: Any, place: Place, taken: list[float], given: float) -> str:
    return f"gives {given:.4g}"


def _normalised(module: Any, place: Place, taken: list[float], given: float) -> str:
    channel = place[0]
    mean, variance = float(module.running_mean[channel]), float(module.running_var[channel])
    scale, shift = (float(module.weight[channel]), float(module.bias[channel])) if module.affine else (1.0, 0.0)
    return (
        "brings the channel to an even scale, by its mean and spread in the training: "
        f"({taken[0]:.4g} - ({mean:.4g})) / {math.sqrt(variance + module.eps):.4g} x {scale:.4g} + ({shift:.4g}) "
        f"= {given:.4g}"
    )


def _moved(module: Any, place: Place, taken: list[float], given: float) -> str:
    return f"only puts values elsewhere; here it puts {given:.4g}"


Words = Callable[[Any, Place, list[float], float], str]
# What the layers that are known do, in a sentence with the numbers at one place.
WORDS: dict[type[nn.Module], Words] = {
    nn.ReLU: lambda m, p, t, g: f"keeps what is above 0 and makes the rest 0: max(0, {t[0]:.4g}) = {g:.4g}",
    nn.Tanh: lambda m, p, t, g: f"bends everything into -1 to 1: tanh({t[0]:.4g}) = {g:.4g}",
    nn.Sigmoid: lambda m, p, t, g: f"bends everything into 0 to 1: 1 / (1 + exp(-({t[0]:.4g}))) = {g:.4g}",
    nn.GELU: lambda m, p, t, g: (
        f"lets {t[0]:.4g} through by the share of a bell curve below it, {NormalDist().cdf(t[0]):.4g}: {g:.4g}"
    ),
    nn.Dropout: lambda m, p, t, g: (
        f"does nothing while the network answers; in the training it makes {m.p:.0%} of the values 0: {g:.4g}"
    ),
    nn.BatchNorm2d: _normalised,
    nn.BatchNorm1d: _normalised,
    nn.MaxPool2d: lambda m, p, t, g: f"gives the largest of {len(t)} neighbours: {g:.4g}",
    nn.AdaptiveMaxPool2d: lambda m, p, t, g: f"gives the largest of {len(t)} neighbours: {g:.4g}",
    nn.AvgPool2d: lambda m, p, t, g: f"gives the mean of {len(t)} neighbours: {g:.4g}",
    nn.AdaptiveAvgPool2d: lambda m, p, t, g: f"gives the mean of {len(t)} values of its map: {g:.4g}",
    Sum: lambda m, p, t, g: f"adds what came into the block: {t[0]:.4g} + ({g - t[0]:.4g}) = {g:.4g}",
    nn.PixelUnshuffle: _moved,
    nn.PixelShuffle: _moved,
    nn.Flatten: _moved,
    nn.Identity: lambda m, p, t, g: f"does nothing: {g:.4g}",
}


def _numpy(values: Tensor) -> Values:
    return cast(Values, values.detach().numpy(force=True).astype(np.float32))
