"""Whether a folder that came from elsewhere is a run that this app can show, use and go on with."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mnist_core import model, records, weights
from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, ModelError, RunError
from mnist_core.records import Record
from mnist_core.runs import metrics_file, status
from mnist_core.runs.metrics_file import DamagedRecords
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import images_an_epoch

# What a card has of a training's last record.
FIGURES = (
    "chosen_epoch",
    "temperature",
    "threshold",
    "val_accuracy",
    "changed_accuracy",
    "test_accuracy",
    "seconds",
)
SLOTS: dict[str, tuple[str, ...]] = {
    "adamw": ("step", "exp_avg", "exp_avg_sq"),
    "momentum": ("momentum_buffer",),
    "sgd": (),
}  # what each optimizer keeps of each parameter


def check(run: Run, name: str) -> None:
    """Make `run`, unpacked from the file called `name`, one that nobody trains, or raise RunError.

    What was being trained when it was packed becomes "interrupted", a last line that was not whole is dropped, and so
    is the state of a run that has ended for good.
    """
    try:
        config, said = run.config(), status.read_written(run.path)
        run.about()
        _check_metrics(run, name, said.state)
        check_weights(weights.load(run.weights, run.fingerprint()), config, name)
        if run.state.exists():
            _check_state(weights.load(run.state, run.fingerprint()), config, name)
    except ModelError as error:
        raise RunError(f"{name} holds weights that are damaged or belong to another run.") from error
    except RecursionError as error:
        raise RunError(f"{name} is damaged: what it holds is nested too deep.") from error
    if said.state.is_active or said.state is RunState.STARTING:
        run.set_status(
            RunState.INTERRUPTED, "It was being trained when it was packed: Resume goes on from its last epoch."
        )
    elif not said.state.is_resumable:
        run.state.unlink(missing_ok=True)


def _check_metrics(run: Run, name: str, state: RunState) -> None:
    try:
        found, whole = metrics_file.read(run.metrics)
    except DamagedRecords as error:
        raise RunError(f"{name} has damaged metrics: line {len(error.records) + 1:,}, {error.__cause__}.") from error
    with open(run.metrics, "rb+") as file:
        file.truncate(whole)
    end = found[-1] if found else None
    if state is RunState.FINISHED and not (end and end["event"] == "end" and end["reason"] == "finished"):
        raise RunError(f"{name} has metrics that end before its training did.")


def check_weights(tensors: Mapping[str, Tensor], config: TrainConfig, name: str) -> None:
    """Raises RunError for tensors that are not the weights of the config's network, or no finite numbers."""
    with torch.device("meta"):  # shapes alone: a network is not built before its weights are known to be there
        network = model.build(config.model, **config.hyperparameters)
    _check_tensors(tensors, network.state_dict(), config, name)


def _check_state(tensors: Mapping[str, Tensor], config: TrainConfig, name: str) -> None:
    """The same for all that a training goes on from."""
    with torch.device("meta"):
        network = model.build(config.model, **config.hyperparameters)
        expected = {f"{part}.{key}": value for part in ("model", "best") for key, value in network.state_dict().items()}
        for index, parameter in enumerate(network.parameters()):
            for slot in SLOTS[config.optimizer]:
                expected[f"optimizer.{index}.{slot}"] = torch.empty(()) if slot == "step" else parameter
        expected["progress"] = torch.empty(4, dtype=torch.float64)
        expected["checkpoint"] = torch.empty(2, dtype=torch.float64)
    _check_tensors(tensors, expected, config, name)
    epoch, step, seconds, lr = tensors["progress"].tolist()
    if not (1 <= epoch <= config.epochs and step >= 0 and seconds >= 0 and lr > 0 and epoch == int(epoch)):
        raise RunError(f"{name} holds the state of another training than its config's.")


def _check_tensors(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], config: TrainConfig, name: str
) -> None:
    forms, wanted = ({key: (value.shape, value.dtype) for key, value in part.items()} for part in (tensors, expected))
    if forms != wanted:
        wrong = next(key for key in [*wanted, *forms] if forms.get(key) != wanted.get(key))
        raise RunError(f"{name} holds tensors that do not fit its config, a {config.model}: {wrong[:100]!r}.")
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            raise RunError(f"{name} holds numbers that are not finite, in {key!r}.")


def from_card(card: Any, name: str) -> tuple[TrainConfig, list[Record]]:
    """The config in a card that `export.export` wrote, and the records of a training that ended as the card says.

    Raises RunError for a card that lacks one of its figures, or whose config cannot be used.
    """
    if not isinstance(card, dict) or not isinstance(card.get("config"), dict):
        raise RunError(f"{name} has a card without a config: take the card that was exported with the weights.")
    try:
        config = TrainConfig.from_dict(card["config"])
    except ConfigError as error:
        raise RunError(f"{name} has a card whose config cannot be used: {error}") from error
    for field in ("val_accuracy", "test_accuracy", "seconds"):
        if field not in card:
            raise RunError(f"{name} has a card that lacks {field}: take the card that was exported with the weights.")
    done = {"data": config.data, "epoch": config.epochs, "step": _steps(config)}
    start = {"event": "start", "data": config.data, "model": config.model, "device": card.get("device", "")}
    start |= {"parameters": _parameters(config), "epochs": config.epochs, "steps": _steps(config)}
    changes = card.get("lr_changes", [])
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise RunError(f"{name} has a damaged card: its lr_changes are no list of changes.")
    end = {"event": "end", "reason": "finished", **done, **{field: card[field] for field in FIGURES if field in card}}
    try:
        return config, [records.check(one) for one in (start, *({"event": "lr"} | one for one in changes), end)]
    except ValueError as error:
        raise RunError(f"{name} has a damaged card: {error}.") from error


def _parameters(config: TrainConfig) -> int:
    with torch.device("meta"):
        network = model.build(config.model, **config.hyperparameters)
    return sum(parameter.numel() for parameter in network.parameters())


def _steps(config: TrainConfig) -> int:
    """How many steps the config's training takes."""
    return math.ceil(images_an_epoch(config) / config.batch_size) * config.epochs
