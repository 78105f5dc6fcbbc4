"""Finished runs made into a model file: weights as safetensors, with a JSON card of how they were made.

The shipped models are such files.
"""

import dataclasses
import datetime
import json
import pathlib
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mnist_core import presets, weights
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError, RunError
from mnist_core.files import oserror_as, replacing
from mnist_core.reading import catalog, predictor
from mnist_core.reading.pen_strokes import DrawnDigits
from mnist_core.records import End
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore


def export(runs: Sequence[Run], path: pathlib.Path, drawn: DrawnDigits | None = None) -> None:
    """Write a finished run's weights to `path`, with a card beside them.

    `runs` are trainings of one config that differ in their seed. The one is written that reads most validation images,
    as they are and changed as in the training; the card has the figures of all, with `drawn` also how well each reads
    those. Raises RunError for runs that cannot be exported, and ModelError for a path that cannot
    be written or has another suffix than .safetensors.
    """
    _check_suffix(path)
    configs = [run.config() for run in runs]
    ends = [_finished(run) for run in runs]
    for run, config in zip(runs, configs, strict=True):
        if dataclasses.replace(config, seed=configs[0].seed) != configs[0]:
            raise RunError(f"The runs {runs[0].id} and {run.id} differ in more than their seed: export them apart.")
    rows = [_figures(run, config, end, drawn) for run, config, end in zip(runs, configs, ends, strict=True)]
    # as they are and changed as in the training: drawings differ from MNIST as the latter do
    chosen = max(range(len(runs)), key=lambda i: rows[i]["val_accuracy"] + rows[i].get("changed_accuracy", 0.0))
    tensors = weights.load(runs[chosen].weights, runs[chosen].fingerprint())
    _write(path, tensors, _card(path.stem, runs[chosen], ends[chosen], rows, chosen))


def _finished(run: Run) -> End:
    end = run.end()
    if end is None or end["reason"] != "finished":
        raise RunError(f"The run {run.id} has not finished: only a finished run can be exported.")
    return end


def export_shipped(name: str, path: pathlib.Path) -> None:
    """Write the weights of the shipped model of that name to `path`, and its card beside them, as `export` does."""
    _check_suffix(path)
    _write(path, weights.load(catalog.weights_path(name)), catalog.card(name))


def _check_suffix(path: pathlib.Path) -> None:
    if path.suffix != ".safetensors":
        raise ModelError(f"{path} must end in .safetensors; the card goes beside it, as .json.")


def _write(path: pathlib.Path, tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> None:
    with oserror_as(ModelError, f"{path} cannot be written"):
        weights.save(path, tensors)
        with replacing(path.with_suffix(".json")) as fresh:
            fresh.write_text(json.dumps(card, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _figures(run: Run, config: TrainConfig, end: Mapping[str, Any], drawn: DrawnDigits | None) -> dict[str, Any]:
    figures: dict[str, Any] = {"seed": config.seed}
    figures |= {name: end[name] for name in ("val_accuracy", "changed_accuracy", "test_accuracy") if name in end}
    figures["seconds"] = round(end["seconds"], 1)
    if drawn:
        digits = predictor.load(run.id, RunStore(run.path.parent)).predict(drawn.images)[0].argmax(1)
        figures["drawn_accuracy"] = round(drawn.macro_accuracy(digits), 4)
    return figures


def _card(name: str, run: Run, end: Mapping[str, Any], rows: list[dict[str, Any]], chosen: int) -> dict[str, Any]:
    config, records = run.config(), run.records()
    start = next(record for record in records if record["event"] == "start")
    means = {
        f"{figure}_mean": round(statistics.mean(row[figure] for row in rows), 5)
        for figure in ("test_accuracy", "drawn_accuracy")
        if figure in rows[0]
    }
    return {
        "name": name,
        "command": presets.command(config),
        "config": config.to_dict(),
        # made by hand while it trained; with any of them, the command alone does not make the same weights
        "lr_changes": [{"step": record["step"], "lr": record["lr"]} for record in records if record["event"] == "lr"],
        "parameters": start["parameters"],
        "device": start["device"],
        **rows[chosen],
        **{figure: end[figure] for figure in ("chosen_epoch", "temperature", "threshold") if figure in end},
        "seeds": len(rows),
        **means,
        "all_seeds": rows,
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
