import dataclasses

import pytest
import torch

from mnist_core import model
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError
from mnist_core.runs import snapshots
from mnist_core.runs.training import train_run
from mnist_core.state import TrainState


def test_states_lie_at_the_start_and_wherever_the_steps_have_doubled(small, store):
    run = store.create(dataclasses.replace(small, batch_size=16))
    networks = {}
    state = TrainState.of(run.config())
    networks[0] = {name: value.clone() for name, value in state.model.state_dict().items()}
    for _ in train_run(run, report_every=5):
        pass
    states = snapshots.read(run.path)
    assert list(states)[:5] == [0, 5, 10, 20, 40]
    for before, after in zip(list(states)[1:], list(states)[2:], strict=False):
        assert after >= 2 * before
    assert len(states) <= snapshots.count(run.end()["step"], 5)
    for name, value in networks[0].items():
        assert torch.equal(states[0][name].float(), value.half().float())


def test_a_state_takes_the_place_of_later_ones(tmp_path):
    network = model.build("softmax")
    for step in (0, 5, 10, 20):
        snapshots.add(tmp_path, step, network)
    snapshots.add(tmp_path, 10, network)
    assert list(snapshots.read(tmp_path)) == [0, 5, 10]
    snapshots.add(tmp_path, 0, network)
    assert list(snapshots.read(tmp_path)) == [0]


def test_a_network_with_normalisation_is_kept_whole(tmp_path):
    network = model.initial(TrainConfig(model="cnn", hidden=(64,)))
    network.train()(torch.randn(8, 1, 28, 28))
    snapshots.add(tmp_path, 0, network)
    (values,) = snapshots.read(tmp_path).values()
    other = model.build("cnn", **TrainConfig(model="cnn", hidden=(64,)).hyperparameters)
    snapshots.check({0: values}, other)
    other.load_state_dict({name: value.float() for name, value in values.items()}, strict=False)
    images = torch.randn(3, 1, 28, 28)
    assert torch.allclose(network.eval()(images), other.eval()(images), atol=0.02)


def test_a_state_that_half_precision_cannot_hold_is_left_out(tmp_path):
    network = model.build("softmax")
    assert snapshots.add(tmp_path, 0, network)
    network.layers[1].weight.data[0, 0] = 1e6
    assert not snapshots.add(tmp_path, 20, network)
    states = snapshots.read(tmp_path)
    assert list(states) == [0]
    snapshots.check(states, network)


def test_a_large_network_has_none(tmp_path):
    assert not snapshots.add(tmp_path, 0, model.build("mlp", hidden=(1_000,)))
    assert snapshots.read(tmp_path) == {}


def test_a_damaged_file_is_said_and_made_anew(tmp_path):
    (tmp_path / snapshots.NAME).write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="damaged"):
        snapshots.read(tmp_path)
    snapshots.add(tmp_path, 7, model.build("softmax"))
    assert list(snapshots.read(tmp_path)) == [7]
