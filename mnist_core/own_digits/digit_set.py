"""A set of digits that people wrote, a folder as torchvision's ImageFolder reads it: to look at, edit and zip.

    digits/<name>/set.json       when it was begun
                  4/<stamp>.png  the ink of a 4 as it was drawn or cut out, white on black

A set without set.json is one, too. The 28 x 28 form that a network learns from is made when it is needed. All of this
module raises DatasetError where a set cannot be read or written; nothing in it needs torch.
"""

import contextlib
import dataclasses
import datetime
import functools
import io
import os
import pathlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from mnist_core import drawing
from mnist_core.drawing import Pixels
from mnist_core.errors import DatasetError, DrawingError
from mnist_core.files import oserror_as, replacing
from mnist_core.image_files import open_image
from mnist_core.metrics import Labels
from mnist_core.text import parse_json, quoted

MOST = 10_000  # digits of a set
HELD_BACK = 5  # one in so many of each digit is held back to judge by, and at least one
FEWEST = 3  # of a digit, from which some are held back
MARGIN = 2  # pixels, around the ink that is kept
SIDE = 420  # pixels, the longer side of the ink that is kept at most
NOTE = "set.json"


@dataclasses.dataclass(frozen=True)
class OwnDigits:
    """Digits as a network sees them: `images` (N, 28, 28), uint8, and their `labels` (N,), int64, 0 to 9."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, seed: int) -> "tuple[OwnDigits, OwnDigits]":
        """Those to learn, and those that are held back to judge by: one in five of each digit, at least one of three.

        Of a digit that is there once or twice all are learnt.
        """
        held = np.zeros(len(self), bool)
        rng = np.random.default_rng(seed)
        for digit in range(10):
            of_it = np.flatnonzero(self.labels == digit)
            count = max(1, len(of_it) // HELD_BACK) if len(of_it) >= FEWEST else 0
            held[rng.permutation(of_it)[:count]] = True
        return OwnDigits(self.images[~held], self.labels[~held]), OwnDigits(self.images[held], self.labels[held])


def together(parts: Iterable[OwnDigits]) -> OwnDigits:
    """All of the parts as one."""
    empty = OwnDigits(np.zeros((0, drawing.SIZE, drawing.SIZE), np.uint8), np.zeros(0, np.int64))
    parts = [empty, *parts]
    return OwnDigits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


@dataclasses.dataclass(frozen=True)
class DigitSet:
    """A set by its folder; holds nothing that is not on disk."""

    path: pathlib.Path

    @property
    def name(self) -> str:
        return self.path.name

    def begun(self) -> str:
        """The day on which the set was begun, as 2026-11-25; "" where that is not known."""
        try:
            note: dict[str, Any] = parse_json((self.path / NOTE).read_bytes())
        except (OSError, ValueError):  # it is for people to know, and nothing goes by it
            return ""
        return str(note.get("begun", ""))[:10]

    def files(self) -> list[tuple[pathlib.Path, int]]:
        """The images and what they are, by digit and then by when they were added."""
        found = []
        with oserror_as(DatasetError, f"The set {self.name} cannot be read", FileNotFoundError):
            for digit in range(10):
                folder = self.path / str(digit)
                names = sorted(os.listdir(folder)) if folder.is_dir() else []
                found += [(folder / name, digit) for name in names if not name.startswith(".")]
        return found

    def state(self) -> int:
        """A number that changes with the set's images."""
        with oserror_as(DatasetError, f"The set {self.name} cannot be read"):
            return hash(tuple((self.place(path), path.stat().st_mtime_ns) for path, _ in self.files()))

    def counts(self) -> list[int]:
        """How many there are of each digit, 0 to 9."""
        labels = [digit for _, digit in self.files()]
        return [labels.count(digit) for digit in range(10)]

    def add(self, digit: int, ink: Pixels) -> pathlib.Path:
        """Keep the ink (H, W), uint8, 255 where it is strongest, as that digit; the file that it is in.

        Raises DatasetError for a set that is full, and for ink without any.
        """
        self.check_room(1)
        return self._add(digit, to_png(ink))

    def adding(self, digits: Sequence[tuple[int, bytes]]) -> Iterator[pathlib.Path]:
        """Keep all of these, each with its ink from `to_png`, or none: where one cannot be kept, or the iterator is
        closed before its end, those before it are removed. Raises DatasetError.
        """
        self.check_room(len(digits))
        added: list[pathlib.Path] = []
        try:
            for digit, png in digits:
                added.append(self._add(digit, png))
                yield added[-1]
            added = []
        finally:
            for path in added:
                with contextlib.suppress(OSError):
                    path.unlink()

    def check_room(self, count: int) -> None:
        """Raises DatasetError where the set cannot take so many more."""
        there = len(self.files())
        if there + count > MOST:
            raise DatasetError(f"The set {self.name} can have {MOST:,} digits, and has {there:,}: begin another.")

    def _add(self, digit: int, png: bytes) -> pathlib.Path:
        stamp = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"
        path = self.path / str(digit) / f"{stamp}.png"
        with oserror_as(DatasetError, f"The digit cannot be kept in {self.path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as fresh:
                fresh.write_bytes(png)
        return path

    def place(self, path: pathlib.Path) -> str:
        """The image's place in the set, such as "4/20261125-173713-000001-1a2b.png"."""
        return path.relative_to(self.path).as_posix()

    def remove(self, name: str) -> None:
        """Remove one image by its place in the set."""
        if name not in map(self.place, (path for path, _ in self.files())):
            raise DatasetError(f"There is no image {quoted(name)} in the set {self.name}.")
        with oserror_as(DatasetError, f"The image {name} cannot be removed"):
            (self.path / name).unlink(missing_ok=True)

    def load(self, image: str = "") -> OwnDigits:
        """All of the set, or one image of it, by its place in it.

        Raises DatasetError for an empty set, and for an image that is not there, cannot be read or holds no ink.
        """
        files = [(path, digit) for path, digit in self.files()[: MOST + 1] if not image or self.place(path) == image]
        if image and not files:
            raise DatasetError(f"There is no image {quoted(image)} in the set {self.name}.")
        if not files:
            raise DatasetError(f"The set {self.name} is empty: add some digits first.")
        if len(files) > MOST:
            raise DatasetError(f"The set {self.name} has more than {MOST:,} digits: put some elsewhere.")
        try:
            images = [prepared(path) for path, _ in files]
        except FileNotFoundError as error:
            raise DatasetError(f"The set {self.name} was changed while it was read: try again.") from error
        except (DrawingError, OSError) as error:
            raise DatasetError(f"The set {self.name} cannot be used. {error} Mend or remove the image.") from error
        return OwnDigits(np.stack(images), np.array([digit for _, digit in files], np.int64))


def prepared(path: pathlib.Path) -> Pixels:
    """One image as a network sees it, (28, 28), uint8, made once for each state of the file.

    Raises DrawingError for one that cannot be read or holds no ink, and OSError.
    """
    return _prepared(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2 * MOST)
def _prepared(path: pathlib.Path, _written: int) -> Pixels:
    return drawing.to_mnist(open_image(path))


def to_png(ink: Pixels) -> bytes:
    """The ink (H, W), uint8, 255 where it is strongest, cut out, as the PNG file that a set keeps of it.

    Raises DatasetError for ink without any.
    """
    if not (ink > drawing.FAINTEST * 255).any():
        raise DatasetError("There is no ink to keep: draw a digit.")
    content = io.BytesIO()
    Image.fromarray(cut_out(ink)).save(content, "PNG")
    return content.getvalue()


def cut_out(ink: Pixels) -> Pixels:
    """The ink (H, W) in its box with a blank margin, not larger than SIDE; it is prepared as the whole would be."""
    rows, columns = (np.flatnonzero((ink > drawing.EDGE * 255).any(axis)) for axis in (1, 0))
    box = np.pad(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], MARGIN)
    if max(box.shape) <= SIDE + 2 * MARGIN:
        return box
    image = Image.fromarray(box)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(image)
