import pytest
import torch
from torch import nn

from mnist_core import model
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError

ROW = model.LayerSummary


@pytest.mark.parametrize("name", model.NETWORKS)
def test_every_network_gives_ten_logits_for_an_image(name):
    network = model.build(name, **TrainConfig(model=name).hyperparameters)
    assert network(torch.rand(3, 1, 28, 28)).shape == (3, 10)


@pytest.mark.parametrize("name", model.NETWORKS)
def test_summary_counts_every_parameter_once_and_changes_nothing(name):
    network = model.build(name, **TrainConfig(model=name).hyperparameters)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    rows = model.summary(network)
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in network.parameters())
    assert rows[0].input_shape == (1, 28, 28)
    assert rows[-1].output_shape == (10,)
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_the_classic_by_hand():
    assert model.summary(model.build("mlp")) == [
        ROW("Flatten", (1, 28, 28), (784,), 0, 0),
        ROW("Linear", (784,), (64,), 784 * 64 + 64, 784 * 64),
        ROW("ReLU", (64,), (64,), 0, 0),
        ROW("Linear", (64,), (10,), 64 * 10 + 10, 64 * 10),
    ]


def test_a_convolution_by_hand():
    network = nn.Sequential(nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.Flatten(), nn.Linear(8 * 14 * 14, 10))
    assert model.summary(network)[0] == ROW("Conv2d", (1, 28, 28), (8, 14, 14), 8 * 25 + 8, 8 * 14 * 14 * 25)


def test_hidden_layers_of_any_number():
    kinds = [row.layer for row in model.summary(model.build("mlp", hidden=(32, 16), activation="tanh", dropout=0.5))]
    assert kinds == ["Flatten", "Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    assert [row.layer for row in model.summary(model.build("mlp", hidden=()))] == ["Flatten", "Linear"]


def test_without_non_linearity_the_mlp_is_linear():
    network = model.build("mlp", hidden=(32, 16), activation="identity")
    assert [row.layer for row in model.summary(network)] == [
        *("Flatten", "Linear", "Identity", "Linear", "Identity", "Linear"),
    ]
    one, other = torch.randn(2, 4, 1, 28, 28).double()
    network.double()
    middle = network((one + other) / 2)
    assert torch.allclose(middle, (network(one) + network(other)) / 2)


def test_the_cnn_stays_compact():
    rows = model.summary(model.build("cnn"))
    assert sum(row.parameters for row in rows) < 50_000
    assert sum(row.multiply_adds for row in rows) < 1_000_000


def test_an_unknown_network_is_refused():
    with pytest.raises(ModelError, match="no network 'rnn'; there are softmax, mlp, cnn, convnet, resnet"):
        model.build("rnn")
