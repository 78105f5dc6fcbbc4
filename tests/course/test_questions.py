import pytest

from mnist_core.course.questions import QUESTIONS, Question
from mnist_core.course.trainings import TRAININGS


@pytest.mark.parametrize(
    ("name", "values", "option"),
    [
        ("linear", [0.924], "90 to 95 %"),
        ("linear", [0.2], "under 90 %"),
        ("convolution", [0.985], "over 98 %"),
        ("classic", [None], "under 90 %"),
        ("hidden", [0.967, 0.924], "with ReLU"),
        ("hidden", [0.92, 0.94], "without"),
        ("hidden", [0.924, 0.926], "about the same"),
        ("loss", [2.31], "near 2.3"),
        ("descent", [0.85, 0.95, 0.11], "middle rate"),
        ("descent", [0.85, None, None], "small rate"),
        ("split", [0.12], "over 5 points"),
        ("speed", [4.5e10], "10 to 100 billion"),
    ],
)
def test_what_is_measured_makes_one_option_right(name, values, option):
    question = QUESTIONS[name]
    assert question.options[question.answer(values)] == option


@pytest.mark.parametrize("question", QUESTIONS.values())
def test_each_option_can_be_right(question: Question):
    if question.limits:
        assert list(question.limits) == sorted(question.limits)
        assert len(question.options) == len(question.limits) + 1
    else:
        assert len(question.options) == (3 if question.margin else len(TRAININGS["descent"]))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("linear", [0.924], "92.4%"),
        ("convolution", [0.985, 0.966], "98.5%"),
        ("descent", [0.85, 0.95, None], "small rate: 85.0%, middle rate: 95.0%, large rate: diverged"),
        ("hidden", [0.967, 0.924], "with ReLU: 96.7%, without: 92.4%"),
        ("split", [0.1164], "11.6 points"),
        ("speed", [4.16e10], "41.6 billion"),
    ],
)
def test_what_is_measured_in_words(name, values, words):
    assert QUESTIONS[name].in_words(values) == words


def test_each_training_has_a_question():
    assert TRAININGS.keys() <= QUESTIONS.keys()
