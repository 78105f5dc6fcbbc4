import dataclasses

import optuna
import pytest

from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.search import space
from mnist_core.search.space import Dimension, parse_dimension


def tried(text: str, count: int = 50) -> list:
    """What a field is set to in so many trials by chance."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    dimension = parse_dimension(text)
    return [dimension.value(dimension.suggest(study.ask())) for _ in range(count)]


def test_a_range_gives_values_within_it_by_factors_where_they_make_sense():
    rates = tried("lr=0.001..0.1", 400)
    assert 0.001 <= min(rates) < max(rates) <= 0.1
    assert sum(rate < 0.01 for rate in rates) == pytest.approx(200, abs=40)  # half of the factors
    assert all(float(f"{rate:.3g}") == rate for rate in rates)
    shares = tried("dropout=0..0.5", 400)
    assert sum(share < 0.25 for share in shares) == pytest.approx(200, abs=40)  # half of the range
    assert {type(size) for size in tried("batch_size=16..64")} == {int}


def test_a_list_has_one_item_from_a_range_and_several_in_choices():
    assert all(len(value) == 1 and 16 <= value[0] <= 32 for value in tried("hidden=16..32"))
    assert set(tried("hidden=64, 64 32 ,128")) == {(64,), (64, 32), (128,)}


def test_choices_are_those_named_or_all():
    assert set(tried("optimizer=sgd,adamw")) == {"sgd", "adamw"}
    assert parse_dimension("optimizer").choices == RULES["optimizer"].choices
    assert set(tried("batch_size=32,64")) == {32, 64}


@pytest.mark.parametrize("field", [name for name, rule in RULES.items() if rule.searched])
def test_the_usual_range_of_each_field_can_be_used(field):
    dimension = parse_dimension(field)
    assert parse_dimension(str(dimension)) == dimension
    if field not in ("width", "frozen", "distillation"):
        space.configured(TrainConfig(), {field: dimension.value(dimension.grid()[0])})


@pytest.mark.parametrize("text", ["lr=0.001..0.1", "hidden=16..256", "optimizer=sgd,adamw", "hidden=64,64 32"])
def test_the_text_of_a_dimension_is_read_back(text):
    dimension = parse_dimension(text)
    assert (
        parse_dimension(str(dimension).replace(",64,32", ",64 32") if "64 32" in text else str(dimension)) == dimension
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("lr=0.1..0.001", "upside down: write lr=0.001..0.1"),
        ("lr=0.1..0.1", "one value only"),
        ("lr=0.1..1000", "between"),
        ("lr=x..1", "must be a number"),
        ("lr=0.1..", "must be a number"),
        ("lr=0.1", "2 to 50 different values"),
        ("lr=0.1,0.1", "got 1"),
        ("optimizer=sgd..adamw", "no range"),
        ("optimizer=sgd,adam", "must be one of"),
        ("hidden=16..32..64", "must be a whole number"),
        ("hidden=16 32..64", "must be a whole number"),
        ("seed=0..5", "cannot be searched"),
        ("../x", "no hyperparameter"),
        ("", "no hyperparameter"),
        ("lr=" + ",".join(str(i / 100) for i in range(1, 60)), "got 59"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(text, part):
    with pytest.raises(ConfigError, match=part):
        parse_dimension(text)


def test_a_space_has_fields_that_count_for_its_networks_and_ends_that_go_together():
    lr, width = parse_dimension("lr"), parse_dimension("width")
    with pytest.raises(ConfigError, match="mlp, which has no such"):
        space.checked([lr, width], TrainConfig())
    with pytest.raises(ConfigError, match="twice"):
        space.checked([lr, lr], TrainConfig())
    with pytest.raises(ConfigError, match="at least one"):
        space.checked([], TrainConfig())
    with pytest.raises(ConfigError, match="high end of the ranges"):
        space.checked([parse_dimension("frozen=0..2")], TrainConfig())
    assert space.checked([lr, width], TrainConfig(model="cnn")) == (lr, width)


def test_a_trial_is_asked_only_for_what_its_network_has():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    dimensions = space.checked([parse_dimension(one) for one in ("width", "hidden", "model=mlp,cnn")], TrainConfig())
    for _ in range(10):
        trial = study.ask()
        config = space.ask(dimensions, TrainConfig(), trial)
        assert set(trial.params) == {"model", "hidden" if config.model == "mlp" else "width"}


def test_a_search_begins_with_its_base_as_far_as_that_lies_in_the_space():
    base = TrainConfig(lr=0.01, hidden=(64,), batch_size=128, optimizer="adamw", weight_decay=0.0)
    texts = ["lr=0.001..0.1", "hidden=16..256", "batch_size=16..64", "optimizer", "weight_decay=0.0001..0.1"]
    begun = space.beginning([parse_dimension(text) for text in texts], base)
    assert begun == {"lr": 0.01, "hidden": 64, "optimizer": "adamw"}
    deep = dataclasses.replace(base, hidden=(64, 32))
    assert space.beginning([parse_dimension("hidden=16..256")], deep) == {}
    assert space.beginning([parse_dimension("hidden=64,64 32")], deep) == {"hidden": "64,32"}
    assert space.beginning([parse_dimension("model=mlp,cnn"), parse_dimension("width")], base) == {"model": "mlp"}


def test_a_grid_has_both_ends_of_a_range_and_each_choice():
    assert parse_dimension("lr=0.001..0.1").grid() == pytest.approx([0.001, 0.00316, 0.01, 0.0316, 0.1], rel=0.01)
    assert parse_dimension("batch_size=2..3").grid() == [2, 3]
    assert parse_dimension("optimizer").grid() == ["sgd", "momentum", "adamw"]


def test_what_is_suggested_can_be_searched():
    for config in (TrainConfig(), TrainConfig(model="cnn"), TrainConfig(model="softmax")):
        space.checked([parse_dimension(field) for field in space.suggested(config)], config)


def test_a_dimension_is_plain_data():
    assert dataclasses.asdict(Dimension("lr", low=1, high=2)) == {"field": "lr", "choices": (), "low": 1, "high": 2}
