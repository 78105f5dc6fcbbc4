import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core import dataset, model
from mnist_core.__main__ import main
from mnist_core.browser import program as programs
from mnist_core.calibration import Calibration
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError
from mnist_core.exchange import browser_program
from mnist_core.reading import catalog, predictor
from mnist_core.reading.predictor import Predictor

IMAGES = dataset.load_test("sample").images


def fresh(name, **hyperparameters):
    """A network that was not trained, with means and spreads in its normalisation as a training leaves them."""
    torch.manual_seed(0)
    config = TrainConfig(model=name, **hyperparameters)
    network = model.build(name, **config.hyperparameters).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(-1, 1)  # of both signs: a maximum and a scale cannot change places
            module.bias.data.normal_()
    return Predictor(name, network, config, Calibration())


@pytest.mark.parametrize("name", catalog.shipped())
def test_a_shipped_model_answers_as_it_does(name):
    loaded = predictor.load(name)
    program = browser_program.convert(loaded)
    expected, found = loaded.logits(IMAGES), browser_program.run(program, IMAGES)
    assert (expected - found).abs().max() < browser_program.TOLERANCE
    assert (program.temperature, program.threshold) == (loaded.calibration.temperature, loaded.calibration.threshold)


@pytest.mark.parametrize("name", model.NETWORKS)
def test_every_kind_of_network_can_be_written(name):
    loaded = fresh(name)
    program = browser_program.convert(loaded)
    assert program.threshold is None
    assert (loaded.logits(IMAGES) - browser_program.run(program, IMAGES)).abs().max() < 0.05
    assert program.layers[0]["inputs"] == [28, 28, 1]
    assert program.layers[-1]["outputs"] == [1, 1, 10]
    header, (unpacked,) = programs.unpack(programs.pack([program], run="a", step=3))
    assert header == {"run": "a", "step": 3}
    assert unpacked.layers == program.layers
    assert np.array_equal(unpacked.weights, program.weights)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sigmoid", "identity"])
def test_every_activation_can_be_written(activation):
    loaded = fresh("mlp", hidden=(20, 12), activation=activation, dropout=0.2)
    found = browser_program.run(browser_program.convert(loaded), IMAGES)
    assert (loaded.logits(IMAGES) - found).abs().max() < browser_program.TOLERANCE


@pytest.mark.parametrize("name", catalog.shipped())
def test_the_program_beside_a_shipped_model_is_that_models(name):
    made = browser_program.checked(predictor.load(name))
    kept = programs.load(catalog.PRETRAINED / f"{name}.program")
    assert (kept.layers, kept.temperature, kept.threshold) == (made.layers, made.temperature, made.threshold)
    assert np.array_equal(kept.weights, made.weights)


def test_a_program_of_several_is_taken_apart_in_order():
    made = [browser_program.convert(fresh("softmax")), browser_program.convert(fresh("mlp", hidden=(5,)))]
    _, unpacked = programs.unpack(programs.pack(made))
    assert [program.layers for program in unpacked] == [program.layers for program in made]
    assert all(np.array_equal(one.weights, other.weights) for one, other in zip(unpacked, made, strict=True))


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x02\0\0\0{}", b"\x02\0\0\0[]"])
def test_a_damaged_program_is_said(content, tmp_path):
    (tmp_path / "a.program").write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.program cannot be read"):
        programs.load(tmp_path / "a.program")


def test_a_program_is_exported(tmp_path, capsys):
    assert main(["export", "softmax", "--format", "program", "--out", str(tmp_path / "a.program")]) == 0
    assert "16 kB" in capsys.readouterr().out
    assert (tmp_path / "a.program").read_bytes() == (catalog.PRETRAINED / "softmax.program").read_bytes()
    assert main(["export", "tiny", "mlp", "--format", "program", "--out", str(tmp_path / "b.program")]) == 2
    assert "one model is exported at a time" in capsys.readouterr().err


def test_the_weights_are_two_bytes_each():
    program = browser_program.convert(predictor.load("mlp"))
    assert program.weights.nbytes == 2 * 50_890
    assert len(programs.pack([program])) < 2 * 50_890 + 1_000


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.LSTM(28, 10), "layer LSTM"),
        (nn.Conv2d(1, 4, 3, dilation=2), "groups, dilation"),
        (nn.Conv2d(1, 4, (3, 5)), "uneven sides"),
        (nn.MaxPool2d(3, padding=1), "pooling with padding"),
        (nn.AdaptiveAvgPool2d(3), "parts of an image"),
    ],
)
def test_a_layer_that_a_browser_does_not_know_is_refused(layer, words):
    loaded = dataclasses.replace(fresh("softmax"), network=nn.Sequential(layer).eval())
    with pytest.raises(ModelError, match=words):
        browser_program.convert(loaded)


@pytest.mark.parametrize("size", [1e5, float("nan")])
def test_weights_that_16_bits_cannot_hold_are_refused(size):
    loaded = fresh("softmax")
    loaded.network.layers[1].weight.data[0, 0] = size
    with pytest.raises(ModelError, match="16 bits cannot hold"):
        browser_program.convert(loaded)


def test_other_answers_are_refused(monkeypatch):
    monkeypatch.setattr(browser_program, "TOLERANCE", 1e-9)
    with pytest.raises(ModelError, match=r"differ by up to .* cannot be taken along"):
        browser_program.checked(predictor.load("tiny"))


def test_the_sum_of_a_block_takes_what_came_into_it():
    layers = browser_program.convert(fresh("resnet", width=8)).layers
    sums = [(index, layer) for index, layer in enumerate(layers) if layer["kind"] == "sum"]
    assert len(sums) == 2
    for index, layer in sums:
        assert layer["with"] == index - 2  # one convolution lies between
        assert np.array_equal(layers[layer["with"]]["outputs"], layer["outputs"])
