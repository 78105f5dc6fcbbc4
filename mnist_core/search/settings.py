"""What a search is told: where it starts, what it varies, what counts, and when it ends. Needs no Optuna."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import os
import re
from typing import Any

from mnist_core.config import SET_NAME, TrainConfig
from mnist_core.errors import ConfigError, SearchError
from mnist_core.search import space
from mnist_core.text import parse_json, quoted

STORAGE = os.environ.get("SEARCH_STORAGE", "")  # a database's URL; empty for the file beside the runs
MOST_TRIALS, MOST_MINUTES = 10_000, 60 * 24 * 30
MOST_IN_GRID = 1_000


@dataclasses.dataclass(frozen=True)
class Goal:
    """What counts: figures of a finished run, by name, and of each whether more of it is better."""

    label: str
    figures: tuple[str, ...]
    maximized: tuple[bool, ...]

    @property
    def is_single(self) -> bool:
        return len(self.figures) == 1


GOALS = {
    "accuracy": Goal("validation accuracy", ("val_accuracy",), (True,)),
    "own": Goal("own digits read right", ("own_accuracy",), (True,)),
    "accuracy-seconds": Goal("validation accuracy against seconds", ("val_accuracy", "seconds"), (True, False)),
    "accuracy-parameters": Goal(
        "validation accuracy against parameters", ("val_accuracy", "parameters"), (True, False)
    ),
}
SAMPLERS = {
    "tpe": "looks where trials did well so far (tree-structured Parzen estimator: Bergstra and others, 2011)",
    "random": "anywhere in the space by chance",
    "grid": f"every combination, of a range {space.GRID_VALUES} values",
    "cma-es": "a cloud of settings that moves and changes its form (Hansen, 2016); for numbers",
}
PRUNERS = {
    "median": "stops a trial that is worse than half of the others were at that epoch",
    "halving": "lets the best quarter go on, again and again (asynchronous successive halving: Li and others, 2018)",
    "none": "trains each trial to its end",
}


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """All that makes a search what it is. It ends after `trials` or `minutes`, whichever comes first.

    Raises ConfigError when made with what cannot be searched.
    """

    base: TrainConfig
    space: space.Space
    goal: str = "accuracy"
    trials: int | None = 20
    minutes: float | None = None
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", space.checked(self.space, self.base))
        for name, choices in (("goal", GOALS), ("sampler", SAMPLERS), ("pruner", PRUNERS)):
            if getattr(self, name) not in choices:
                raise ConfigError(
                    name, f"{name} must be one of {', '.join(choices)}, got {quoted(getattr(self, name))}."
                )
        _check_limit("trials", self.trials, int, MOST_TRIALS)
        _check_limit("minutes", self.minutes, float, MOST_MINUTES)
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ConfigError("seed", f"seed must be a whole number from 0 on, got {quoted(self.seed)}.")
        if self.trials is None and self.minutes is None:
            raise ConfigError("trials", "A search needs an end: give it trials or minutes.")
        if self.goal == "own" and not (self.base.digits or self.base.judged_by):
            raise ConfigError("goal", "Own digits can only count where a set of them is learnt or judges.")
        if not GOALS[self.goal].is_single:
            if self.sampler == "cma-es":
                raise ConfigError("sampler", "cma-es searches for one figure: choose another sampler for two.")
            object.__setattr__(self, "pruner", "none")  # which of two figures would it look at?
        if self.sampler == "cma-es" and all(dimension.choices for dimension in self.space):
            raise ConfigError("sampler", "cma-es searches numbers, and there is no range: choose another sampler.")
        if self.sampler == "grid" and (size := self.grid_size) > MOST_IN_GRID:
            raise ConfigError("sampler", f"The grid has {size:,} combinations, and at most {MOST_IN_GRID:,} are tried.")

    @property
    def grid_size(self) -> int:
        """Number of combinations in the grid."""
        return math.prod(len(dimension.grid()) for dimension in self.space)

    @property
    def kind(self) -> Goal:
        return GOALS[self.goal]

    def to_json(self) -> str:
        values: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "base"
        }
        return json.dumps({"base": self.base.to_dict(), **values, "space": [str(one) for one in self.space]})

    @classmethod
    def from_json(cls, text: str | bytes) -> SearchConfig:
        """Raises ConfigError for text that is no search's."""
        try:
            values = parse_json(text)
            base = TrainConfig.from_dict(values.pop("base"))
            dimensions = tuple(space.parse_dimension(one) for one in values.pop("space"))
            return cls(base, dimensions, **values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError("", f"It is no search's config: {str(error)[:200]}.") from error


def require() -> None:
    """Raises SearchError where Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise SearchError("A search needs Optuna: pip install -r requirements-search.txt.")


def check_name(name: str) -> str:
    """The name, if a search can be called so. Raises ConfigError."""
    if not re.fullmatch(SET_NAME, name):
        raise ConfigError(
            "name", f"A search's name is made of letters, digits, - and _, 40 at most, not {quoted(name)}."
        )
    return name


def _check_limit(name: str, value: Any, kind: type, most: float) -> None:
    if value is None:
        return
    if type(value) not in (int, kind) or not 0 < value <= most:
        raise ConfigError(name, f"{name} must be above 0 and at most {most:,}, got {quoted(value)}.")
