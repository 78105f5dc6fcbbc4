"""A run's metrics.jsonl: its records, one JSON object a line, appended as they come."""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from mnist_core import records
from mnist_core.errors import RunError
from mnist_core.files import oserror_as
from mnist_core.records import End, Record
from mnist_core.text import parse_json

LONGEST = 65_536  # bytes of the record that ends a training, with room to spare


class DamagedRecords(RunError):  # noqa: N818  # a state of the file
    """A file with a line that is no record. `records` are those before it, which end at byte `offset`."""

    def __init__(self, message: str, records: list[Record], offset: int) -> None:
        super().__init__(message)
        self.records = records
        self.offset = offset


class Recorder:
    """Appends records to an open file, each as a line that is handed to the system at once."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def append(self, record: Record) -> None:
        self._file.write(records.to_json(record) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Return only when all is on the disk."""
        os.fsync(self._file.fileno())


@contextlib.contextmanager
def appending(path: pathlib.Path) -> Iterator[Recorder]:
    """The file, made if it is not there, open to append to."""
    with open(path, "a", encoding="utf-8") as file:
        yield Recorder(file)


def read(path: pathlib.Path, offset: int = 0, steps: bool = True) -> tuple[list[Record], int]:
    """The records in the whole lines from byte `offset` on, and the offset behind them, to go on reading from.

    Without `steps`, records of that kind, which are most of a file, are left out and not even parsed. A file that is
    not there holds no records. Raises DamagedRecords, a RunError, at a line that is no record.
    """
    try:
        with oserror_as(RunError, f"The metrics in {path} cannot be read", FileNotFoundError), open(path, "rb") as file:
            return read_open(file, offset, steps)
    except FileNotFoundError:
        return [], offset


def read_open(file: BinaryIO, offset: int = 0, steps: bool = True) -> tuple[list[Record], int]:
    """`read` of an open file."""
    file.seek(offset)
    text = file.read()
    found: list[Record] = []
    for line in text[: text.rfind(b"\n") + 1].splitlines(keepends=True):
        if steps or not line.startswith(b'{"event": "step"'):
            try:
                found.append(_parse(line))
            except ValueError as error:
                message = f"The metrics in {file.name} are damaged from byte {offset:,} on: {error}."
                raise DamagedRecords(message, found, offset) from error
        offset += len(line)
    return found, offset


def read_end(path: pathlib.Path) -> End | None:
    """The record that ended the training, None where the last line is no such record. Only the file's end is read."""
    try:
        with oserror_as(RunError, f"The metrics in {path} cannot be read", FileNotFoundError), open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST))
            lines = file.read().splitlines()
        record = _parse(lines[-1]) if lines else None
    except (FileNotFoundError, ValueError):
        return None
    return record if record and record["event"] == "end" else None


def _parse(line: bytes) -> Record:
    return records.check(parse_json(line))
