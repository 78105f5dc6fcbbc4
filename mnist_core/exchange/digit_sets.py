"""Sets of own digits taken from one place to another: labelled images from folders and zip files, and a set as a zip.

What is added may come from anybody: it is read as images, one after the other, and what cannot be used is left out with
a sentence; nothing that a zip says of itself is trusted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import lzma
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from PIL import Image

from mnist_core import drawing
from mnist_core.drawing import Pixels
from mnist_core.errors import DatasetError, DrawingError
from mnist_core.files import oserror_as, replacing
from mnist_core.image_files import open_image
from mnist_core.own_digits import digit_set
from mnist_core.own_digits.digit_set import MOST, DigitSet
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.paper import components, page_reading
from mnist_core.text import quoted

MOST_PACKED = 256 * 2**20  # bytes of a zip file
LARGEST = 32 * 2**20  # bytes of one image
MOST_ENTRIES = 2 * MOST  # of a zip file
LISTED = 20  # problems that are said one by one
SEVERAL = 1.1  # of the highest part's height, the width from which several parts are several digits
CELL, COLUMNS = 60, 16  # pixels and images in a row, of a contact sheet
# What zipfile raises for damage, each way of packing in its own way, and for what it cannot unpack.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(NotImplementedError, RuntimeError, ValueError),
)
# What file managers add, and what a set's folder holds beside the images.
LEFT_OUT = re.compile(r"(.*/)?(\..*|Thumbs\.db|desktop\.ini|set\.json)|__MACOSX/.*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Found:
    """Digits and their ink, each as a PNG file, that may be added to a set, and sentences on what was left out."""

    digits: list[tuple[int, bytes]]
    problems: list[str]


def read(source: pathlib.Path | BinaryIO) -> Found:
    """All of `reading` at once."""
    *_, (_, found) = reading(source)
    return found


def reading(source: pathlib.Path | BinaryIO) -> Iterator[tuple[float, Found]]:
    """The labelled images in a folder or a zip file, in which those of a 4 lie in a folder 4.

    Gives the share that is read behind each image, and what is found by then; the last is all. Raises DatasetError
    where there are none, too many, or the source cannot be read.
    """
    found = Found([], [])
    seen: dict[bytes, int] = {}
    for done, name, label, content in _images(source):
        try:
            found.digits.append(_digit(name, label, content, seen))
        except DrawingError as error:
            found.problems.append(str(error))
        if len(found.digits) > MOST:
            raise DatasetError(f"There are more than {MOST:,} images, as many as a set can have: add fewer.")
        yield done, found
    if not found.digits:
        raise DatasetError(" ".join(["There are no images of digits to add.", *found.problems[:1]]))
    if (left := len(found.problems) - LISTED) > 0:
        found.problems[LISTED:] = [f"{left:,} more images."]
    yield 1.0, found


def _digit(name: str, label: int | None, content: BinaryIO, seen: dict[bytes, int]) -> tuple[int, bytes]:
    """The image's label and its ink; `seen` has the labels of all ink so far. Raises DrawingError where it has none."""
    if label is None:
        raise DrawingError(f"{quoted(name)} lies in no folder that is called by a digit, such as 4/one.png.")
    image = open_image(name, content)
    try:
        png = digit_set.to_png(ink_of(image))  # of thousands the ink itself would take gigabytes
    except DrawingError as error:
        raise DrawingError(f"{quoted(name)}: {error}") from error
    earlier = seen.setdefault(hashlib.sha256(png).digest(), label)
    if earlier != label:
        raise DrawingError(f"{quoted(name)} is there as a {earlier}, too: only one of them can be right.")
    return label, png


def ink_of(image: Image.Image) -> Pixels:
    """The ink of the one digit in an image, cut out. Raises DrawingError for none, and for several."""
    ink = digit_set.cut_out(drawing.follow_photo(image).ink)
    if _holds_several(image):
        raise DrawingError("There are several digits in the image: cut them apart first.")
    return ink


def _holds_several(image: Image.Image) -> bool:
    """Whether there are parts that are about as high as each other, and together too wide for one digit."""
    grey = components.resized(drawing.brightness(image), page_reading.SIDE)
    try:
        boxes = [part.box for row in page_reading.find_rows(grey) for part in row]
    except DrawingError:  # what is no number on a page may still be a digit
        return False
    highest = max((bottom - top for _, top, _, bottom in boxes), default=0)
    large = [box for box in boxes if box[3] - box[1] > highest / 2]
    width = max((box[2] for box in large), default=0) - min((box[0] for box in large), default=0)
    return len(large) > 1 and width > SEVERAL * highest


def _images(source: pathlib.Path | BinaryIO) -> Iterator[tuple[float, str, int | None, BinaryIO]]:
    """Share, name, label and content of each image; the label is None where no folder says it."""
    if isinstance(source, pathlib.Path) and source.is_dir():
        paths = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*")) if path.is_file()}
        paths = {name: path for name, path in paths.items() if not LEFT_OUT.fullmatch(name)}
        for number, (name, path) in enumerate(paths.items(), 1):
            label = _label(pathlib.PurePosixPath(source.resolve().name, name))
            with oserror_as(DatasetError, f"{path} cannot be read"), open(path, "rb") as content:
                yield number / len(paths), name, label, content
        return
    name = str(source if isinstance(source, pathlib.Path) else getattr(source, "name", "The file"))
    with contextlib.ExitStack() as stack:
        file = source
        if isinstance(file, pathlib.Path):
            with oserror_as(DatasetError, f"{source} cannot be read"):
                file = stack.enter_context(open(file, "rb"))
        if file.seek(0, io.SEEK_END) > MOST_PACKED:
            raise DatasetError(f"{name} is larger than {MOST_PACKED // 2**20} MB: add it in parts.")
        file.seek(0)
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            entries = [entry for entry in entries if not LEFT_OUT.fullmatch(entry.filename)]
            if len(entries) > MOST_ENTRIES:
                raise DatasetError(f"{name} holds more than {MOST_ENTRIES:,} files: add it in parts.")
            for number, entry in enumerate(entries, 1):
                with archive.open(entry) as packed_file:
                    unpacked = packed_file.read(LARGEST + 1)
                if len(unpacked) > LARGEST:
                    raise DatasetError(f"{name} holds {quoted(entry.filename)}, which is larger than an image may be.")
                label = _label(pathlib.PurePosixPath(entry.filename))
                yield number / len(entries), entry.filename, label, io.BytesIO(unpacked)
        except DAMAGE as error:
            raise DatasetError(f"{name} is neither a folder nor a whole zip file: {error}.") from error


def _label(path: pathlib.PurePosixPath) -> int | None:
    """The digit that the image's folder is called by."""
    folder = path.parent.name
    return int(folder) if re.fullmatch("[0-9]", folder) else None


def keep(digits: Sequence[tuple[int, bytes]], name: str, store: DigitStore) -> int:
    """All of `keeping` at once; how many are added."""
    *_, (_, added) = keeping(digits, name, store)
    return added


def keeping(digits: Sequence[tuple[int, bytes]], name: str, store: DigitStore) -> Iterator[tuple[float, int]]:
    """Add the digits to the set of that name, a new one where there is none.

    Gives the share that is added behind each, and how many are by then. Raises DatasetError, and then none is added;
    nor is any where the iterator is closed before its end.
    """
    for number, _ in enumerate(store.open_or_create(name).adding(digits), 1):
        yield number / len(digits), number


def export(kept: DigitSet, path: pathlib.Path) -> None:
    """Write the set to `path`, a new .zip file. Raises DatasetError."""
    if path.suffix != ".zip":
        raise DatasetError(f"{path} must end in .zip.")
    with oserror_as(DatasetError, f"The set {kept.name} cannot be written to {path}"), replacing(path) as fresh:
        fresh.write_bytes(packed(kept))


def packed(kept: DigitSet) -> bytes:
    """The set as a zip file. Raises DatasetError for an empty one."""
    files = kept.files()
    if not files:
        raise DatasetError(f"The set {kept.name} is empty: there is nothing to take along.")
    content = io.BytesIO()
    with (
        oserror_as(DatasetError, f"The set {kept.name} cannot be read"),
        zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive,  # a PNG is as small as it gets
    ):
        for path, _ in files:
            archive.write(path, f"{kept.name}/{path.relative_to(kept.path).as_posix()}")
    return content.getvalue()


def write_contact_sheet(kept: DigitSet, path: pathlib.Path) -> None:
    """Draw all digits of the set as a network sees them, each digit's in rows of their own. Raises DatasetError."""
    own = kept.load()
    rows = [
        own.images[of_it][start : start + COLUMNS]
        for digit in range(10)
        if (of_it := own.labels == digit).any()
        for start in range(0, int(of_it.sum()), COLUMNS)
    ]
    sheet = Image.new("L", (COLUMNS * CELL, len(rows) * CELL), 48)
    for down, row in enumerate(rows):
        for across, image in enumerate(row):
            large = Image.fromarray(image).resize((CELL - 4, CELL - 4), Image.Resampling.NEAREST)
            sheet.paste(large, (across * CELL + 2, down * CELL + 2))
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"The sheet cannot be written to {path}: {error}.") from error
