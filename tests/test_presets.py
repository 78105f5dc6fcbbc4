import dataclasses

import pytest

from mnist_core.config import TrainConfig
from mnist_core.presets import PRESETS, RECIPES, command, nearest
from mnist_core.trainer import fit
from tests.conftest import needs_mnist


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json_and_a_link(name):
    config = PRESETS[name].config
    assert TrainConfig.from_json(config.to_json()) == config
    assert TrainConfig.from_query(config.to_query()) == (config, [])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_reason(name):
    reason = PRESETS[name].reason
    assert reason.endswith(".")
    assert len(reason) > 40


def test_presets_differ():
    configs = [preset.config for preset in PRESETS.values()]
    assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_that_of_seed_0_on_whatever_device_there_is(name):
    config = RECIPES[name].config
    assert (config.seed, config.device, config.data) == (0, "auto", "mnist")
    assert TrainConfig.from_query(config.to_query()) == (config, [])


@needs_mnist
def test_too_high_a_learning_rate_diverges():
    *_, end = fit(PRESETS["Too high a learning rate"].config)
    assert end["reason"] == "diverged"
    assert "learning rate of 0.3 or less instead of 3" in end["advice"]


@needs_mnist
def test_a_linear_model_ends_near_its_known_accuracy():
    *_, end = fit(PRESETS["No hidden layer"].config)
    assert end["reason"] == "finished"
    assert end["test_accuracy"] == pytest.approx(0.92, abs=0.01)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_named_in_its_command(name):
    config = dataclasses.replace(RECIPES[name].config, seed=2, device="cpu")
    assert command(config) == f"python -m mnist_core train --recipe {name} --seed 2 --device cpu"
    changed = dataclasses.replace(config, epochs=1)
    assert "--recipe" not in command(changed)
    assert "--epochs 1" in command(changed)


@pytest.mark.parametrize("name", PRESETS)
def test_the_nearest_preset_of_a_preset_is_itself_whatever_the_seed(name):
    assert nearest(dataclasses.replace(PRESETS[name].config, seed=7, device="cpu")) == (name, [])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"epochs": 40}, ("mlp", ["epochs"])),
        ({"validation_size": 59_000}, ("mlp", ["validation_size"])),
        ({"validation_size": 59_000, "epochs": 20}, ("Learning by heart", ["epochs"])),
        ({"augment": "handwriting", "background": 0.05}, ("mlp", ["augment", "background"])),
        ({"optimizer": "sgd", "lr": 0.1}, ("mlp", ["optimizer", "lr"])),
        ({"optimizer": "sgd", "lr": 0.1, "schedule": "constant"}, ("The classic", ["lr"])),
        ({"model": "cnn", "epochs": 1}, ("cnn", ["epochs"])),
        ({"model": "softmax", "data": "sample"}, ("No hidden layer", ["data"])),  # which is the plain softmax
        ({"model": "softmax", "epochs": 20}, ("No hidden layer", ["epochs"])),
    ],
)
def test_a_config_is_named_after_a_preset_only_where_that_says_more_than_the_network(changes, expected):
    assert nearest(TrainConfig(**changes)) == expected


def test_what_a_config_has_of_its_own_is_named():
    config = dataclasses.replace(PRESETS["The classic"].config, lr=0.1, epochs=2)
    assert nearest(config) == ("The classic", ["lr", "epochs"])
