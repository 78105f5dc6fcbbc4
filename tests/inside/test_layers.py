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


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("softmax", ["pixels", "digits"]),
        ("mlp", ["pixels", "shapes", "digits"]),
        ("cnn", ["pixels", "edges", "strokes", "shapes", "digits"]),
        ("convnet", ["pixels", "edges", "strokes", "shapes", "digits"]),
        ("resnet", ["edges", "strokes", "shapes", "digits"]),
    ],
)
def test_stages_go_from_pixels_to_digits_and_have_all_layers(name, stages):
    trace = layers.trace(model.build(name).eval(), IMAGE)
    found = trace.stages()
    assert [stage.name for stage in found] == stages
    assert [layer for stage in found for layer in stage.layers] == trace.layers
    assert found[-1].sees == 28


@pytest.mark.parametrize("name", ["cnn", "convnet", "resnet"])
def test_a_stage_sees_the_pixels_that_its_values_depend_on(name):
    network = model.build(name).eval()
    given = {}
    for path, module in model.leaf_modules(network):
        module.register_forward_hook(lambda module, taken, output, path=path: given.update({path: output}))
    for stage in layers.trace(network, IMAGE).stages():
        if stage.name not in layers.STAGES:
            continue
        pixels = torch.rand(1, 1, 28, 28, requires_grad=True)
        network(pixels)
        last = given[stage.layers[-1].path]
        middle = last.shape[2] // 2
        last.square().sum(1)[0, middle, middle].backward()
        rows = pixels.grad[0, 0].abs().sum(1).nonzero()
        assert 0.5 * stage.sees <= int(rows.max() - rows.min()) + 1 <= stage.sees


@pytest.mark.parametrize(("name", "shape"), [("softmax", (1, 28, 28)), ("mlp", (64,)), ("cnn", (64, 2, 2))])
def test_values_in_a_line_have_the_shape_they_had(name, shape):
    trace = layers.trace(model.build(name).eval(), IMAGE)
    assert trace.shape_before(trace.last_with_weights) == shape
