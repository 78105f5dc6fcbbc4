"""The models there are to answer: the shipped ones, each with a card of how it was made, and the runs' own.

Nothing in this module needs torch, so that a page can offer the names before torch is imported.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, ModelError, RunError
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.text import parse_json

PRETRAINED = pathlib.Path(__file__).parent.parent / "pretrained"
DEFAULT_MODEL = "cnn"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model on disk: its weights, their config and what tells them from another config's, and its figures.

    `figures` may hold the calibration: `temperature` and `threshold`.
    """

    name: str
    weights: pathlib.Path
    config: TrainConfig
    fingerprint: str
    figures: Mapping[str, Any]


def shipped() -> list[str]:
    """Names of the models that come with the app, the default first."""
    names = sorted(path.stem for path in PRETRAINED.glob("*.safetensors"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def names(store: RunStore = RUNS) -> list[str]:
    """Names of all models: the shipped ones, then the runs that have weights, the newest first."""
    return shipped() + [run.id for run in store.runs() if run.weights.exists()]


def find(name: str, store: RunStore = RUNS) -> Entry:
    """The shipped model or the run of that name. Raises ModelError where there are no weights yet, and RunError."""
    path, config = weights_path(name, store), config_of(name, store)
    if name in shipped():
        return Entry(name, path, config, "", card(name))
    run = store.open(name)
    return Entry(name, path, config, run.fingerprint(), run.end() or {})


def weights_path(name: str, store: RunStore = RUNS) -> pathlib.Path:
    """The weights of a shipped model or a run. Raises ModelError where there are none yet, RunError for no such run."""
    if name in shipped():
        return PRETRAINED / f"{name}.safetensors"
    run = _open_run(name, store)
    if not run.weights.exists():
        raise ModelError(f"The run {name} has no weights yet: its training has not begun.")
    return run.weights


def _open_run(name: str, store: RunStore) -> Run:
    try:
        return store.open(name)
    except RunError as error:
        raise RunError(f"{error} Shipped models are {', '.join(shipped())}.") from error


def config_of(name: str, store: RunStore = RUNS) -> TrainConfig:
    """The config a model was trained with. Raises ModelError and RunError."""
    if name not in shipped():
        return _open_run(name, store).config()
    try:
        return TrainConfig.from_dict(card(name)["config"])
    except (ConfigError, KeyError, TypeError) as error:
        raise ModelError(f"The card of the shipped model {name} has no config that can be used: {error}.") from error


def evaluation() -> list[dict[str, Any]]:
    """What `evaluate --all --json` printed of the shipped models as they are: a `scorecard.measure` each."""
    return [parse_json(line) for line in (PRETRAINED / "evaluation.jsonl").read_bytes().splitlines()]


def card(name: str) -> dict[str, Any]:
    """What is known of a shipped model: how it was made and what it reaches. Raises ModelError."""
    try:
        return parse_json((PRETRAINED / f"{name}.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"The card of the shipped model {name} cannot be read: {error}.") from error
