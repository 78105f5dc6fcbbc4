import dataclasses

import pytest

from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.runs import summary, sweep


def test_repeats_differ_in_their_seed_alone():
    config = TrainConfig(lr=0.1, seed=5)
    made = sweep.repeats(config, 3)
    assert [one.seed for one in made] == [5, 6, 7]
    assert {dataclasses.replace(one, seed=5) for one in made} == {config}


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("lr", "0.01, 0.03,0.1", [0.01, 0.03, 0.1]),
        ("lr", "1e-3 0.1 0.1", [1e-3, 0.1]),  # the same value once
        ("epochs", "1 2 3", [1, 2, 3]),
        ("hidden", "32, 64, 128 64", [(32,), (64,), (128, 64)]),
        ("optimizer", "sgd, adamw", ["sgd", "adamw"]),
    ],
)
def test_variations_have_each_of_the_values(field, text, values):
    made = sweep.variations(TrainConfig(epochs=4), field, text)
    assert [getattr(one, field) for one in made] == values
    assert {one.epochs for one in made} == ({4} if field != "epochs" else {1, 2, 3})


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("lr", "0.1", "A group has 2 to 50 runs, got 1"),
        ("lr", "", "A group has 2 to 50 runs, got 0"),
        ("lr", "fast, slow", "lr must be a number, got 'fast'"),
        ("lr", "0.1, 1000", "lr must be between"),
        ("width", "8, 16", "width cannot be set for mlp"),
        ("speed", "1, 2", "There is no hyperparameter 'speed'"),
        ("epochs", " ".join(map(str, range(1, 52))), "A group has 2 to 50 runs, got 51"),
    ],
)
def test_what_makes_no_group_is_said(field, text, said):
    with pytest.raises(ConfigError, match=said):
        sweep.variations(TrainConfig(), field, text)


@pytest.mark.parametrize("seeds", [0, 1, 51])
def test_a_group_of_seeds_has_its_limits(seeds):
    with pytest.raises(ConfigError, match=f"2 to 50 runs, got {seeds}"):
        sweep.repeats(TrainConfig(), seeds)


def test_the_runs_of_a_group_wait_and_say_what_is_theirs(small, store):
    made = sweep.create(sweep.variations(small, "lr", "0.01, 0.1"), "lr: 0.01, 0.1", store.create)
    assert [run.config().lr for run in made] == [0.01, 0.1]
    assert [summary.row(run).title for run in made] == [summary.title_of(run.config()) for run in made]
    assert {run.about().group for run in made} == {"lr: 0.01, 0.1"}
    assert {run.status().state for run in made} == {"waiting"}


def test_a_group_may_have_a_long_title(small, store):
    (run, *_) = sweep.create(sweep.repeats(small, 2), "lr: " + "0.1, " * 50, store.create)
    assert len(run.about().group) == 80
