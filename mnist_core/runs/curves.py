"""Following a run's records while they grow, in the memory of a picture however long the run is."""

import math
import os
import pathlib
import threading
from typing import BinaryIO

from mnist_core.errors import RunError
from mnist_core.files import oserror_as
from mnist_core.records import End, Epoch, Record, Resume, Start, Step
from mnist_core.runs import metrics_file
from mnist_core.runs.metrics_file import DamagedRecords

MOST_POINTS = 300  # of one curve; more cannot be seen and only cost time
TAIL = 200  # bytes, more than a line
SMOOTHING = 50  # steps over which a smoothed curve forgets


class Curve:
    """Points (x, y) in the order of x, never more than `most`: when it is full, neighbours are merged by their mean."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most = most
        self._merged = 1  # points that each of `_points` stands for
        self._points: list[tuple[float, float]] = []
        self._pending: list[tuple[float, float]] = []  # fewer than _merged

    def add(self, x: float, y: float) -> None:
        self._pending.append((x, y))
        if len(self._pending) < self._merged:
            return
        self._points.append(_mean(self._pending))
        self._pending = []
        if len(self._points) == self._most:
            self._points = [_mean(self._points[i : i + 2]) for i in range(0, self._most, 2)]
            self._merged *= 2

    @property
    def points(self) -> list[tuple[float, float]]:
        return self._points + ([_mean(self._pending)] if self._pending else [])


def _mean(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The points as one: their last x, so that a curve never ends before its data, and the mean of their y."""
    return points[-1][0], sum(y for _, y in points) / len(points)


class Smoothed:
    """An exponential moving mean over x, free of the pull towards its start (Kingma and Ba, 2015, section 3)."""

    def __init__(self, forgets: float = SMOOTHING) -> None:
        self._forgets = forgets
        self._x = 0.0
        self._sum = self._weight = 0.0

    def add(self, x: float, y: float) -> float:
        """Take in one more point; returns the mean so far."""
        kept = math.exp(-max(0.0, x - self._x) / self._forgets)
        self._x = x
        self._sum = kept * self._sum + (1 - kept) * y
        self._weight = kept * self._weight + (1 - kept)
        return self._sum / self._weight if self._weight else y


class History:
    """What a run's records say, kept up to date by reading on from where the last look ended.

    It takes the same memory however long the run is. `start`, `step`, `epoch` and `end` are the newest record of each
    kind, None where there is none yet. `damage` is a sentence where the records are damaged, all else then holds what
    stands before it. Several threads may share one.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._offset = 0
        self._file = 0  # its inode
        self._tail = b""  # what stands before the offset
        self.start: Start | Resume | None = None
        self.step: Step | None = None
        self.epoch: Epoch | None = None
        self.end: End | None = None
        self.damage = ""
        self.images_per_s = 0.0  # smoothed
        self.lr: float | None = None  # the highest learning rate, where it was changed while training
        self._smoothed = {name: Smoothed() for name in ("loss", "accuracy", "images_per_s")}
        # The training's, by step, and the same smoothed; the learning rate; by step at epochs' ends the validation's,
        # and that of own digits that are held back. Where the training goes on from a model, those begin with its.
        names = ("loss", "loss_smoothed", "accuracy", "accuracy_smoothed", "lr", "val_loss", "val_accuracy")
        self.curves = {name: Curve() for name in (*names, "own_accuracy")}

    def update(self) -> None:
        """Read what has been added. Raises RunError if the file cannot be read."""
        with self._lock:
            try:
                with (
                    oserror_as(RunError, f"The metrics in {self._path} cannot be read", FileNotFoundError),
                    open(self._path, "rb") as file,
                ):
                    self._read(file)
            except FileNotFoundError:
                self._begin()

    def _read(self, file: BinaryIO) -> None:
        inode = os.fstat(file.fileno()).st_ino
        # a run that is resumed rewrites its file, up to the epoch that it goes on from; an inode may come back
        if inode != self._file or self._before(file) != self._tail or self.damage:
            self._begin()
            self._file = inode
        try:
            records, self._offset = metrics_file.read_open(file, self._offset)
        except DamagedRecords as error:
            records, self._offset, self.damage = error.records, error.offset, str(error)
        self._tail = self._before(file)
        for record in records:
            self._add(record)

    def _before(self, file: BinaryIO) -> bytes:
        """The last bytes that were read, as they stand in the file now."""
        begin = max(0, self._offset - TAIL)
        file.seek(begin)
        return file.read(self._offset - begin)

    def _add(self, record: Record) -> None:
        if record["event"] == "start" or record["event"] == "resume":
            self.start, self.end = record, None
            if record["event"] == "start" and "first_loss" in record:
                self._trace("loss", 0, record["first_loss"])
            if record["event"] == "start" and "val_accuracy" in record:
                self._add_shares(0, record)
        elif record["event"] == "step":
            self._trace("loss", record["step"], record["loss"])
            self._trace("accuracy", record["step"], record["accuracy"])
            self.curves["lr"].add(record["step"], record["lr"])
            self.images_per_s = self._smoothed["images_per_s"].add(record["step"], record["images_per_s"])
            self.step = record
        elif record["event"] == "epoch":
            self.curves["val_loss"].add(record["step"], record["val_loss"])
            self._add_shares(record["step"], record)
            self.epoch = record
        elif record["event"] == "lr":
            self.lr = record["lr"]
        else:
            self.end = record

    def _add_shares(self, step: int, record: Start | Epoch) -> None:
        self.curves["val_accuracy"].add(step, record["val_accuracy"])
        if "own_accuracy" in record:
            self.curves["own_accuracy"].add(step, record["own_accuracy"])

    def _trace(self, name: str, step: int, value: float) -> None:
        self.curves[name].add(step, value)
        self.curves[f"{name}_smoothed"].add(step, self._smoothed[name].add(step, value))
