"""Whether a folder that came from elsewhere is a run that this app can show, use and go on with."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mnist_core import model, weights
from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, ModelError, RunError
from mnist_core.records import Record, read_records
from mnist_core.runs import status
from mnist_core.runs.run import Run

STATES = ("waiting", "starting", "running", "paused", "finished", "stopped", "diverged", "failed", "interrupted")
# What records hold: the numbers that one of each kind must have, and the types of whatever is known.
NEEDED: dict[str, tuple[str, ...]] = {
    "start": ("parameters", "epochs", "steps"),
    "resume": ("parameters", "epochs", "steps"),
    "step": ("epoch", "step", "loss", "accuracy", "lr", "images_per_s"),
    "epoch": ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds"),
    "lr": ("step", "lr"),
}
NUMBERS = {name for names in NEEDED.values() for name in names} | {
    "first_loss",
    "chosen_epoch",
    "temperature",
    "threshold",
    "changed_accuracy",
    "test_loss",
    "test_accuracy",
}
TEXTS = {"event", "data", "model", "device", "reason", "advice"}
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
        config, said = run.config(), status.said(run.path)
        run.about()
        if said.state not in STATES or not isinstance(said.message, str):
            raise RunError(f"{name} has a status that this app does not know: {str(said.state)[:100]!r}.")
        _check_metrics(run, name, said.state)
        check_weights(weights.load(run.weights, run.fingerprint()), config, name)
        if run.state.exists():
            _check_state(weights.load(run.state, run.fingerprint()), config, name)
    except ModelError as error:
        raise RunError(f"{name} holds weights that are damaged or belong to another run.") from error
    except RecursionError as error:
        raise RunError(f"{name} is damaged: what it holds is nested too deep.") from error
    if said.is_active or said.state == "starting":
        run.set_status("interrupted", "It was being trained when it was packed: Resume goes on from its last epoch.")
    elif not said.is_resumable:
        run.state.unlink(missing_ok=True)


def _check_metrics(run: Run, name: str, state: str) -> None:
    path = run.path / "metrics.jsonl"
    try:
        records, whole = read_records(path)
    except RunError as error:
        raise RunError(f"{name} has damaged metrics: a line is no record.") from error
    with open(path, "rb+") as file:
        file.truncate(whole)
    for number, record in enumerate(records, start=1):
        if problem := _problem(record):
            raise RunError(f"{name} has damaged metrics: line {number:,} {problem}.")
    if state == "finished" and (not records or records[-1].get("reason") != "finished"):
        raise RunError(f"{name} has metrics that end before its training did.")


def _problem(record: Record) -> str:
    """What is wrong with a record; empty if nothing is."""
    for field, value in record.items():
        if field in NUMBERS and not _is_number(value):
            return f"has no number as {field}"
        if field in TEXTS and not isinstance(value, str):
            return f"has no text as {field}"
    if not isinstance(record.get("environment", {}), dict):
        return "has no environment"
    for field in NEEDED.get(record["event"], ()):
        if field not in record:
            return f"lacks {field}"
    return ""


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) <= 2**53)


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
    steps = config.epochs * config.steps_per_epoch
    done = {"data": config.data, "epoch": config.epochs, "step": steps}
    start = {"event": "start", "data": config.data, "model": config.model, "device": card.get("device", "")}
    start |= {"parameters": _parameters(config), "epochs": config.epochs, "steps": steps}
    given = card.get("lr_changes", [])
    if not isinstance(given, list) or not all(isinstance(change, dict) for change in given):
        raise RunError(f"{name} has a damaged card: its lr_changes are no list of changes.")
    changes = [{"event": "lr"} | {field: one[field] for field in NEEDED["lr"] if field in one} for one in given]
    end = {"event": "end", "reason": "finished", **done, **{field: card[field] for field in FIGURES if field in card}}
    records = [start, *changes, end]
    for record in records:
        if problem := _problem(record):
            raise RunError(f"{name} has a damaged card: it {problem}.")
    return config, records


def _parameters(config: TrainConfig) -> int:
    with torch.device("meta"):
        network = model.build(config.model, **config.hyperparameters)
    return sum(parameter.numel() for parameter in network.parameters())
