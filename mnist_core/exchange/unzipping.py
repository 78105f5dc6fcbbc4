"""Taking the files of a run's folder out of a zip file that anybody may have made.

Nothing that the zip says of itself is trusted: names are looked up, not followed, and sizes are counted while reading.
"""

import os
import pathlib
import re
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

from mnist_core.errors import RunError
from mnist_core.runs.run_store import is_id

MOST_UNPACKED = 256 * 2**20  # bytes of all files together
MOST_OF_ONE = 2**20  # bytes of a file but for those of WHOLE
MOST_RATIO = 100  # times as large as the zip itself may be what is in it, from 1 MB on
MOST_ENTRIES = 64
DIRECTORY = MOST_ENTRIES * 1_024  # bytes of the zip's list of entries, so that no long list is even read
CHUNK = 2**16
END, LARGE_END = 22, 20  # bytes of the record that ends a zip, and of the one before it in large ones

WHOLE = ("metrics.jsonl", "weights.safetensors", "state.safetensors")  # as large as all together may be
TAKEN = ("config.json", "status.json", "about.json", *WHOLE)
NEEDED = ("config.json", "status.json", "metrics.jsonl", "weights.safetensors")
# What a run's folder holds beside these, and what file managers add when they pack one.
LEFT_OUT = re.compile(r"lock|stop|pause|lr|log\.txt|deleted|tensorboard(/.*)?|\.DS_Store|\._.*")
_PICKLE = re.compile(r".*\.(pkl|pickle|pt|pth|bin|joblib)", re.IGNORECASE)


def unzip(file: BinaryIO, name: str, folder: pathlib.Path) -> str:
    """Write the run's files that are in the zip `file`, called `name`, into `folder`.

    Returns the folder's name in the zip, which is a run's id, or "" where the files lie in none. Raises RunError for a
    zip that holds anything else, or more than there may be.
    """
    _check_directory(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            places = _places(archive, name)
            allowed = max(MOST_OF_ONE, min(MOST_UNPACKED, MOST_RATIO * file.seek(0, os.SEEK_END)))
            for entry, target in places.items():
                most = allowed if target in WHOLE else min(allowed, MOST_OF_ONE)
                allowed -= _extract(archive, entry, folder / target, most, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError) as error:
        raise RunError(f"{name} is cut or damaged: {error or 'it ends too early'}.") from error
    return _top(list(places))


def _check_directory(file: BinaryIO, name: str) -> None:
    """Raises RunError for a file that does not end as a small zip does: with where its list is, and how long."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END - LARGE_END))
    end = file.read()
    if len(end) < END or not end[-END:].startswith(b"PK\x05\x06"):
        raise RunError(f"{name} is cut, or no zip file that this app can read: pack the run's folder anew.")
    if end.startswith(b"PK\x06\x07"):  # what large zips end with stands before, and counts instead
        raise RunError(
            f"{name} is a large zip, or a file of torch.save, which can hold code: only the zip of a run's folder or "
            "safetensors are taken."
        )
    entries, length, comment = struct.unpack("<10xHI4xH", end[-END:])
    if comment:  # another end may stand in it, which counts instead
        raise RunError(f"{name} is no zip file that this app can read: pack the run's folder anew.")
    if entries > MOST_ENTRIES or length > DIRECTORY:
        raise RunError(f"{name} holds more than the files of one run: pack the folder of one run.")


def _places(archive: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, str]:
    """What each entry that is taken is called in the run's folder."""
    entries = [entry for entry in archive.infolist() if not entry.filename.startswith("__MACOSX/")]
    for entry in entries:
        _check_name_and_kind(entry, name)
    top = _top(entries)
    if top and not is_id(top):
        raise RunError(f"{name} holds the folder {top[:100]!r}, whose name is no run's id.")
    places: dict[zipfile.ZipInfo, str] = {}
    for entry in entries:
        path = entry.filename
        inner = path.removeprefix(f"{top}/") if top else path
        if not inner or LEFT_OUT.fullmatch(inner):
            continue
        if _PICKLE.fullmatch(inner):
            raise RunError(f"{name} holds a pickle, {path[:100]!r}, which can run code: only safetensors are taken.")
        if inner not in TAKEN:
            raise RunError(f"{name} holds a file that is not a run's: {path[:100]!r}.")
        if inner in places.values():
            raise RunError(f"{name} holds {inner} twice.")
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RunError(f"{name} is packed in a way that this app cannot read: pack it as a plain zip.")
        places[entry] = inner
    for needed in NEEDED:
        if needed not in places.values():
            raise RunError(f"{name} lacks {needed}: pack the whole folder of a run.")
    return places


def _check_name_and_kind(entry: zipfile.ZipInfo, name: str) -> None:
    path = entry.filename
    if path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path) or re.match(r"[A-Za-z]:", path):
        raise RunError(f"{name} holds a file that would be written outside of the run's folder: {path[:100]!r}.")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RunError(f"{name} holds a link or a device, {path[:100]!r}: only plain files are taken.")


def _top(entries: list[zipfile.ZipInfo]) -> str:
    """The one folder in which all entries lie; "" if they do not."""
    names = {entry.filename.partition("/")[0] if "/" in entry.filename else "" for entry in entries}
    return names.pop() if len(names) == 1 else ""


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: pathlib.Path, most: int, name: str) -> int:
    """Write one entry, of no more than `most` bytes; returns how many there were."""
    count = 0
    with archive.open(entry) as source, open(target, "xb") as sink:
        while chunk := source.read(CHUNK):
            count += len(chunk)
            if count > most:
                raise RunError(
                    f"{name} holds more than it may: unpacked, at most {MOST_UNPACKED // 2**20} MB and {MOST_RATIO} "
                    f"times the size of the zip are taken, and {MOST_OF_ONE // 2**20} MB of any other file than "
                    f"{', '.join(WHOLE)}."
                )
            sink.write(chunk)
    return count
