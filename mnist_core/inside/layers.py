"""A network taken apart: what each of its layers takes and gives while it reads one image.

Nothing here knows any network by its name: layers are the leaf modules, in the order in which they run.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core import dataset, drawing
from mnist_core.drawing import Pixels
from mnist_core.model import leaf_modules


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """A leaf module at work on one image.

    `number` is its place in the order of execution, from 0, `path` its name in the network. `taken` and `given` are
    what it takes and gives, float32, without the batch; `slope` is how fast the logit of the trace's digit grows with
    each value given, of the same shape.
    """

    number: int
    path: str
    module: nn.Module
    taken: Tensor
    given: Tensor
    slope: Tensor

    @property
    def kind(self) -> str:
        return type(self.module).__name__

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def worth(self) -> Tensor:
        """What each value given adds to the digit's logit, of the shape of `given`: the value times its slope.

        For what the network's last linear layer takes it is exact: these numbers and the bias add up to the logit.
        Further down it is the first order of it (Simonyan, Vedaldi and Zisserman, 2014; Shrikumar et al., 2016).
        """
        return self.given * self.slope


# What a value can stand for that sees so many pixels in height and width at most; one that sees more sees a shape.
STAGES = {"edges": 10, "strokes": 20}


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """Layers one behind the other whose values can stand for the same: "pixels", which have met no weights yet,
    "edges", "strokes", "shapes", or the "digits".

    A value of the last of them depends on `sees` pixels in height and width at most.
    """

    name: str
    layers: list[Layer]
    sees: int


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """A network's way from one image, `pixels` (1, 28, 28) as it takes them, to its ten `logits`.

    `digit` is the one whose logit the layers' slopes are of.
    """

    pixels: Tensor
    layers: list[Layer]
    logits: Tensor
    digit: int

    @property
    def last_with_weights(self) -> Layer:
        """The layer that makes the logits of what the network has found."""
        return next(layer for layer in reversed(self.layers) if layer.parameters)

    def reasons(self) -> Tensor:
        """What each value that a linear last layer takes adds to the digit's logit; they and the bias make it up."""
        last: Any = self.last_with_weights
        products: Tensor = last.taken * last.module.weight[self.digit]
        return products

    def stages(self) -> list[Stage]:
        """All layers in groups by what their values can stand for, from the pixels to the digits."""
        stages: list[Stage] = []
        field, step = 1, 1
        begun = False  # whether a layer with weights has been passed
        for layer in self.layers:
            field, step = _seen(layer.module, field, step)
            begun = begun or layer.parameters > 0
            if layer.number >= self.last_with_weights.number:
                name = "digits"
            elif not begun:
                name = "pixels"
            else:
                name = next((name for name, most in STAGES.items() if field <= most), "shapes")
            if stages and stages[-1].name == name:
                stages[-1] = Stage(name, [*stages[-1].layers, layer], field)
            else:
                stages.append(Stage(name, [layer], field))
        return stages

    def shape_before(self, layer: Layer) -> tuple[int, ...]:
        """The shape (channels, height, width) that the values had which `layer` takes in a line; else their own."""
        shapes = [tuple(self.pixels.shape), *(tuple(before.given.shape) for before in self.layers[: layer.number])]
        for shape in reversed(shapes):
            if int(np.prod(shape)) != layer.taken.numel():
                break
            if len(shape) == 3:
                return shape
        return tuple(layer.taken.shape)


def _seen(module: nn.Module, field: int, step: int) -> tuple[int, int]:
    """How many pixels a value sees behind the module, and how far two neighbours are apart, from those before it."""
    if isinstance(module, nn.Linear | nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return drawing.SIZE, step
    kernel, stride, dilation = (_first(getattr(module, name, 1)) for name in ("kernel_size", "stride", "dilation"))
    if isinstance(module, nn.PixelUnshuffle):
        kernel = stride = module.downscale_factor
    return min(drawing.SIZE, field + dilation * (kernel - 1) * step), step * stride


def _first(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)


def trace(network: nn.Module, image: Pixels, digit: int | None = None) -> Trace:
    """What each layer takes and gives as `network` reads `image` (28, 28), uint8, in evaluation mode.

    Slopes are of the logit of `digit`, or where that is None of the likeliest one.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)  # hooks would hear others who use it meanwhile
    taken: list[Tensor] = []
    found: list[tuple[str, nn.Module, Tensor, Tensor]] = []

    def before(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        taken.append(inputs[0].detach().clone())

    def behind(path: str) -> Callable[..., Any]:
        def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> Any:
            before = taken.pop()
            if not isinstance(output, Tensor):  # of a recurrent layer, which gives several
                return output
            found.append((path, module, before, output))
            return output.clone()  # so that a layer that works in place does not change what is recorded

        return record

    for path, module in leaf_modules(network):
        module.register_forward_pre_hook(before)
        module.register_forward_hook(behind(path))
    pixels = dataset.normalise(torch.from_numpy(np.ascontiguousarray(image))[None])
    with torch.enable_grad():
        logits = network(pixels.clone().requires_grad_())[0]
        digit = int(logits.argmax()) if digit is None else digit
        slopes: Any = torch.autograd.grad(logits[digit], [output for *_, output in found], materialize_grads=True)
    layers = [
        Layer(number, path, module, taken[0], output.detach()[0], slope[0])
        for number, ((path, module, taken, output), slope) in enumerate(zip(found, slopes, strict=True))
    ]
    return Trace(pixels[0], layers, logits.detach(), digit)
