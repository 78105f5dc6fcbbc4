import math

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.inside import arithmetic, layers
from mnist_core.model import is_weighted_sum
from mnist_core.reading import catalog, predictor

IMAGE = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
MOST_PLACES = 12  # of a layer that are looked at


def places(shape, count=MOST_PLACES):
    """Some places, corners among them."""
    some = np.random.default_rng(0).integers(0, shape, (count, len(shape)))
    return [tuple(map(int, place)) for place in [*some, [0] * len(shape), np.array(shape) - 1]]


class Between(nn.Module):
    """A network around a layer, which takes what `before` makes of the image."""

    def __init__(self, before, layer):
        super().__init__()
        self.before, self.layer = before, layer
        self.flatten, self.last = nn.Flatten(), nn.LazyLinear(10)

    def forward(self, images):
        return self.last(self.flatten(self.layer(self.before(images))))


def around(layer, before=None):
    """The trace of a network with `layer` in it, and the layer in it."""
    torch.manual_seed(0)
    network = Between(before or nn.Identity(), layer)
    network(torch.zeros(2, 1, 28, 28))
    trace = layers.trace(network, IMAGE)
    return trace, next(found for found in trace.layers if found.path == "layer")


@pytest.mark.parametrize("name", catalog.shipped())
def test_sums_of_the_shipped_models_make_the_values(name):
    trace = layers.trace(predictor.load(name).network, IMAGE)
    for layer in trace.layers:
        if is_weighted_sum(layer.module):
            for place in places(layer.given.shape):
                worked_out = arithmetic.weighted_sum(trace, layer, place)
                assert worked_out.value == float(layer.given[place])
                assert worked_out.total == pytest.approx(worked_out.value, abs=1e-4)
                assert worked_out.products.shape == worked_out.weights.shape == worked_out.inputs.shape


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"padding": (0, 2)},
        {"padding": "same"},
        {"stride": 2, "padding": 1},
        {"stride": (1, 3)},
        {"dilation": 2, "padding": 2},
        {"groups": 2},
        {"groups": 4, "bias": False},
        {"padding": 2, "padding_mode": "reflect"},
        {"padding": 1, "padding_mode": "circular", "kernel_size": (3, 2)},
    ],
)
def test_a_convolution_is_its_kernel_on_a_patch(options):
    trace, layer = around(nn.Conv2d(4, 8, **{"kernel_size": 3, **options}), nn.PixelUnshuffle(2))
    for place in places(layer.given.shape):
        worked_out = arithmetic.weighted_sum(trace, layer, place)
        assert worked_out.total == pytest.approx(float(layer.given[place]), abs=1e-5)


def test_a_sum_by_hand():
    convolution = nn.Conv2d(1, 1, 2).requires_grad_(False)
    convolution.weight.copy_(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    convolution.bias.fill_(0.5)
    taken = torch.tensor([[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]])
    given = convolution(taken[None])[0]
    layer = layers.Layer(0, "it", convolution, taken, given, given)
    worked_out = arithmetic.weighted_sum(layers.Trace(taken, [layer], given, 0), layer, (0, 0, 1))
    assert worked_out.inputs.tolist() == [[[0, 2], [1, 3]]]
    assert worked_out.products.tolist() == [[[0, 4], [3, 12]]]
    assert worked_out.bias == 0.5
    assert worked_out.total == worked_out.value == 19.5


def test_inputs_of_a_linear_layer_have_the_shape_of_what_they_were():
    trace = layers.trace(predictor.load("mlp").network, IMAGE)
    first, last = (layer for layer in trace.layers if layer.kind == "Linear")
    assert arithmetic.weighted_sum(trace, first, (3,)).inputs.shape == (1, 28, 28)
    assert np.allclose(arithmetic.weighted_sum(trace, first, (3,)).inputs[0], trace.pixels[0])
    assert arithmetic.weighted_sum(trace, last, (3,)).inputs.shape == (64,)


def test_a_linear_layer_on_rows():
    trace, layer = around(nn.Linear(28, 6), nn.Flatten(1, 2))
    for place in places(layer.given.shape):
        worked_out = arithmetic.weighted_sum(trace, layer, place)
        assert worked_out.inputs.shape == (28,)
        assert worked_out.total == pytest.approx(worked_out.value, abs=1e-5)


@pytest.mark.parametrize("name", catalog.shipped())
def test_what_follows_ends_where_the_network_goes_on(name):
    trace = layers.trace(predictor.load(name).network, IMAGE)
    for layer in trace.layers:
        if not is_weighted_sum(layer.module):
            continue
        place = places(layer.given.shape, 1)[0]
        effects = arithmetic.onward(trace, layer, place)
        behind = trace.layers[layer.number + 1 : layer.number + 1 + len(effects)]
        assert [effect.kind for effect in effects] == [after.kind for after in behind]
        for effect, after in zip(effects, behind, strict=True):
            assert effect.taken == (float(after.taken[place]),)
            assert effect.given == float(after.given[place])
            assert f"{effect.given:.4g}" in effect.words


ORACLES = {
    nn.MaxPool2d: max,
    nn.AdaptiveMaxPool2d: max,
    nn.AvgPool2d: lambda taken: sum(taken) / len(taken),
    nn.AdaptiveAvgPool2d: lambda taken: sum(taken) / len(taken),
    nn.ReLU: lambda taken: max(0.0, *taken),
    nn.Tanh: lambda taken: math.tanh(*taken),
    nn.Sigmoid: lambda taken: 1 / (1 + math.exp(-taken[0])),
    nn.GELU: lambda taken: taken[0] * (1 + math.erf(taken[0] / math.sqrt(2))) / 2,
    nn.PixelUnshuffle: lambda taken: taken[0],
    nn.PixelShuffle: lambda taken: taken[0],
    nn.Flatten: lambda taken: taken[0],
    nn.Dropout: lambda taken: taken[0],
    nn.Identity: lambda taken: taken[0],
}


@pytest.mark.parametrize(
    "module",
    [
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.MaxPool2d((2, 3), dilation=2),
        nn.AvgPool2d(2),
        nn.AvgPool2d((1, 4), stride=3),
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveAvgPool2d((5, 3)),
        nn.AdaptiveMaxPool2d(4),
        nn.ReLU(),
        nn.Tanh(),
        nn.Sigmoid(),
        nn.GELU(),
        nn.PixelUnshuffle(7),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Identity(),
    ],
    ids=repr,
)
def test_a_layer_gives_what_it_makes_of_what_it_takes(module):
    _, layer = around(module)
    for place in places(layer.given.shape):
        effect = arithmetic.effect(layer, place)
        assert effect.given == float(layer.given[place])
        assert ORACLES[type(module)](effect.taken) == pytest.approx(effect.given, abs=1e-5)
        assert f"{effect.given:.4g}" in effect.words


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_in_words(affine):
    norm = nn.BatchNorm2d(1, affine=affine)
    norm.running_mean.fill_(0.25)
    norm.running_var.fill_(4.0)
    if affine:
        with torch.no_grad():
            norm.weight.fill_(3.0)
            norm.bias.fill_(-1.0)
    _, layer = around(norm)
    effect = arithmetic.effect(layer, (0, 3, 4))
    assert (effect.taken[0] - layer.module.running_mean[0]) / torch.sqrt(layer.module.running_var[0] + 1e-5) * (
        3 if affine else 1
    ) + (-1 if affine else 0) == pytest.approx(effect.given, abs=1e-4)
    assert f"x {'3' if affine else '1'} + ({'-1' if affine else '0'})" in effect.words


def test_a_layer_that_is_not_known_says_what_it_gives():
    _, layer = around(nn.Softplus())
    effect = arithmetic.effect(layer, (0, 1, 2))
    assert effect.taken == ()
    assert effect.words == f"gives {effect.given:.4g}"
