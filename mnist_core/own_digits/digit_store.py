"""All sets of digits that people wrote, each a folder beside the others: found, made, deleted and brought back.

All of this module raises DatasetError where a set cannot be read or written; nothing in it needs torch.
"""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
from collections.abc import Iterator, Sequence

from mnist_core import trash
from mnist_core.config import SET_NAME, SET_NAME_IN_WORDS
from mnist_core.errors import DatasetError, DrawingError
from mnist_core.files import oserror_as
from mnist_core.own_digits.digit_set import MOST, NOTE, DigitSet, OwnDigits, prepared, together
from mnist_core.text import quoted

KEPT_DELETED = 86_400  # seconds, a day, in which a deleted set can be brought back


@dataclasses.dataclass(frozen=True)
class DigitStore:
    """The sets whose folders lie in `folder`."""

    folder: pathlib.Path

    def sets(self) -> list[DigitSet]:
        """All sets, by name."""
        with oserror_as(DatasetError, f"The sets in {self.folder} cannot be listed"):
            names = os.listdir(self.folder) if self.folder.is_dir() else []
        return [DigitSet(self.folder / name) for name in sorted(names) if is_name(name) and self.has(name)]

    def has(self, name: str) -> bool:
        return is_name(name) and (self.folder / name).is_dir()

    def open(self, name: str) -> DigitSet:
        """The set of that name. Raises DatasetError for one that is not there."""
        check_name(name)
        if not self.has(name):
            raise DatasetError(f"There is no set {name} in {self.folder}.")
        return DigitSet(self.folder / name)

    def create(self, name: str) -> DigitSet:
        """A new set. Raises DatasetError where there is one of that name."""
        check_name(name)
        path = self.folder / name
        begun = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        with oserror_as(DatasetError, f"A set cannot be kept in {self.folder}", FileExistsError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                path.mkdir()
            except FileExistsError as error:
                raise DatasetError(f"There is a set {name} already: add to it, or choose another name.") from error
            (path / NOTE).write_text(json.dumps({"name": name, "begun": begun}) + "\n", encoding="utf-8")
        return DigitSet(path)

    def open_or_create(self, name: str) -> DigitSet:
        """The set of that name, a new one where there is none."""
        check_name(name)
        return self.open(name) if self.has(name) else self.create(name)

    def delete(self, name: str) -> None:
        """Put the set aside; for a day `restore` brings it back, then it may be gone for good."""
        path = self.open(name).path
        with oserror_as(DatasetError, f"The set {name} cannot be deleted"):
            trash.empty(self.folder, KEPT_DELETED)
            trash.put_aside(path)

    def restore(self, name: str) -> DigitSet:
        """Bring back a set that was deleted."""
        check_name(name)
        try:
            with oserror_as(DatasetError, f"The set {name} cannot be brought back", FileExistsError, FileNotFoundError):
                return DigitSet(trash.take_back(name, self.folder))
        except FileExistsError as error:
            raise DatasetError(f"The set {name} cannot be brought back: there is another one of that name.") from error
        except FileNotFoundError as error:
            raise DatasetError(f"There is no deleted set {name} in {self.folder}.") from error

    def load(self, names: Sequence[str]) -> OwnDigits:
        """All digits of these sets together; a name may be that of one image, such as "me/4/one.png"."""
        return together(self._load(name) for name in names)

    def preparing(self, names: Sequence[str]) -> Iterator[tuple[float, int]]:
        """Bring all digits of these sets to the form that `load` gives, which is quick from then on.

        Gives the share that is prepared behind each, and how many are by then; the last is all. What cannot be used is
        left to `load` to say.
        """
        paths = [path for name in names if self.has(name) for path, _ in self.open(name).files()[:MOST]]
        for number, path in enumerate(paths, 1):
            with contextlib.suppress(DrawingError, OSError):
                prepared(path)
            yield number / len(paths), number
        yield 1.0, len(paths)

    def _load(self, name: str) -> OwnDigits:
        set_name, _, image = name.partition("/")
        return self.open(set_name).load(image)


# Beside the runs, unless another place is named.
DIGITS = DigitStore(
    pathlib.Path(os.environ.get("DIGITS_DIR") or pathlib.Path(os.environ.get("RUNS_DIR") or "runs").parent / "digits")
)


def is_name(text: str) -> bool:
    """Whether a set could be called that: never a path."""
    return bool(re.fullmatch(SET_NAME, text))


def check_name(name: str) -> None:
    """Raises DatasetError where a set could not be called that."""
    if not is_name(name):
        raise DatasetError(f"{quoted(name)} cannot be a set's name: {SET_NAME_IN_WORDS}.")
