"""Each hint on a training that has the state that it is about."""

import dataclasses

import pytest
from safetensors.torch import load_file

from mnist_core import dataset
from mnist_core.config import TrainConfig
from mnist_core.inside import firing
from mnist_core.runs import hints
from mnist_core.runs.curves import History
from mnist_core.state import TrainState
from tests.sample_records import epoch


@pytest.fixture
def hint_on(trained):
    """Trains with the changes and judges the run as its page does."""

    def judge(**changes):
        run = trained(**changes)
        history = History(run.metrics)
        history.update()
        end = run.end()
        assert end
        grows = hints.loss_grows(run.config(), history.curves["loss_smoothed"].points, end["reason"] == "diverged")
        if grows:
            return grows
        state = TrainState.of(run.config())
        state.model.load_state_dict(load_file(run.weights))
        dead = firing.dead_units(state.model, dataset.load_test("sample").images)
        return hints.at_the_end(run.config(), [record for record in run.records() if record["event"] == "epoch"], dead)

    return judge


def changes(hint):
    return [way.changes for way in hint.ways]


def test_a_training_that_diverges_is_to_take_smaller_steps(hint_on):
    hint = hint_on(optimizer="sgd", lr=5.0, schedule="constant")
    assert "loss grows" in hint.seen
    assert changes(hint) == [{"lr": 0.5}]


def test_a_training_whose_loss_has_grown_again_is_to_take_smaller_steps(hint_on):
    hint = hint_on(hidden=(64,), lr=0.1, epochs=10, batch_size=32)
    assert "loss grows" in hint.seen
    assert changes(hint) == [{"lr": 0.01}]


def test_a_training_that_ends_too_early_is_to_go_on(hint_on):
    hint = hint_on(epochs=2, lr=0.003)
    assert "still getting better" in hint.seen
    assert changes(hint) == [{"epochs": 4}]


def test_a_network_that_is_too_small_is_to_grow(hint_on):
    hint = hint_on(hidden=(4,), epochs=30)
    assert "flattened" in hint.seen
    assert changes(hint) == [{"hidden": (8,)}, {"epochs": 60}]


def test_a_network_that_learns_by_heart_is_to_see_more_or_to_know_less(hint_on):
    hint = hint_on(hidden=(64,), validation_size=1_400, epochs=40)
    assert "by heart" in hint.seen
    assert changes(hint) == [{"augment": "affine"}, {"dropout": 0.25}]


def test_units_that_never_fire_are_counted_and_said(hint_on):
    hint = hint_on(hidden=(64,), lr=0.1, epochs=3)
    assert "of 64 ReLU units never fire" in hint.seen
    assert changes(hint) == [{"lr": 0.01}, {"activation": "gelu"}]


def test_a_training_with_which_nothing_is_wrong_has_no_hint():
    good = [epoch(train_accuracy=0.995, val_accuracy=0.985, train_loss=0.02, val_loss=0.05)]
    assert hints.at_the_end(TrainConfig(), good, (3, 64)) is None
    falling = [(step, 2.3 * 0.9**step) for step in range(50)]
    assert hints.loss_grows(TrainConfig(), falling) is None


def test_a_rough_start_is_no_growing_loss():
    assert hints.loss_grows(TrainConfig(), [(0, 2.3), (20, 8.0), (40, 4.0)]) is None


@pytest.mark.parametrize("model", ["softmax", "mlp", "cnn", "convnet", "resnet"])
def test_every_change_makes_a_config(model):
    config = TrainConfig(model=model)
    flat = [epoch(epoch=number, train_accuracy=0.9, val_accuracy=0.9) for number in (1, 2)]
    gap = [epoch(train_accuracy=1.0, val_accuracy=0.9)]
    found = [
        hints.loss_grows(config, [], diverged=True),
        hints.at_the_end(config, flat),
        hints.at_the_end(config, gap),
        hints.at_the_end(config, flat, (60, 64)),
    ]
    for hint in found:
        for way in hint.ways:
            assert dataclasses.replace(config, **way.changes) != config
