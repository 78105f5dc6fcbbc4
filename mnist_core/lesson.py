"""A link that is a lesson: the config that Train opens with, and the controls that it locks or hides."""

import dataclasses
import json
from collections.abc import Mapping

from mnist_core.config import DEFAULTS, RULES, TrainConfig, is_list
from mnist_core.text import parse_json, quoted

WORDS = ("config", "lock", "hide")  # in a link, beside the fields' own


@dataclasses.dataclass(frozen=True)
class Lesson:
    """`locked` and `hidden` are names of TrainConfig's fields, whose controls cannot be changed or are not shown."""

    config: TrainConfig
    locked: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def to_query(self) -> dict[str, str]:
        """The words of a link: the config's own, and `lock` and `hide` with commas between the names."""
        lists = {"lock": ",".join(self.locked), "hide": ",".join(self.hidden)}
        return self.config.to_query() | {name: names for name, names in lists.items() if names}

    @classmethod
    def from_query(cls, words: Mapping[str, str]) -> "tuple[Lesson, list[str]]":
        """The lesson of `to_query`, and a sentence for each word that cannot be used and is left out.

        `config` may hold a whole config as JSON, as in a run's config.json; words of fields go before it.
        """
        problems: list[str] = []
        fields = {name: word for name, word in words.items() if name not in WORDS}
        if "config" in words:
            fields = {**_words_of(words["config"], problems), **fields}
        config, more = TrainConfig.from_query(fields)
        problems += more
        hidden = _names(words.get("hide", ""), problems)
        locked = [name for name in _names(words.get("lock", ""), problems) if name not in hidden]
        return cls(config, tuple(locked), tuple(hidden)), problems


def _words_of(text: str, problems: list[str]) -> dict[str, str]:
    """The fields of a config's JSON that are not the default, as words of a link."""
    try:
        values = parse_json(text)
    except ValueError:
        problems.append("What the link has as config is no JSON object.")
        return {}
    words = {}
    for name, value in values.items():
        if value is None and DEFAULTS.get(name, 0) is None:
            continue
        items = value if isinstance(value, list) and name in RULES and is_list(name) else [value]
        words[str(name)] = ",".join(item if isinstance(item, str) else json.dumps(item) for item in items)
    return words


def _names(text: str, problems: list[str]) -> list[str]:
    """The fields that `text` names, in TrainConfig's order."""
    words = [word for word in text.split(",") if word]
    problems += [f"There is no hyperparameter {quoted(word)}." for word in words if word not in RULES]
    return [name for name in RULES if name in words]
