"""What a search varies: a range or a few choices for each of some fields of TrainConfig. Needs no Optuna."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mnist_core.config import ITEM_TYPES, RULES, TrainConfig, is_list, parse
from mnist_core.errors import ConfigError
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.text import quoted

if TYPE_CHECKING:
    from optuna.trial import Trial

MOST_CHOICES = 50  # of one field
GRID_VALUES = 5  # of a range, where a search tries a grid
DIGITS = 3  # that count in a number that a search tries: no more can be told apart, and titles stay short
Value = str | int | float


@dataclasses.dataclass(frozen=True)
class Dimension:
    """One field that a search varies: over `choices`, each in the word that writes it, or from `low` to `high`.

    `log` says that a range is searched by factors. A range of a field that is a list is that of its only item.
    """

    field: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    @property
    def is_int(self) -> bool:
        return not self.choices and ITEM_TYPES[self.field] is int

    @property
    def log(self) -> bool:
        return not self.choices and RULES[self.field].log and self.low > 0

    def __str__(self) -> str:
        """The text that `parse_dimension` reads."""
        if self.choices:
            return f"{self.field}={','.join(self.choices)}"
        return f"{self.field}={self.low:.12g}..{self.high:.12g}"

    def suggest(self, trial: Trial) -> Value:
        """What Optuna has the trial try."""
        if self.choices:
            return trial.suggest_categorical(self.field, self.choices)
        if self.is_int:
            return trial.suggest_int(self.field, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.field, self.low, self.high, log=self.log)

    def grid(self) -> list[Value]:
        """All choices, or a few values of the range, evenly placed, its ends among them."""
        if self.choices:
            return list(self.choices)
        low, high = (math.log(end) if self.log else end for end in (self.low, self.high))
        places = [low + (high - low) * i / (GRID_VALUES - 1) for i in range(GRID_VALUES)]
        values = [min(max(math.exp(x) if self.log else x, self.low), self.high) for x in places]
        return list(dict.fromkeys(round(x) for x in values)) if self.is_int else list(values)

    def value(self, tried: Value) -> Any:
        """What the field is set to for a value that `suggest` gave."""
        if self.choices:
            return parse(self.field, str(tried))
        number = int(tried) if self.is_int else min(max(float(f"{tried:.{DIGITS}g}"), self.low), self.high)
        return (number,) if is_list(self.field) else number

    def tried(self, config: TrainConfig) -> Value | None:
        """What `suggest` would have given for the config's own value, None where that lies outside."""
        value = getattr(config, self.field)
        if self.choices:
            return next((choice for choice in self.choices if parse(self.field, choice) == value), None)
        numbers = value if is_list(self.field) else (value,)
        within = len(numbers) == 1 and numbers[0] is not None and self.low <= numbers[0] <= self.high
        return numbers[0] if within else None


def parse_dimension(text: str) -> Dimension:
    """The dimension that a text such as "lr=0.001..0.1", "optimizer=sgd,adamw" or only "lr" means.

    A list's own items have spaces between, as in "hidden=64,64 64". A field alone takes the range that is usual for it,
    or all its choices. Raises ConfigError.
    """
    field, equals, values = (part.strip() for part in text.partition("="))
    if field not in RULES:
        raise ConfigError(field, f"There is no hyperparameter {quoted(field)}.")
    if not RULES[field].is_searchable:
        raise ConfigError(field, f"{field} cannot be searched: another one changes what is measured, not how well.")
    if not equals:
        return _usual(field)
    if ".." in values:
        return _range(field, *values.split("..", 1))
    parts = [" ".join(part.split()) for part in values.split(",")]
    words = tuple(dict.fromkeys(part for part in parts if part))
    if not 2 <= len(words) <= MOST_CHOICES:
        raise ConfigError(field, f"{field} needs 2 to {MOST_CHOICES} different values to search, got {len(words)}.")
    words = tuple(word.replace(" ", ",") for word in words) if is_list(field) else words
    for word in words:
        parse(field, word)
    return Dimension(field, words)


def _usual(field: str) -> Dimension:
    rule = RULES[field]
    if rule.choices:
        return Dimension(field, rule.choices)
    if rule.searched is None:
        raise ConfigError(field, f"Say what to search {field} over, such as {field}=LOW..HIGH.")
    return Dimension(field, low=rule.searched[0], high=rule.searched[1])


def _range(field: str, *ends: str) -> Dimension:
    if RULES[field].choices:
        raise ConfigError(field, f"{field} has no range: name some of {', '.join(RULES[field].choices)}.")
    numbers: list[float] = []
    for end in ends:
        value = parse(field, end.strip())
        numbers += value if is_list(field) else [value]
    if len(numbers) != 2:
        raise ConfigError(field, f"A range of {field} is from one number to another, such as {field}=16..256.")
    low, high = numbers
    if low == high:
        raise ConfigError(field, f"The range of {field} holds one value only: {low}.")
    if low > high:
        raise ConfigError(field, f"The range of {field} is upside down: write {field}={high}..{low}.")
    return Dimension(field, low=low, high=high)


Space = tuple[Dimension, ...]


def checked(space: Sequence[Dimension], base: TrainConfig) -> Space:
    """The space, if each of its fields counts for the networks that it is searched for. Raises ConfigError."""
    fields = [dimension.field for dimension in space]
    if not fields:
        raise ConfigError("", "A search needs at least one hyperparameter to vary.")
    if twice := {field for field in fields if fields.count(field) > 1}:
        raise ConfigError(min(twice), f"{min(twice)} is to be varied twice: once is enough.")
    models = next((dimension.choices for dimension in space if dimension.field == "model"), (base.model,))
    for field in fields:
        if field in HYPERPARAMETERS and not any(field in NETWORKS[model].hyperparameters for model in models):
            raise ConfigError(field, f"{field} cannot be searched for {base.model}, which has no such hyperparameter.")
    for name, value in (("low", 0), ("high", -1)):  # the ends of all ranges together make configs that can be trained
        with_ends = {dimension.field: dimension.value(dimension.grid()[value]) for dimension in space}
        try:
            configured(base, with_ends)
        except ConfigError as error:
            raise ConfigError(error.field, f"At the {name} end of the ranges: {error}") from error
    return tuple(space)


def configured(base: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """The base with these values, of which those that its network has not are left out. Raises ConfigError."""
    applicable = NETWORKS[values.get("model", base.model)].hyperparameters
    merged = {**base.to_dict(), **values}
    return TrainConfig.from_dict(
        {field: value for field, value in merged.items() if field not in HYPERPARAMETERS or field in applicable}
    )


def ask(space: Space, base: TrainConfig, trial: Trial) -> TrainConfig:
    """The config that the trial is to try; what its network has not is not asked for. Raises ConfigError."""
    values: dict[str, Any] = {}
    for dimension in sorted(space, key=lambda dimension: dimension.field != "model"):  # it says which others count
        model = values.get("model", base.model)
        if dimension.field in HYPERPARAMETERS and dimension.field not in NETWORKS[model].hyperparameters:
            continue
        values[dimension.field] = dimension.value(dimension.suggest(trial))
    return configured(base, values)


def beginning(space: Space, base: TrainConfig) -> dict[str, Value]:
    """What a search tries first: the base itself, as far as it lies in the space."""
    tried = {dimension.field: dimension.tried(base) for dimension in space if dimension.field in base.fields}
    return {field: value for field, value in tried.items() if value is not None}


def suggested(base: TrainConfig) -> list[str]:
    """The fields whose settings matter most for most networks: what a search varies where nobody says otherwise."""
    return ["lr", *(field for field in ("hidden", "width") if field in base.fields), "batch_size"]
