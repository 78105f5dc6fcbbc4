"""What a person says of a run: plain text, never a path and never HTML."""

import dataclasses
import json
import pathlib
import unicodedata

from mnist_core.errors import ConfigError, RunError
from mnist_core.files import oserror_as, replacing
from mnist_core.text import parse_json, quoted

LONGEST = {"name": 80, "note": 2_000, "group": 80}  # characters


@dataclasses.dataclass(frozen=True)
class About:
    """A run's name, a note on it, and the group of runs that it was started with; each may be empty.

    Raises ConfigError when made with text that is too long or has control characters (a note may have line breaks).
    """

    name: str = ""
    note: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        for field, longest in LONGEST.items():
            text = getattr(self, field)
            if not isinstance(text, str):
                raise ConfigError(field, f"A run's {field} must be text, got {quoted(text)}.")
            if len(text) > longest:
                raise ConfigError(
                    field, f"A run's {field} can have at most {longest:,} characters, got {len(text):,}: shorten it."
                )
            allowed = "\n\t" if field == "note" else ""
            if any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in text):
                raise ConfigError(field, f"A run's {field} must be plain text without control characters.")


def read(folder: pathlib.Path) -> About:
    """What `write` wrote in a run's folder; empty where it never did. Raises RunError if it is damaged."""
    try:
        with oserror_as(RunError, f"The name of run {folder.name} cannot be read", FileNotFoundError):
            values = parse_json((folder / "about.json").read_bytes())
        return About(**{field: values[field] for field in LONGEST if field in values})
    except FileNotFoundError:
        return About()
    except (ValueError, TypeError, ConfigError) as error:
        raise RunError(f"The name and the note of run {folder.name} are damaged: give it new ones.") from error


def write(folder: pathlib.Path, about: About) -> None:
    """Raises RunError if it cannot be written."""
    with (
        oserror_as(RunError, f"The run {folder.name} cannot be named in {folder}"),
        replacing(folder / "about.json") as path,
    ):
        path.write_text(json.dumps(dataclasses.asdict(about)) + "\n", encoding="utf-8")
