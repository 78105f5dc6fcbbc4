"""What a training reports: records, one JSON object a line, appended as they come."""

import json
import os
import pathlib
from typing import Any, BinaryIO

from mnist_core.errors import RunError
from mnist_core.text import parse_json

Record = dict[str, Any]
LONGEST = 65_536  # bytes of a record that ends a training, with room to spare


class Recorder:
    """Appends records to an open file, each a line of its own that is handed to the system at once.

    A record with a number that is not finite, which JSON cannot hold, raises ValueError.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def append(self, record: Record) -> None:
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Return only when all is on the disk."""
        os.fsync(self._file.fileno())


class DamagedRecords(RunError):  # noqa: N818  # a state of the file
    """A metrics file with a line that is no record. `records` are those before it, which end at byte `offset`."""

    def __init__(self, message: str, records: list[Record], offset: int) -> None:
        super().__init__(message)
        self.records = records
        self.offset = offset


def read_records(path: pathlib.Path, offset: int = 0) -> tuple[list[Record], int]:
    """The whole lines of a metrics file from byte `offset` on, and the offset behind them, to go on reading from.

    A file that is not there holds none. Raises DamagedRecords, a RunError, at a line that is no record.
    """
    try:
        with open(path, "rb") as file:
            return read_on(file, offset)
    except FileNotFoundError:
        return [], offset
    except OSError as error:
        raise RunError(f"The metrics in {path} cannot be read: {error.strerror}.") from error


def read_milestones(path: pathlib.Path) -> list[Record]:
    """The records of a metrics file but for its many "step"s, which are not even parsed: for a list of many runs.

    A file that is not there holds none. Raises RunError for a line that is no record.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"The metrics in {path} cannot be read: {error.strerror}.") from error
    lines = text[: text.rfind(b"\n") + 1].splitlines()
    try:
        return [_record(line) for line in lines if b'"event": "step"' not in line]
    except ValueError as error:
        raise RunError(f"The metrics in {path} are damaged: {error}.") from error


def read_on(file: BinaryIO, offset: int) -> tuple[list[Record], int]:
    """`read_records` of an open file."""
    file.seek(offset)
    text = file.read()
    records: list[Record] = []
    for line in text[: text.rfind(b"\n") + 1].splitlines(keepends=True):
        try:
            records.append(_record(line))
        except ValueError as error:
            message = f"The metrics in {file.name} are damaged from byte {offset:,} on, and read up to there: {error}."
            raise DamagedRecords(message, records, offset) from error
        offset += len(line)
    return records, offset


def read_end(path: pathlib.Path) -> Record:
    """The record that ended a training: the last line of its metrics file, {} if that is no such record.

    Only the file's end is read. Raises RunError if it cannot be.
    """
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST))
            lines = file.read().splitlines()
        record = _record(lines[-1]) if lines else {}
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise RunError(f"The metrics in {path} cannot be read: {error.strerror}.") from error
    return record if record.get("event") == "end" else {}


def _record(line: bytes) -> Record:
    record = parse_json(line)
    if "event" not in record:
        raise ValueError("a line is no record")
    return record
