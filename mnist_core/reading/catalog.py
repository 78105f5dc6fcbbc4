"""The models there are to answer: the shipped ones, each with a card of how it was made, and the runs' own.

Nothing in this module needs torch, so that a page can offer the names before torch is imported.
"""

import pathlib
from typing import Any

from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, ModelError, RunError
from mnist_core.runs.run import RUNS_DIR, list_runs, open_run
from mnist_core.text import parse_json

PRETRAINED = pathlib.Path(__file__).parent.parent / "pretrained"
DEFAULT_MODEL = "cnn"


def shipped() -> list[str]:
    """Names of the models that come with the app, the default first."""
    names = sorted(path.stem for path in PRETRAINED.glob("*.safetensors"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def names(runs_dir: pathlib.Path = RUNS_DIR) -> list[str]:
    """Names of all models: the shipped ones, then the runs that have weights, the newest first."""
    return shipped() + [run.id for run in list_runs(runs_dir) if run.weights.exists()]


def weights_path(name: str, runs_dir: pathlib.Path = RUNS_DIR) -> pathlib.Path:
    """The weights of a shipped model or a run. Raises ModelError where there are none yet, RunError for no such run."""
    if name in shipped():
        return PRETRAINED / f"{name}.safetensors"
    try:
        run = open_run(name, runs_dir)
    except RunError as error:
        raise RunError(f"{error} Shipped models are {', '.join(shipped())}.") from error
    if not run.weights.exists():
        raise ModelError(f"The run {name} has no weights yet: its training has not begun.")
    return run.weights


def config_of(name: str, runs_dir: pathlib.Path = RUNS_DIR) -> TrainConfig:
    """The config a model was trained with. Raises ModelError and RunError."""
    if name not in shipped():
        return open_run(name, runs_dir).config()
    try:
        return TrainConfig.from_dict(card(name)["config"])
    except (ConfigError, KeyError, TypeError) as error:
        raise ModelError(f"The card of the shipped model {name} has no config that can be used: {error}.") from error


def card(name: str) -> dict[str, Any]:
    """What is known of a shipped model: how it was made and what it reaches. Raises ModelError."""
    try:
        return parse_json((PRETRAINED / f"{name}.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"The card of the shipped model {name} cannot be read: {error}.") from error
