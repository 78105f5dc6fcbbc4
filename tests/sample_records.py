"""Whole records of each kind, with changes, for tests that need a metrics file."""

from typing import Any


def start(**changes: Any) -> dict[str, Any]:
    made = {"event": "start", "data": "sample", "model": "mlp", "device": "CPU", "parameters": 10, "epochs": 2}
    return made | {"steps": 100, "first_loss": 2.3} | changes


def resume(**changes: Any) -> dict[str, Any]:
    begun = start()
    del begun["first_loss"]
    return begun | {"event": "resume", "epoch": 1, "step": 50} | changes


def step(**changes: Any) -> dict[str, Any]:
    made = {"event": "step", "epoch": 1, "step": 20, "loss": 1.0, "accuracy": 0.5, "lr": 0.1, "images_per_s": 1e5}
    return made | changes


def epoch(**changes: Any) -> dict[str, Any]:
    made = {"event": "epoch", "epoch": 1, "step": 50, "train_loss": 0.5, "train_accuracy": 0.8, "val_loss": 0.4}
    return made | {"val_accuracy": 0.9, "seconds": 1.5} | changes


def end(**changes: Any) -> dict[str, Any]:
    return {"event": "end", "reason": "stopped", "epoch": 1, "step": 60} | changes
