"""Several runs started together, to see what one hyperparameter does, or only chance."""

import dataclasses
from collections.abc import Callable, Sequence

from mnist_core.config import RULES, TrainConfig, is_list, parse
from mnist_core.errors import ConfigError
from mnist_core.runs.about import LONGEST
from mnist_core.runs.run import Run
from mnist_core.text import quoted

MOST = 50  # runs of one group


def repeats(config: TrainConfig, seeds: int) -> list[TrainConfig]:
    """The config with so many seeds, from its own on. Raises ConfigError for a number that makes no group."""
    _check_size(seeds)
    return [dataclasses.replace(config, seed=config.seed + i) for i in range(seeds)]


def variations(config: TrainConfig, field: str, text: str) -> list[TrainConfig]:
    """The config with each of the values that `text` names for one field.

    Values have commas between, where they are no lists also spaces; a list's own items have spaces between. Raises
    ConfigError for what the field cannot be set to, and for fewer than two values.
    """
    if field not in RULES:
        raise ConfigError(field, f"There is no hyperparameter {quoted(field)}.")
    parts = text.split(",") if is_list(field) else text.replace(",", " ").split()
    words = [word for word in dict.fromkeys(",".join(part.split()) for part in parts) if word]
    _check_size(len(words))
    return [dataclasses.replace(config, **{field: parse(field, word)}) for word in words]


def create(configs: Sequence[TrainConfig], title: str, create_run: Callable[[TrainConfig], Run]) -> list[Run]:
    """A run for each config, made by `create_run`, all in one group called `title`, in the order to train them in."""
    runs = [create_run(config) for config in configs]
    for run in runs:
        run.set_about(group=title[: LONGEST["group"]])
    return runs


def _check_size(count: int) -> None:
    if not 2 <= count <= MOST:
        raise ConfigError("", f"A group has 2 to {MOST} runs, got {count}.")
