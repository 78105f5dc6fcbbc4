import dataclasses
import json

import pytest

from mnist_core.config import TrainConfig
from mnist_core.lesson import Lesson
from mnist_core.presets import PRESETS
from tests.conftest import NESTED


@pytest.mark.parametrize("name", PRESETS)
def test_a_lesson_survives_its_link(name):
    lesson = Lesson(PRESETS[name].config, locked=("model", "data"), hidden=("augment",))
    again, problems = Lesson.from_query(lesson.to_query())
    assert problems == []
    assert again == dataclasses.replace(lesson, locked=("data", "model"))  # in TrainConfig's order


def test_a_plain_link_is_a_lesson_that_leaves_all_open():
    assert Lesson(TrainConfig(lr=0.1)).to_query() == {"lr": "0.1"}
    assert Lesson.from_query({"lr": "0.1"}) == (Lesson(TrainConfig(lr=0.1)), [])


@pytest.mark.parametrize("name", PRESETS)
def test_a_whole_config_may_stand_in_the_link_as_json(name):
    config = PRESETS[name].config
    assert Lesson.from_query({"config": config.to_json()}) == (Lesson(config), [])
    lesson, problems = Lesson.from_query({"config": config.to_json(), "epochs": "3"})
    assert (lesson.config, problems) == (dataclasses.replace(config, epochs=3), [])


def test_what_is_hidden_need_not_be_locked():
    assert Lesson.from_query({"hide": "data", "lock": "data,lr"}) == (Lesson(TrainConfig(), ("lr",), ("data",)), [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"lock": "learning_rate"}, "There is no hyperparameter 'learning_rate'."),
        ({"hide": "<b>"}, "There is no hyperparameter '<b>'."),
        ({"config": "{"}, "What the link has as config is no JSON object."),
        ({"config": "[1]"}, "What the link has as config is no JSON object."),
        pytest.param({"config": NESTED}, "What the link has as config is no JSON object.", id="nested"),
        pytest.param({"config": "9" * 5_000}, "What the link has as config is no JSON object.", id="huge"),
        ({"config": json.dumps({"lr": "fast"})}, "lr must be a number, got 'fast'."),
        ({"config": json.dumps({"lr": None})}, "lr must be a number, got 'null'."),
        ({"config": json.dumps({"hidden": [64, "x"]})}, "hidden must be a whole number, got 'x'."),
        ({"config": json.dumps({"speed": 1})}, "There is no hyperparameter 'speed'."),
    ],
)
def test_what_cannot_be_used_is_said_and_left_out(words, said):
    assert Lesson.from_query(words) == (Lesson(TrainConfig()), [said])
