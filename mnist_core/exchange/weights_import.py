"""Weights that were exported with their card, made into the folder of a run that ended as the card says."""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from mnist_core import records
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError, RunError
from mnist_core.records import Record
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.text import parse_json

# What a card has of a training's last record, and what it must have.
FIGURES = ("chosen_epoch", "temperature", "threshold", "val_accuracy", "changed_accuracy", "test_accuracy", "seconds")
NEEDED_FIGURES = ("val_accuracy", "test_accuracy", "seconds")


def find(entries: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of the two files of weights that were exported with their card; None where there are others."""
    weights = [entry for entry in entries if entry.endswith(".safetensors")]
    card = weights[0].removesuffix(".safetensors") + ".json" if weights else ""
    return (weights[0], card) if entries.keys() == {*weights[:1], card} else None


def make_run(content: bytes, card: bytes, name: str, folder: pathlib.Path) -> None:
    """Fill `folder` with a run that ended as the `card` of these weights, in safetensors, says.

    `name` is what messages call the file that they come from. Raises RunError where one of the two is damaged or the
    other's.
    """
    from mnist_core import weights

    config, made = _from_card(card, name)
    run = Run(folder)
    (folder / "config.json").write_text(config.to_json(), encoding="utf-8")
    with run.recorder() as recorder:
        for record in made:
            recorder.append(record)
    run.weights.write_bytes(content)
    with saying(f"{name} is damaged", folder):
        weights.save(run.weights, weights.load(run.weights), run.fingerprint())
    run.set_status(RunState.FINISHED)


def _from_card(card: bytes, name: str) -> tuple[TrainConfig, list[Record]]:
    """The config in a card that `model_card.export` wrote, and the records of a training that ended as it says."""
    from mnist_core import model

    try:
        values = parse_json(card)
        config = TrainConfig.from_dict(values["config"])
        figures = {field: values[field] for field in FIGURES if field in (*values, *NEEDED_FIGURES)}
        parameters = model.count_parameters(model.skeleton(config.model, **config.hyperparameters))
        steps = config.epochs * config.steps_per_epoch
        begun = {"data": config.data, "model": config.model, "device": values.get("device", "")}
        start = {**begun, "parameters": parameters, "epochs": config.epochs, "steps": steps}
        changes = [{**change, "event": "lr"} for change in values.get("lr_changes", [])]
        end = {"reason": "finished", "data": config.data, "epoch": config.epochs, "step": steps, **figures}
        made = [records.check(record) for record in ({"event": "start", **start}, *changes, {"event": "end", **end})]
    except KeyError as error:
        raise RunError(f"{name} has a card without {error}: take the card that was exported with it.") from error
    except (ValueError, TypeError, LabError) as error:
        raise RunError(f"{name} has a damaged card: {error}") from error
    return config, made


@contextlib.contextmanager
def saying(what: str, folder: pathlib.Path) -> Iterator[None]:
    """Begin what is wrong with a run in `folder`, whose name nobody knows, with `what`."""
    try:
        yield
    except LabError as error:
        raise RunError(f"{what}: {str(error).replace(f'{folder}{os.sep}', '')}") from error
