import dataclasses

import pytest

from mnist_core.config import TRAINING_IMAGES, TrainConfig
from mnist_core.course import trainings
from mnist_core.runs.summary import Row
from mnist_core.state import TrainState
from mnist_core.trainer import fit


@pytest.mark.parametrize("data", TRAINING_IMAGES)
@pytest.mark.parametrize("step", trainings.TRAININGS)
def test_every_training_can_be_made_on_any_data(step, data):
    configs = trainings.trainings(step, data)
    assert configs.keys() == trainings.TRAININGS[step].keys()
    assert {config.data for config in configs.values()} == {data}


def test_the_sample_is_passed_more_often_and_keeps_images_to_learn_from():
    few = TrainConfig(validation_size=59_000, epochs=2)
    assert trainings.on(few, "mnist") == few
    assert trainings.on(few, "sample").epochs == 2 * trainings.SAMPLE_EPOCHS
    assert TRAINING_IMAGES["sample"] - trainings.on(few, "sample").validation_images == 200
    assert trainings.on(TrainConfig(), "sample").validation_size is None


def reached(config):
    """The share of the test images that are read right at the training's end; 0 where it diverged."""
    *_, end = fit(config, TrainState.of(config))
    return end.get("test_accuracy", 0.0)


def test_of_three_rates_the_middle_one_wins_on_the_sample_too():
    small, middle, large = map(reached, trainings.trainings("descent", "sample").values())
    assert middle > 0.9
    assert max(small, large) < 0.6


def test_the_classic_learns_the_sample():
    assert reached(trainings.trainings("classic", "sample")["the classic"]) > 0.93


def test_with_and_without_relu_nothing_else_differs():
    with_relu, without = trainings.TRAININGS["hidden"].values()
    assert dataclasses.replace(without, activation=with_relu.activation) == with_relu
    assert without.activation == "identity"


def test_the_newest_run_of_a_config_is_found():
    config = TrainConfig(seed=3)
    rows = [
        Row("f"),  # damaged
        Row("d", state="finished", config=TrainConfig()),
        Row("c", state="running", config=config),
        Row("b", state="finished", config=config),
    ]
    assert trainings.newest(rows, config) is rows[2]
    assert trainings.newest(rows[:2], config) is None
    assert trainings.newest(rows[:1], TrainConfig()) is None  # what is damaged has a default config
