import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mnist_core import model
from mnist_core.inside import first_layer
from mnist_core.reading import catalog, predictor
from mnist_core.runs.weight_history import UNITS


def test_of_a_linear_layer_they_are_the_rows_of_weights():
    network = model.build("mlp", hidden=(7,))
    assert np.allclose(first_layer.pictures(network), network.layers[1].weight.detach().reshape(7, 28, 28), atol=1e-6)


@pytest.mark.parametrize("name", ["cnn", "convnet"])
def test_of_a_convolution_behind_pixel_unshuffle_they_are_in_pixels(name):
    network = model.build(name, width=6)
    weight = network.features[1].weight.detach()
    assert np.allclose(first_layer.pictures(network), F.pixel_shuffle(weight, 2)[:, 0], atol=1e-6)


def test_weights_from_before_stand_in():
    network = model.build("cnn", width=6)
    before = torch.randn(6, 4, 3, 3)
    assert np.allclose(first_layer.pictures(network, before), F.pixel_shuffle(before, 2)[:, 0], atol=1e-6)
    assert not torch.equal(network.features[1].weight, before)


def test_nothing_at_all_is_the_whole_image():
    network = model.build("cnn", width=6)
    assert first_layer.pictures(network, torch.zeros(6, 4, 3, 3)).shape == (6, 28, 28)


def test_of_many_units_the_first():
    assert first_layer.pictures(model.build("mlp", hidden=(100,))).shape == (UNITS, 28, 28)


@pytest.mark.parametrize("name", catalog.shipped())
def test_shipped_models_have_them(name):
    pictures = first_layer.pictures(predictor.load(name).network)
    assert pictures.ndim == 3
    assert (pictures != 0).any()
