"""What a field of TrainConfig may hold: the rule that its flag, its control and its check are made from."""

import dataclasses
import math
import re
from typing import Any

from mnist_core.errors import ConfigError
from mnist_core.text import quoted


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a field's flag, control and check are made from.

    `label` is for people, where the field's name is not: see `label_of`. `minimum` and `maximum` hold for each item
    where the field is a list; `most_items` limits its length. A word that is no choice has to match `pattern` whole, as
    `pattern_in_words` says. `flag` is the command line's, where it is not the field's name. `searched` is the range
    that a search tries where nobody says otherwise, and where `log` is true it goes by factors. `is_searchable` is
    false where another value would change what is measured, not how well it is learnt.
    """

    help: str
    group: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    label: str = ""
    most_items: int | None = None
    pattern: str = ""
    pattern_in_words: str = ""
    flag: str = ""
    searched: tuple[float, float] | None = None
    log: bool = False
    is_searchable: bool = True


def field(default: Any, help: str, group: str, **rule: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": Rule(help, group, **rule)})


def checked(name: str, rule: Rule, kind: Any, value: Any) -> Any:
    """The value, or the item of a list, as the field `name` of that type holds it. Raises ConfigError."""
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not kind:  # exactly: True is an int, too
        raise ConfigError(name, f"{name} must be {_IN_WORDS[kind]}, got {quoted(value)}.")
    if rule.pattern and not re.fullmatch(rule.pattern, value):
        raise ConfigError(name, f"{name} cannot be {quoted(value)}: {rule.pattern_in_words}.")
    if rule.choices and value not in rule.choices:
        raise ConfigError(name, f"{name} must be one of {', '.join(rule.choices)}, got {quoted(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(name, f"{name} must be a finite number, got {value}.")
    if rule.minimum is not None and rule.maximum is not None and not rule.minimum <= value <= rule.maximum:
        raise ConfigError(name, f"{name} must be between {rule.minimum:,} and {rule.maximum:,}, got {quoted(value)}.")
    return value


_IN_WORDS = {int: "a whole number", float: "a number", str: "a word"}
