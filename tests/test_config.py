import dataclasses
import json
import math

import pytest

from mnist_core.config import DEFAULTS, RULES, TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.networks import ACTIVATIONS


def test_every_field_has_a_group_a_sentence_and_limits():
    for name, rule in RULES.items():
        assert rule.help.endswith("."), name
        assert rule.group in ("data", "network", "optimizer"), name
        assert rule.choices or (rule.minimum is not None and rule.maximum is not None), name


def test_activations_are_those_of_the_networks():
    assert RULES["activation"].choices == tuple(ACTIVATIONS)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("data", "cifar", "one of mnist, sample"),
        ("model", "resnet", "one of softmax, mlp, cnn"),
        ("augment", "mixup", "one of none, affine"),
        ("optimizer", "lbfgs", "one of sgd, momentum, adamw"),
        ("schedule", "step", "one of constant, cosine, one-cycle"),
        ("activation", "swish", "one of relu"),
        ("device", "tpu", "one of auto"),
        ("hidden", 64, "must be a list"),
        ("hidden", "64", "must be a list"),
        ("hidden", (0,), "between 1 and 4,096"),
        ("hidden", (64, 5000), "between 1 and 4,096"),
        ("hidden", (1.5,), "a whole number"),
        ("hidden", (8,) * 9, "at most 8 items"),
        ("width", 3, "between 4 and 256"),
        ("dropout", -0.1, "between 0.0 and 0.9"),
        ("dropout", 1.0, "between 0.0 and 0.9"),
        ("lr", 0, "between 1e-06 and 100.0"),
        ("lr", math.nan, "a finite number"),
        ("lr", math.inf, "a finite number"),
        ("lr", "0.1", "a number"),
        ("lr", True, "a number"),
        ("weight_decay", 2.0, "between 0.0 and 1.0"),
        ("label_smoothing", 0.6, "between 0.0 and 0.5"),
        ("batch_size", 0, "between 1 and 10,000"),
        ("batch_size", 12.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("epochs", 0, "between 1 and 1,000"),
        ("seed", -1, "between 0"),
        ("validation_size", 0, "between 1"),
        ("validation_size", 60_000, "between 1 and 59,999"),
        ("lr", None, "a number"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(field, value, part):
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**{field: value})
    assert caught.value.field == field
    assert part in str(caught.value)
    assert str(caught.value).startswith(field)


def test_validation_must_leave_images_to_train_on():
    assert TrainConfig(data="sample", validation_size=1_499).validation_images == 1_499
    with pytest.raises(ConfigError, match="sample has 1,500 for both, got 1,500") as caught:
        TrainConfig(data="sample", validation_size=1_500)
    assert caught.value.field == "validation_size"


def test_validation_is_one_in_six_where_not_said():
    assert TrainConfig().validation_images == 10_000
    assert TrainConfig(data="sample").validation_images == 250


def test_a_hyperparameter_that_the_network_lacks_is_refused():
    assert TrainConfig(model="softmax").hyperparameters == {}
    with pytest.raises(ConfigError, match="hidden cannot be set for softmax"):
        TrainConfig(model="softmax", hidden=(32,))


def test_whole_numbers_serve_as_numbers_and_lists_as_tuples():
    config = TrainConfig(lr=1, hidden=[32, 16])
    assert config.lr == 1.0
    assert isinstance(config.lr, float)
    assert config.hidden == (32, 16)


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().lr = 1.0


def test_json_both_ways():
    config = TrainConfig(hidden=(), lr=0.1 + 0.2, validation_size=5, seed=2**32 - 1)
    assert TrainConfig.from_json(config.to_json()) == config
    assert list(json.loads(config.to_json())) == list(DEFAULTS)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"momentum": 0.9}', '{"lr": "fast"}', '{"hidden": {}}'])
def test_json_that_is_no_config_is_refused(text):
    with pytest.raises(ConfigError):
        TrainConfig.from_json(text)


def test_flags_hold_what_is_not_the_default():
    assert TrainConfig().flags() == []
    assert TrainConfig(hidden=(64, 32), lr=0.5, batch_size=64).flags() == [
        *("--hidden", "64", "32"),
        *("--lr", "0.5"),
        *("--batch-size", "64"),
    ]
