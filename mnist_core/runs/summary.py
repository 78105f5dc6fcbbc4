"""All runs in one table: what each was, how far it came, and what it reached.

Nothing in this module needs torch.
"""

import collections
import dataclasses
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mnist_core import metrics, presets
from mnist_core.config import DEFAULTS, RULES, TEST_IMAGES, TrainConfig
from mnist_core.errors import RunError
from mnist_core.runs import metrics_file
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.runs.status import RunState, is_deleted

_FILES = ("config.json", "metrics.jsonl", "status.json", "about.json")  # what a row is made from


@dataclasses.dataclass(frozen=True)
class Row:
    """A run as the table shows it. Shares are 0 to 1, and None where there is no such figure yet.

    `title` is what people call it: its name, or else what was chosen for it (see `title_of`). `differs` says what the
    config has of its own: the preset nearest to it, and the fields that are not as there. `val_accuracy` is the best
    epoch's, `curve` has that of every epoch; `test_interval` is the 95 % interval. `state` is the status's, or DAMAGED
    with a `message`, where nothing but the id counts.
    """

    run: str
    title: str = ""
    name: str = ""
    note: str = ""
    group: str = ""
    state: RunState = RunState.DAMAGED
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

    def to_dict(self) -> dict[str, Any]:
        """All but the curve, as JSON-able values."""
        values = dataclasses.asdict(self) | {"config": self.config.to_dict()}
        del values["curve"]
        return values


def row(run: Run) -> Row:
    """The run's row. What cannot be read makes it a damaged one, whose message says why."""
    try:
        config, status, about = run.config(), run.status(), run.about()
        records = metrics_file.read(run.metrics, steps=False)[0]
        epochs = [record for record in records if record["event"] == "epoch"]
        start = next((record for record in records if record["event"] == "start" or record["event"] == "resume"), None)
        ends = [record for record in records if record["event"] == "end"]
        end: Mapping[str, Any] = ends[-1] if ends else {}
        curve = tuple(record["val_accuracy"] for record in epochs)
        # a run that was made of a model's card has only its end
        seconds = sum(record["seconds"] for record in epochs) if epochs else end.get("seconds")
        images = epochs[-1]["epoch"] * config.training_images if epochs else 0
        test = end.get("test_accuracy")
        return Row(
            run.id,
            title=about.name or title_of(config),
            name=about.name,
            note=about.note,
            group=about.group,
            state=status.state,
            message=status.message,
            since=status.since,
            config=config,
            differs=what_differs(config),
            epochs=len(epochs),
            val_accuracy=max(curve, default=end.get("val_accuracy")),
            test_accuracy=test,
            test_interval=None if test is None else test_interval(config, test),
            parameters=start["parameters"] if start else None,
            seconds=seconds,
            images_per_s=images / seconds if images and seconds else None,
            device=start["device"] if start else "",
            curve=curve,
        )
    except RunError as error:
        return Row(run.id, title=run.id, message=str(error))


class Table:
    """The rows of all runs in a folder; only those that have changed are read again. Safe for several threads.

    Whether a process still trains a run is no change of a file: rows of active runs are read at every look.
    """

    def __init__(self, store: RunStore = RUNS) -> None:
        self._store = store
        self._kept: dict[str, tuple[tuple[int, ...], Row]] = {}

    def rows(self) -> list[Row]:
        """The newest run first; where several have one title, all but the oldest have a number behind it."""
        kept, rows = self._kept, []
        fresh: dict[str, tuple[tuple[int, ...], Row]] = {}
        for run in self._store.runs():
            written = _written(run)
            then, known = kept.get(run.id, ((), None))
            if known is None or then != written or known.state.is_active:
                known = row(run)
            if known.state is RunState.DAMAGED and is_deleted(run.path):  # since it was listed
                continue
            fresh[run.id] = written, known
            rows.append(known)
        self._kept = fresh
        return numbered(rows)


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


def setting(config: TrainConfig, field: str) -> str:
    """The field's value as people write it, a dash where the config's network has no such hyperparameter."""
    return in_words(getattr(config, field)) if field in config.fields else "-"


def title_of(config: TrainConfig) -> str:
    """What was chosen, as a run's name: the network and its size, the learning rate, and what is not the default.

    Such as "mlp 64, lr 0.01" or "cnn 16, lr 0.02, epochs 1"; "cnn taught me" for a model that learnt own digits,
    "cnn taught a 7 of me" for one of them.
    """
    size = [field for field in ("hidden", "width") if field in config.fields]
    if config.start_from:
        learnt = f"taught {', '.join(map(_taught, config.digits))}" if config.digits else "trained on"
        return f"{config.start_from} {learnt}"
    left_out = ("model", "lr", "device", *size)
    chosen = [name for name in config.fields if name not in left_out and getattr(config, name) != DEFAULTS[name]]
    network = " ".join([config.model, *(in_words(getattr(config, field)) for field in size)])
    settings = (f"{name.replace('_', ' ')} {in_words(getattr(config, name))}" for name in ("lr", *chosen))
    return ", ".join([network, *settings])


def _taught(digits: str) -> str:
    """A set of own digits, or one image of it, SET/DIGIT/NAME, in words."""
    name, _, image = digits.partition("/")
    return f"{'an' if image[:1] == '8' else 'a'} {image[:1]} of {name}" if image else name


def numbered(rows: Sequence[Row]) -> list[Row]:
    """The rows, the newest first, with titles of their own: "mlp 64, lr 0.01 (2)" is the second of that title.

    A title that says which run another goes on from has that one's title, not its id.
    """
    made: list[Row] = []
    times: collections.Counter[str] = collections.Counter()
    called: dict[str, str] = {}
    for one in reversed(rows):
        title, base = one.title, one.config.start_from
        if not one.name and base in called:
            title = title.replace(base, called[base])
        times[title] += 1
        if times[title] > 1:
            title = f"{title} ({times[title]})"
        called[one.run] = title
        made.append(one if title == one.title else dataclasses.replace(one, title=title))
    return made[::-1]


def differing(configs: Iterable[TrainConfig]) -> list[str]:
    """The fields that are not the same in all configs, or that some of their networks lack, in TrainConfig's order."""
    configs = list(configs)
    return [name for name in RULES if len({(name in one.fields, getattr(one, name)) for one in configs}) > 1]


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
    """Whether the row contains each of the comma-separated search terms, ignoring case: "cnn, lr 0.1"."""
    said = " ".join((one.run, one.name, one.note, one.group, one.state, one.config.model, one.differs, one.device))
    return all(part.strip() in said.casefold() for part in words.casefold().split(","))
