import dataclasses

import pytest

from mnist_core.config import TRAINING_IMAGES, TrainConfig
from mnist_core.course import trainings
from mnist_core.runs.summary import Row


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
