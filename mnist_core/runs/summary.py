"""All runs in one table: what each was, how far it came, and what it reached.

Nothing in this module needs torch.
"""

import collections
import dataclasses
import os
import pathlib
import statistics
from collections.abc import Iterable
from typing import Any

from mnist_core import metrics, presets
from mnist_core.config import TEST_IMAGES, TrainConfig
from mnist_core.errors import RunError
from mnist_core.records import read_milestones
from mnist_core.runs.run import RUNS_DIR, Run, list_runs

DAMAGED = "damaged"  # the state of a run that cannot be read
_FILES = ("config.json", "metrics.jsonl", "status.json", "about.json")  # what a row is made from


@dataclasses.dataclass(frozen=True)
class Row:
    """A run as the table shows it. Shares are 0 to 1, and None where there is no such figure yet.

    `differs` says what the config has of its own: the preset nearest to it, and the fields that are not as there.
    `val_accuracy` is the best epoch's, `curve` has that of every epoch; `test_interval` is the 95 % interval.
    `state` is the status's, or "damaged" with a `message`, where nothing but the id counts.
    """

    run: str
    name: str = ""
    note: str = ""
    group: str = ""
    state: str = DAMAGED
    message: str = ""
    since: str = ""
    config: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    differs: str = ""
    epochs: int = 0
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    test_interval: tuple[float, float] | None = None
    parameters: int | None = None
    seconds: float | None = None
    images_per_s: float | None = None
    device: str = ""
    curve: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """What people call the run: its name, or else its id."""
        return self.name or self.run

    def to_dict(self) -> dict[str, Any]:
        """All but the curve, as JSON-able values."""
        values = dataclasses.asdict(self) | {"config": self.config.to_dict()}
        del values["curve"]
        return values


def row(run: Run) -> Row:
    """The run's row. What cannot be read makes it a damaged one, whose message says why."""
    try:
        config, status, about = run.config(), run.status(), run.about()
        records = read_milestones(run.path / "metrics.jsonl")
        epochs = [record for record in records if record["event"] == "epoch"]
        start = next((record for record in records if record["event"] in ("start", "resume")), {})
        end = next((record for record in reversed(records) if record["event"] == "end"), {})
        curve = tuple(float(record["val_accuracy"]) for record in epochs)
        # a run that was made of a model's card has only its end
        seconds = float(sum(record["seconds"] for record in epochs)) if epochs else end.get("seconds")
        images = epochs[-1]["epoch"] * config.training_images if epochs else 0
        test = end.get("test_accuracy")
        return Row(
            run.id,
            about.name,
            about.note,
            about.group,
            state=status.state,
            message=status.message,
            since=status.since,
            config=config,
            differs=what_differs(config),
            epochs=len(epochs),
            val_accuracy=max(curve, default=end.get("val_accuracy")),
            test_accuracy=test,
            test_interval=None if test is None else test_interval(config, test),
            parameters=start.get("parameters"),
            seconds=seconds,
            images_per_s=images / seconds if images and seconds else None,
            device=start.get("device", ""),
            curve=curve,
        )
    except RunError as error:
        return Row(run.id, message=str(error))
    except (KeyError, TypeError, ValueError) as error:
        return Row(run.id, message=f"The metrics of run {run.id} are damaged: {error!r}.")


class Table:
    """The rows of all runs in a folder, of which only those are read anew that have changed. Safe for several threads.

    Whether a process still trains a run is no change of a file: rows of active runs are read at every look.
    """

    def __init__(self, runs_dir: pathlib.Path = RUNS_DIR) -> None:
        self._runs_dir = runs_dir
        self._kept: dict[str, tuple[tuple[int, ...], Row]] = {}

    def rows(self) -> list[Row]:
        """The newest run first."""
        kept, rows = self._kept, []
        fresh: dict[str, tuple[tuple[int, ...], Row]] = {}
        for run in list_runs(self._runs_dir):
            written = _written(run)
            then, known = kept.get(run.id, ((), None))
            if known is None or then != written or known.state in ("waiting", "running", "paused"):
                known = row(run)
            fresh[run.id] = written, known
            rows.append(known)
        self._kept = fresh
        return rows


def _written(run: Run) -> tuple[int, ...]:
    """What changes with each of the run's files."""
    stamps: list[int] = []
    for name in _FILES:
        try:
            stat = os.stat(f"{run.path}/{name}")
            stamps += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamps.append(0)
    return tuple(stamps)


def test_interval(config: TrainConfig, accuracy: float) -> tuple[float, float]:
    """The 95 % interval of an accuracy on the test images of the config's data."""
    images = TEST_IMAGES[config.data]
    return metrics.interval(round(accuracy * images), images)


def what_differs(config: TrainConfig) -> str:
    """The preset nearest to the config, and what is not as there: "The classic, lr 0.1"; seed and device apart."""
    name, fields = presets.nearest(config)
    return ", ".join([name, *(f"{field} {in_words(getattr(config, field))}" for field in fields)])


def in_words(value: Any) -> str:
    """A field's value as people write it."""
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else "by default" if value is None else str(value)


def titles(rows: Iterable[Row]) -> dict[str, str]:
    """What to call each run beside others, by its id: its name, or else what its config has of its own.

    Where that is not enough to tell them apart, the seed comes behind it, and then the id's end.
    """
    rows = list(rows)
    called = {one.run: one.name or one.differs for one in rows}
    for more in (lambda one: f"seed {one.config.seed}", lambda one: one.run.rpartition("-")[2]):
        times = collections.Counter(called.values())
        for one in rows:
            if times[called[one.run]] > 1:
                called[one.run] = f"{called[one.run]}, {more(one)}"
    return called


def differing(configs: Iterable[TrainConfig]) -> list[str]:
    """The fields in which the configs are not all the same, in TrainConfig's order."""
    dicts = [config.to_dict() for config in configs]
    return [name for name in (dicts[0] if dicts else ()) if any(values[name] != dicts[0][name] for values in dicts)]


@dataclasses.dataclass(frozen=True)
class Repeated:
    """Runs of one config that differ in their seed alone: the mean of a figure and its standard deviation.

    The deviation is the sample's, with one less than the number of runs, and None for a single run.
    """

    rows: tuple[Row, ...]
    mean: float
    deviation: float | None


def same_but_for_seed(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows by config, whatever the seed, in the order of first mention."""
    groups: dict[TrainConfig, list[Row]] = {}
    for one in rows:
        groups.setdefault(dataclasses.replace(one.config, seed=0), []).append(one)
    return list(groups.values())


def over_seeds(rows: Iterable[Row], figure: str = "test_accuracy") -> list[Repeated]:
    """The figure of the rows of each config, whatever the seed; rows that do not have it are left out."""
    repeated = []
    for group in same_but_for_seed(one for one in rows if getattr(one, figure) is not None):
        values = [float(getattr(one, figure)) for one in group]
        deviation = statistics.stdev(values) if len(values) > 1 else None
        repeated.append(Repeated(tuple(group), statistics.fmean(values), deviation))
    return repeated


def matches(one: Row, words: str) -> bool:
    """Whether the row says of itself, in any case, all that `words` name with commas between: "cnn, lr 0.1"."""
    said = " ".join((one.run, one.name, one.note, one.group, one.state, one.config.model, one.differs, one.device))
    return all(part.strip() in said.casefold() for part in words.casefold().split(","))
