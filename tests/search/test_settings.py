import json

import pytest

from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.search.settings import SearchConfig, check_name
from mnist_core.search.space import parse_dimension

LR = (parse_dimension("lr"),)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"goal": "test"}, "goal must be one of"),
        ({"sampler": "magic"}, "sampler must be one of"),
        ({"pruner": "magic"}, "pruner must be one of"),
        ({"trials": 0}, "trials must be above 0"),
        ({"trials": 1.5}, "trials must be"),
        ({"trials": 10**9}, "at most 10,000"),
        ({"minutes": -1.0}, "minutes must be above 0"),
        ({"minutes": float("nan")}, "minutes must be"),
        ({"trials": None}, "needs an end"),
        ({"goal": "own"}, "where a set of them"),
        ({"goal": "accuracy-seconds", "sampler": "cma-es"}, "one figure"),
        ({"space": (parse_dimension("optimizer"),), "sampler": "cma-es"}, "no range"),
        ({"space": ()}, "at least one"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(changes, part):
    with pytest.raises(ConfigError, match=part):
        SearchConfig(**{"base": TrainConfig(), "space": LR, **changes})


def test_a_grid_that_is_too_large_is_refused():
    dimensions = tuple(map(parse_dimension, ("lr", "hidden", "batch_size", "weight_decay=0.001..0.1", "dropout")))
    with pytest.raises(ConfigError, match="3,125 combinations"):
        SearchConfig(TrainConfig(), dimensions, sampler="grid")


def test_two_figures_are_not_pruned_by_one_of_them():
    assert SearchConfig(TrainConfig(), LR, goal="accuracy-seconds").pruner == "none"


def test_it_is_read_back_and_what_is_damaged_is_one_sentence():
    config = SearchConfig(TrainConfig(model="cnn"), LR, minutes=2.5, trials=None)
    assert SearchConfig.from_json(config.to_json()) == config
    for text in ("", "{", "[]", "{}", '{"base": {}, "space": 3}', json.dumps({"base": {}, "space": ["lr"], "new": 1})):
        with pytest.raises(ConfigError):
            SearchConfig.from_json(text)


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 41, "<b>", "_x"])
def test_a_name_is_no_path_and_no_markup(name):
    with pytest.raises(ConfigError, match="A search's name"):
        check_name(name)
