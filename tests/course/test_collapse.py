import pytest
import torch
from torch import nn

from mnist_core import model
from mnist_core.course.collapse import collapse
from mnist_core.errors import ModelError


@pytest.mark.parametrize("hidden", [(), (5,), (32, 16, 8)])
def test_layers_without_non_linearity_are_one(hidden):
    network = model.build("mlp", hidden=hidden, activation="identity", dropout=0.5).eval()
    images = torch.randn(20, 1, 28, 28)
    one = collapse(network)
    assert one.weight.shape == (10, 784)
    assert torch.allclose(one(images.flatten(1)), network(images), atol=1e-5)


def test_what_bends_cannot_be_multiplied_out():
    with pytest.raises(ModelError, match="A ReLU is not linear"):
        collapse(model.build("mlp"))
    with pytest.raises(ModelError, match="no linear layer"):
        collapse(nn.Sequential(nn.Flatten()))
