"""A model as a program for a browser: a list of layers, and their weights in 16 bits each.

`browser/program.py` says what it is made of, and `browser/forward.js` runs it. Batch normalisation is folded into the
layer before it; values lie as (height, width, channels) and weights as (row, column, input, output), so that the
innermost loop walks through memory in order.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_core import dataset, drawing, networks
from mnist_core.browser import program as programs
from mnist_core.browser.program import Program
from mnist_core.errors import ModelError
from mnist_core.exchange.onnx_file import check_images
from mnist_core.files import oserror_as, replacing
from mnist_core.reading import predictor
from mnist_core.reading.predictor import Predictor
from mnist_core.runs.run_store import RUNS, RunStore

TOLERANCE = 0.02  # of a logit, for weights in 16 bits
LARGEST = 65_504  # in 16 bits
Shape = tuple[int, int, int]  # height, width, channels

ACTIVATIONS: dict[type[nn.Module], str] = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid", nn.GELU: "gelu"}
NO_LAYER = (nn.Dropout, nn.Identity)  # do nothing while a network answers


def export(name: str, path: pathlib.Path, store: RunStore = RUNS) -> int:
    """Write the program of the model of that name to `path`; its size in bytes. Raises ModelError and RunError."""
    content = programs.pack([checked(predictor.load(name, store))])
    with oserror_as(ModelError, f"{path} cannot be written"), replacing(path) as fresh:
        fresh.write_bytes(content)
    return len(content)


def convert(model: Predictor) -> Program:
    """The model as a program. Raises ModelError for a layer or a weight that it cannot hold."""
    writer = _Writer()
    with torch.inference_mode():
        writer.write(model.network)
    parts = [part.numpy(force=True).ravel() for part in writer.parts]
    weights = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if not (np.abs(weights) <= LARGEST).all():
        raise ModelError(f"{model.name} has weights that 16 bits cannot hold: train it with a smaller learning rate.")
    threshold = model.calibration.threshold
    return Program(
        writer.layers,
        weights.astype(np.float16),
        model.calibration.temperature,
        threshold if np.isfinite(threshold) else None,
    )


def checked(model: Predictor) -> Program:
    """The model as a program that answers the images of `onnx_file.check_images` as it does. Raises ModelError."""
    program = convert(model)
    images = torch.from_numpy(np.stack([drawing.to_mnist(image) for image in check_images()]))
    expected, found = model.logits(images), run(program, images)
    difference = float((expected - found).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max()) / 10):
        raise ModelError(
            f"With weights of 16 bits the logits of {model.name} differ by up to {difference:.2g}: it cannot be taken "
            "along for a browser. Use ONNX instead."
        )
    return program


class _Writer:
    """Writes a network down, module after module, in the order in which they run."""

    def __init__(self) -> None:
        self.layers: list[dict[str, Any]] = []
        self.parts: list[Tensor] = []
        self.shape: Shape = (28, 28, 1)
        self.flattened: Shape | None = None  # the shape that was put into a line, channels first
        self.places = 0

    def write(self, module: nn.Module) -> None:
        if isinstance(module, networks.Residual):
            begin = len(self.layers) - 1
            self.write(module.branch)
            self._add("sum", self.shape, **{"with": begin})
            self.write(module.activation)
        elif type(module) in _WRITERS:
            _WRITERS[type(module)](self, module)
        elif type(module) in ACTIVATIONS:
            self._add(ACTIVATIONS[type(module)], self.shape)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            self._normalise(module)
        elif not isinstance(module, NO_LAYER):
            children = list(module.children())
            if not children:
                raise ModelError(f"A browser does not know the layer {type(module).__name__}.")
            for child in children:
                self.write(child)

    def _add(self, kind: str, outputs: Shape, **more: Any) -> None:
        self.layers.append({"kind": kind, "inputs": list(self.shape), "outputs": list(outputs), **more})
        self.shape = outputs

    def _keep(self, values: Tensor) -> int:
        place = self.places
        self.parts.append(values.float())
        self.places += values.numel()
        return place

    def convolution(self, module: nn.Conv2d) -> None:
        (kernel, side), stride, padding = module.kernel_size, module.stride[0], module.padding
        plain = module.groups == 1 and module.dilation == (1, 1) and module.padding_mode == "zeros" and kernel == side
        if not plain or isinstance(padding, str) or len({*padding}) > 1 or len({*module.stride}) > 1:
            raise ModelError("A browser does not know convolutions with groups, dilation or uneven sides.")
        height, width = ((size + 2 * padding[0] - kernel) // stride + 1 for size in self.shape[:2])
        bias = torch.zeros(module.out_channels) if module.bias is None else module.bias
        places = {"weights": self._keep(module.weight.permute(2, 3, 1, 0)), "bias": self._keep(bias)}
        self._add(
            "convolution",
            (height, width, module.out_channels),
            kernel=kernel,
            stride=stride,
            padding=padding[0],
            **places,
        )

    def linear(self, module: nn.Linear) -> None:
        weight = module.weight.T  # (inputs, outputs)
        if self.flattened:
            height, width, channels = self.flattened
            weight = weight.reshape(channels, height, width, -1).permute(1, 2, 0, 3)
            self.flattened = None
        bias = torch.zeros(module.out_features) if module.bias is None else module.bias
        places = {"weights": self._keep(weight), "bias": self._keep(bias)}
        self._add("linear", (1, 1, module.out_features), **places)

    def _normalise(self, module: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        mean, variance = module.running_mean, module.running_var
        if mean is None or variance is None:
            raise ModelError("A browser does not know a normalisation without means of the training.")
        scale = (variance + module.eps).rsqrt() * (1 if module.weight is None else module.weight)
        shift = (0 if module.bias is None else module.bias) - mean * scale
        if self.layers and self.layers[-1]["kind"] in ("convolution", "linear"):  # its weights and bias came last
            self.parts[-2] = self.parts[-2] * scale
            self.parts[-1] = self.parts[-1] * scale + shift
        else:
            self._add("scale", self.shape, weights=self._keep(scale), bias=self._keep(shift))

    def maximum(self, module: nn.MaxPool2d) -> None:
        kernel, stride = module.kernel_size, module.stride
        if not isinstance(kernel, int) or not isinstance(stride, int) or module.padding or module.ceil_mode:
            raise ModelError("A browser does not know pooling with padding or uneven sides.")
        height, width = ((size - kernel) // stride + 1 for size in self.shape[:2])
        self._add("maximum", (height, width, self.shape[2]), kernel=kernel, stride=stride, padding=0)

    def mean(self, module: nn.AdaptiveAvgPool2d) -> None:
        if module.output_size not in (1, (1, 1)):
            raise ModelError("A browser does not know a mean over parts of an image.")
        self._add("mean", (1, 1, self.shape[2]))

    def unshuffle(self, module: nn.PixelUnshuffle) -> None:
        side = module.downscale_factor
        height, width, channels = self.shape
        self._add("unshuffle", (height // side, width // side, channels * side * side), kernel=side)

    def flatten(self, module: nn.Flatten) -> None:
        self.flattened = self.shape  # no layer: the weights of the linear layer behind it are put into order instead


_WRITERS: dict[type[nn.Module], Callable[[_Writer, Any], None]] = {
    nn.Conv2d: _Writer.convolution,
    nn.Linear: _Writer.linear,
    nn.MaxPool2d: _Writer.maximum,
    nn.AdaptiveAvgPool2d: _Writer.mean,
    nn.PixelUnshuffle: _Writer.unshuffle,
    nn.Flatten: _Writer.flatten,
}


def run(program: Program, images: Tensor) -> Tensor:
    """The logits (N, 10), float32, of images (N, 28, 28), uint8, as a browser works them out, by torch."""
    weights = torch.from_numpy(program.weights.astype(np.float32))
    values = first = dataset.normalise(images)  # (N, channels, height, width)
    outputs: list[Tensor] = []

    def part(place: int, *shape: int) -> Tensor:
        return weights[place : place + int(np.prod(shape))].reshape(shape)

    for layer in program.layers:
        inputs, count = layer["inputs"], layer["outputs"][2]
        match layer["kind"]:
            case "convolution":
                kernel = part(layer["weights"], layer["kernel"], layer["kernel"], inputs[2], count)
                bias = part(layer["bias"], count)
                values = F.conv2d(values, kernel.permute(3, 2, 0, 1), bias, layer["stride"], layer["padding"])
            case "linear":
                flat = values.permute(0, 2, 3, 1).flatten(1)
                weight = part(layer["weights"], int(np.prod(inputs)), count)
                values = (flat @ weight + part(layer["bias"], count))[:, :, None, None]
            case "scale":
                scale, shift = (part(layer[name], 1, count, 1, 1) for name in ("weights", "bias"))
                values = values * scale + shift
            case "maximum":
                values = F.max_pool2d(values, layer["kernel"], layer["stride"])
            case "mean":
                values = values.mean((2, 3), keepdim=True)
            case "unshuffle":
                values = F.pixel_unshuffle(values, layer["kernel"])
            case "sum":
                values = values + (outputs[layer["with"]] if layer["with"] >= 0 else first)
            case kind:
                values = getattr(F, kind)(values) if kind == "gelu" else getattr(torch, kind)(values)
        outputs.append(values)
    return values.flatten(1)
