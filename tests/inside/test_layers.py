import copy

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core import dataset, model
from mnist_core.inside import layers
from mnist_core.reading import catalog, predictor

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)


def pixels(image):
    return dataset.normalise(torch.from_numpy(image)[None])


@pytest.fixture(params=[*catalog.shipped(), *(f"a fresh {name}" for name in model.NETWORKS)])
def network(request):
    if request.param.startswith("a fresh"):
        torch.manual_seed(0)
        return model.build(request.param.split()[-1]).eval()
    return predictor.load(request.param).network


def heard(network, image):
    """What torch's own hooks hear of each leaf module."""
    network, found = copy.deepcopy(network), []
    for module in network.modules():
        if not any(module.children()):
            module.register_forward_hook(lambda module, inputs, output: found.append((inputs[0][0], output[0])))
    with torch.inference_mode():
        network(pixels(image))
    return found


def test_layers_take_and_give_what_hooks_hear(network):
    trace = layers.trace(network, IMAGE)
    for layer, (taken, given) in zip(trace.layers, heard(network, IMAGE), strict=True):
        assert torch.allclose(layer.taken, taken, atol=1e-5)
        assert torch.allclose(layer.given, given, atol=1e-5)
        assert layer.slope.shape == layer.given.shape
    with torch.inference_mode():
        assert torch.allclose(trace.logits, network(pixels(IMAGE))[0], atol=1e-5)
    assert trace.digit == int(trace.logits.argmax())
    assert [layer.number for layer in trace.layers] == list(range(len(trace.layers)))


@pytest.mark.parametrize("digit", [None, 0, 9])
def test_what_the_last_layer_takes_adds_up_to_the_logit(network, digit):
    trace = layers.trace(network, IMAGE, digit)
    last = trace.last_with_weights
    before = [layer for layer in trace.layers[: last.number] if layer.given.numel() == last.taken.numel()]
    bias = float(last.module.bias[trace.digit])
    logit = float(trace.logits[trace.digit])
    assert float(trace.reasons().sum()) + bias == pytest.approx(logit, abs=1e-4)
    for layer in before[-1:]:
        assert float(layer.worth.sum()) + bias == pytest.approx(logit, abs=1e-4)
        assert torch.allclose(layer.worth.flatten(), trace.reasons().flatten(), atol=1e-5)


def test_the_network_is_left_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layers.trace(network, IMAGE)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_slopes_are_how_fast_the_logit_grows():
    torch.manual_seed(0)
    network = model.build("mlp", hidden=(5,), activation="tanh").eval()
    trace = layers.trace(network, IMAGE, 4)
    hidden = next(layer for layer in trace.layers if layer.kind == "Tanh")
    assert torch.allclose(hidden.slope, network.layers[-1].weight[4])


class Unusual(nn.Module):
    """Layers that are registered in another order than they run, work in place, run twice, or give several tensors."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(8, 10)
        self.memory = nn.LSTM(28, 8, batch_first=True)
        self.relu = nn.ReLU(inplace=True)
        self.between = nn.Linear(8, 8)

    def forward(self, images):
        hidden = self.memory(images.squeeze(1))[0][:, -1]
        return self.last(self.relu(self.between(self.relu(self.between(hidden)))))


def test_unusual_networks_are_followed():
    torch.manual_seed(0)
    trace = layers.trace(Unusual(), IMAGE)
    assert [layer.path for layer in trace.layers] == ["between", "relu", "between", "relu", "last"]
    first, relu, second, *_ = trace.layers
    assert (first.given < 0).any()
    assert torch.equal(relu.given, first.given.clamp(min=0))
    assert torch.equal(second.taken, relu.given)
    assert trace.last_with_weights.path == "last"


def test_blocks_are_a_layer_and_what_leaves_its_values_apart():
    trace = layers.trace(model.build("cnn").eval(), IMAGE)
    kinds = [" ".join(layer.kind for layer in block) for block in trace.blocks()]
    assert kinds == [
        "PixelUnshuffle",
        "Conv2d",
        "MaxPool2d BatchNorm2d ReLU",
        "Conv2d BatchNorm2d ReLU",
        "Conv2d",
        "MaxPool2d BatchNorm2d ReLU",
        "Flatten Dropout",
        "Linear",
    ]


@pytest.mark.parametrize(("name", "shape"), [("softmax", (1, 28, 28)), ("mlp", (64,)), ("cnn", (64, 2, 2))])
def test_values_in_a_line_have_the_shape_they_had(name, shape):
    trace = layers.trace(model.build(name).eval(), IMAGE)
    assert trace.shape_before(trace.last_with_weights) == shape
