import dataclasses
import json
import math
import random

import pytest

from mnist_core.config import DEFAULTS, RULES, TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.networks import ACTIVATIONS
from tests.conftest import NESTED


def test_every_field_has_a_group_a_sentence_and_limits():
    for name, rule in RULES.items():
        assert rule.help.endswith("."), name
        assert rule.group in ("data", "network", "optimizer", "own"), name
        has_limits = rule.minimum is not None and rule.maximum is not None
        assert rule.choices or has_limits or (rule.pattern and rule.pattern_in_words), name


def test_activations_are_those_of_the_networks():
    assert RULES["activation"].choices == tuple(ACTIVATIONS)


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("data", "cifar", "one of mnist, sample"),
        ("model", "rnn", "one of softmax, mlp, cnn"),
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
        pytest.param("lr", 10**400, "a finite number", id="lr-huge"),
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


def test_the_fields_of_a_config_are_those_that_its_network_has():
    assert set(DEFAULTS) - set(TrainConfig().fields) == {"width"}
    assert set(DEFAULTS) - set(TrainConfig(model="cnn").fields) == {"hidden", "activation"}
    assert set(DEFAULTS) - set(TrainConfig(model="softmax").fields) == {"hidden", "activation", "width", "dropout"}


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


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", '{"momentum": 0.9}', '{"lr": "fast"}', '{"hidden": {}}', '{"lr": NaN}', '{"lr": 1e999}'),
        pytest.param(NESTED, id="nested"),
        pytest.param(f'{{"epochs": {"9" * 5_000}}}', id="huge"),
        pytest.param(json.dumps({"x" * 88_760: 1}), id="long"),
    ],
)
def test_json_that_is_no_config_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_json(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"model": "x" * 88_760}, id="choice"),
        pytest.param({"lr": "x" * 88_760}, id="number"),
        pytest.param({"hidden": "x" * 88_760}, id="list"),
        pytest.param({"hidden": ["x" * 88_760]}, id="item"),
        pytest.param({"epochs": 10**5_000}, id="huge"),
        pytest.param({"model": [10**5_000]}, id="huge-item"),
        pytest.param({"x" * 88_760: 1}, id="name"),
    ],
)
def test_a_refusal_quotes_only_so_much_of_a_value(values):
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict(values)
    assert len(str(caught.value)) < 500


def test_what_is_said_of_a_link_quotes_only_so_much_of_it():
    word = "x" * 88_760
    _, problems = TrainConfig.from_query({word: "1", "lr": word, "hidden": word, "model": word, "epochs": "9" * 88_760})
    assert len(problems) == 5
    assert all(len(problem) < 500 for problem in problems)


def test_flags_hold_what_is_not_the_default():
    assert TrainConfig().flags() == []
    assert TrainConfig(hidden=(64, 32), lr=0.5, batch_size=64).flags() == [
        *("--hidden", "64", "32"),
        *("--lr", "0.5"),
        *("--batch-size", "64"),
    ]


CONFIGS = [
    TrainConfig(),
    TrainConfig(hidden=()),
    TrainConfig(hidden=(7,)),
    TrainConfig(hidden=(256, 128, 64), activation="gelu", dropout=0.25),
    TrainConfig(lr=0.1 + 0.2, weight_decay=1e-6, label_smoothing=1 / 3),
    TrainConfig(lr=100, optimizer="sgd", schedule="constant"),
    TrainConfig(validation_size=59_999, seed=2**32 - 1, batch_size=10_000, epochs=1_000),
    TrainConfig(data="sample", validation_size=1, device="cpu"),
    TrainConfig(model="softmax", augment="affine"),
    TrainConfig(model="cnn", width=4, dropout=0.9),
]


def test_a_field_that_is_gone_does_not_make_an_old_run_unreadable():
    assert TrainConfig.from_dict({"lr": 0.5, "base_share": 0.3}) == TrainConfig(lr=0.5)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_link_both_ways(config):
    words = config.to_query()
    assert all(isinstance(word, str) for word in words.values())
    assert TrainConfig.from_query(words) == (config, [])
    assert set(words) == {name for name in DEFAULTS if getattr(config, name) != DEFAULTS[name]}


def test_random_configs_survive_a_link():
    rng = random.Random(0)  # noqa: S311
    for _ in range(200):
        values = {name: rng.choice(rule.choices) for name, rule in RULES.items() if rule.choices}
        values |= {name: rng.uniform(RULES[name].minimum, RULES[name].maximum) for name in ("lr", "weight_decay")}
        values |= {name: rng.randint(1, 1_000) for name in ("batch_size", "epochs", "seed", "validation_size")}
        if values["model"] == "mlp":
            values["hidden"] = [rng.randint(1, 4096) for _ in range(rng.randint(0, 8))]
        else:
            del values["activation"]
        config = TrainConfig(**values)
        assert TrainConfig.from_query(config.to_query()) == (config, [])


def test_a_link_holds_lists_with_commas():
    assert TrainConfig(hidden=(32, 16), lr=0.5).to_query() == {"hidden": "32,16", "lr": "0.5"}
    assert TrainConfig.from_query({"hidden": "32, 16,"})[0].hidden == (32, 16)


@pytest.mark.parametrize(
    ("name", "word", "part"),
    [
        ("momentum", "0.9", "no hyperparameter 'momentum'"),
        ("", "", "no hyperparameter ''"),
        ("lr", "fast", "lr must be a number, got 'fast'"),
        ("lr", "", "lr must be a number, got ''"),
        ("lr", "nan", "lr must be a finite number"),
        ("lr", "1e999", "lr must be a finite number"),
        ("lr", "-inf", "lr must be a finite number"),
        ("lr", "0", "lr must be between"),
        ("dropout", "1", "dropout must be between"),
        ("epochs", "2.5", "epochs must be a whole number, got '2.5'"),
        ("epochs", "0", "epochs must be between"),
        pytest.param("epochs", "9" * 5_000, "epochs must be", id="epochs-huge"),
        ("hidden", "64,many", "hidden must be a whole number, got 'many'"),
        ("hidden", "64;32", "hidden must be a whole number, got '64;32'"),
        ("hidden", "64,0", "hidden must be between"),
        ("hidden", "8,8,8,8,8,8,8,8,8", "at most 8 items"),
        ("optimizer", "lbfgs", "optimizer must be one of"),
        ("validation_size", "None", "validation_size must be a whole number"),
        ("validation_size", "60000", "validation_size must be between"),
        ("width", "64", "width cannot be set for mlp"),
    ],
)
def test_what_a_link_says_wrong_is_said_and_left_out(name, word, part):
    config, problems = TrainConfig.from_query({"batch_size": "77", name: word, "seed": "5"})
    assert config == TrainConfig(batch_size=77, seed=5)
    (problem,) = problems
    assert part in problem
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("words", "rest", "part"),
    [
        ({"data": "sample", "validation_size": "5000"}, {"data": "sample"}, "must leave images to train on"),
        ({"model": "cnn", "hidden": "32"}, {"model": "cnn"}, "hidden cannot be set for cnn"),
        ({"activation": "tanh", "model": "softmax"}, {"model": "softmax"}, "activation cannot be set for softmax"),
    ],
)
def test_what_does_not_go_together_is_said_and_left_out(words, rest, part):
    config, problems = TrainConfig.from_query({"lr": "0.5", **words, "epochs": "3"})
    assert config == TrainConfig(lr=0.5, epochs=3, **rest)
    (problem,) = problems
    assert part in problem


def test_each_wrong_word_has_a_sentence_of_its_own():
    words = {"lr": "fast", "model": "cnn", "hidden": "32", "activation": "tanh", "x": "y", "epochs": "7"}
    config, problems = TrainConfig.from_query(words)
    assert config == TrainConfig(model="cnn", epochs=7)
    assert len(problems) == 4
    assert len(set(problems)) == 4


def test_no_link_is_too_wild():
    rng = random.Random(0)  # noqa: S311
    letters = "0123456789.,-+eE_ infa\n\x00%é²٣😀\ud800"
    good = ["cnn", "softmax", "sample", "mnist", "64", "0.5", "1,2", "", "nan", "1e400", "5000"]
    for _ in range(500):
        words = {}
        for name in rng.sample([*RULES, "momentum", "é"], rng.randint(0, 6)):
            word = "".join(rng.choices(letters, k=rng.randint(0, 12)))
            words[name] = rng.choice([word, rng.choice(good)])
        config, problems = TrainConfig.from_query(words)
        assert len(problems) <= len(words)
        assert TrainConfig.from_query(config.to_query()) == (config, [])
