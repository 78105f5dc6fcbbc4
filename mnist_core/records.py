"""What a training reports: records, one JSON object a line, appended as they come."""

import json
import os
import pathlib
from typing import Any, BinaryIO

from mnist_core.errors import RunError

Record = dict[str, Any]


class Recorder:
    """Appends records to an open file, each a line of its own that is handed to the system at once."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def append(self, record: Record) -> None:
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Return only when all is on the disk."""
        os.fsync(self._file.fileno())


def read_records(path: pathlib.Path, offset: int = 0) -> tuple[list[Record], int]:
    """The whole lines of a metrics file from byte `offset` on, and the offset behind them, to go on reading from.

    A file that is not there holds none. Raises RunError for a line that is no record.
    """
    try:
        with open(path, "rb") as file:
            return read_on(file, offset)
    except FileNotFoundError:
        return [], offset


def read_on(file: BinaryIO, offset: int) -> tuple[list[Record], int]:
    """`read_records` of an open file."""
    file.seek(offset)
    text = file.read()
    end = text.rfind(b"\n") + 1
    try:
        records = [json.loads(line) for line in text[:end].splitlines()]
        if not all(isinstance(record, dict) and "event" in record for record in records):
            raise ValueError("a line is no record")
    except ValueError as error:
        raise RunError(f"The metrics in {file.name} are damaged: {error}.") from error
    return records, offset + end
