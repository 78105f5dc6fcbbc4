"""Teaching a model somebody's own digits: its config, a run with all that it needs, and what came of it.

A training that goes on from a model learns own digits among those of the data (rehearsal: Robins, 1995), so that it
does not forget what everybody else writes.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.model import HYPERPARAMETERS
from mnist_core.own_digits.digit_store import DIGITS, DigitStore
from mnist_core.reading import catalog
from mnist_core.reading.predictions import Indices
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore

if TYPE_CHECKING:
    from mnist_core.reading.predictions import Predictions
    from mnist_core.state import Base, OwnSplit

# What a training takes that goes on from a model with own digits, where nobody says otherwise.
TEACHING: dict[str, Any] = {
    "epoch_images": 2_880,
    "epochs": 2,
    "batch_size": 64,
    "validation_size": 1_000,
    "own_share": 0.6,
    "lr": 0.002,
    "schedule": "one-cycle",
    "augment": "handwriting",
    "distillation": 0.05,
}
# Of a single image: short, and with more weight on what is known.
TEACHING_ONE: dict[str, Any] = {
    **TEACHING,
    "epoch_images": 1_280,
    "epochs": 1,
    "validation_size": 500,
    "own_share": 0.05,
    "lr": 0.001,
    "distillation": 0.2,
}
# Convolutions near the input see strokes, which are the same in every hand: to keep them saves a third of the time.
FROZEN = {"cnn": 1, "convnet": 1, "resnet": 3}
# Of these the model's own values hold: its network, and the images that it was not trained on.
OF_THE_BASE = ("data", "seed", "model", *HYPERPARAMETERS)


def settings(name: str, digits: Sequence[str] = (), store: RunStore = RUNS) -> dict[str, Any]:
    """The fields of a config that goes on from the model `name`, to learn the sets `digits` where there are some.

    Raises ModelError and RunError.
    """
    base = catalog.config_of(name, store)
    if not digits:
        going_on = {field: getattr(base, field) for field in base.fields if field not in ("digits", "judged_by")}
        return {**going_on, "start_from": name}
    values = {field: getattr(base, field) for field in OF_THE_BASE if field in base.fields}
    usual = TEACHING_ONE if len(digits) == 1 and "/" in digits[0] else TEACHING
    values["validation_size"] = min(usual["validation_size"], base.validation_images)
    return {**usual, **values, "start_from": name, "digits": tuple(digits), "frozen": FROZEN.get(base.model, 0)}


def create_run(config: TrainConfig, store: RunStore = RUNS, sets: DigitStore = DIGITS) -> Run:
    """A new run of the config, with the model that it starts from and the own digits it learns in its folder.

    Raises ConfigError where the model is another network, DatasetError for a set that cannot be used, and ModelError
    and RunError.
    """
    if not (config.start_from or config.digits or config.judged_by):
        return store.create(config)
    from mnist_core.runs import inputs

    base, own = _base(config, store), _own(config, sets)

    def fill(folder: pathlib.Path) -> None:
        inputs.write(folder, base, own)

    return store.create(config, fill)


def _base(config: TrainConfig, store: RunStore) -> Base | None:
    if not config.start_from:
        return None
    from mnist_core import weights
    from mnist_core.state import Base

    entry = catalog.find(config.start_from, store)
    for field in ("model", *entry.config.hyperparameters):
        if field != "dropout" and getattr(config, field) != getattr(entry.config, field):
            raise ConfigError(
                "start_from",
                f"{config.start_from} has {field} {getattr(entry.config, field)}, not {getattr(config, field)}: its "
                "weights fit its own network alone.",
            )
    accuracy = entry.figures.get("test_accuracy") if entry.config.data == config.data else None
    return Base(weights.load(entry.weights, entry.fingerprint), accuracy)


def _own(config: TrainConfig, sets: DigitStore) -> OwnSplit | None:
    from mnist_core.state import OwnSplit

    return OwnSplit.of(config, sets) if config.digits or config.judged_by else None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a training did to the own digits that were held back: what was read in them `before` and `after`."""

    before: Predictions
    after: Predictions

    @property
    def won(self) -> Indices:
        """Numbers of the images that are read right only since."""
        return np.flatnonzero(~self.before.right & self.after.right)

    @property
    def lost(self) -> Indices:
        """Numbers of the images that were read right only before."""
        return np.flatnonzero(self.before.right & ~self.after.right)


def outcome(run: Run) -> Outcome | None:
    """Before and after of a run that went on from a model and held own digits back, None for any other.

    Raises ModelError for damaged files, and RunError.
    """
    from mnist_core import model
    from mnist_core.calibration import Calibration
    from mnist_core.dataset import Dataset
    from mnist_core.reading import predictor
    from mnist_core.runs import inputs

    config = run.config()
    base, own = inputs.read_base(run.path), inputs.read_own(run.path)
    if not (base and own and len(own.held_back)):
        return None
    network = model.build(config.model, **config.hyperparameters)
    network.load_state_dict(base.weights)
    held_back = Dataset.of(own.held_back)
    models = (
        predictor.Predictor(config.start_from, network.eval(), config, Calibration()),
        predictor.load(run.id, RunStore(run.path.parent)),
    )
    before, after = (loaded.predictions(held_back) for loaded in models)
    return Outcome(before, after)
