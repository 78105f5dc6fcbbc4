"""A trained model that answers: loaded from the shipped weights or from a run.

A model on disk is a safetensors file with a JSON card, or a run's folder; neither can hold code.
"""

import dataclasses
import datetime
import json
import pathlib
import platform

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mnist_core import catalog, evaluation, model, weights
from mnist_core.config import TrainConfig
from mnist_core.dataset import Dataset
from mnist_core.drawing import Pixels
from mnist_core.errors import ModelError, RunError
from mnist_core.predictions import Predictions
from mnist_core.run import RUNS_DIR, Run, replacing


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model reads in one image: the digit, and how likely each of the ten is (they sum to 1)."""

    digit: int
    confidence: float
    probabilities: list[float]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A network with its weights, in evaluation mode, and the config it was trained with."""

    name: str
    network: nn.Module
    config: TrainConfig

    def probabilities(self, images: Pixels) -> npt.NDArray[np.float32]:
        """(N, 10), each row summing to 1, for images (N, 28, 28), uint8, as `drawing.to_mnist` makes them."""
        logits = evaluation.predict(self.network, torch.from_numpy(np.ascontiguousarray(images)))
        result: npt.NDArray[np.float32] = logits.softmax(1).numpy(force=True)
        return result

    def read_all(self, dataset: Dataset) -> Predictions:
        """What the model reads in every image of `dataset`."""
        images = dataset.images.numpy(force=True)
        return Predictions(images, dataset.labels.numpy(force=True), self.probabilities(images))

    def answer(self, image: Pixels) -> Answer:
        """What the model reads in one image (28, 28), uint8."""
        probabilities = self.probabilities(image[None])[0].tolist()
        digit = int(np.argmax(probabilities))
        return Answer(digit, probabilities[digit], probabilities)


def load(name: str = catalog.DEFAULT_MODEL, runs_dir: pathlib.Path = RUNS_DIR) -> Predictor:
    """The model of that name, shipped or a run's id, on the CPU. Raises ModelError and RunError."""
    path = catalog.weights_path(name, runs_dir)
    config = catalog.config_of(name, runs_dir)
    network = model.build(config.model, **config.hyperparameters)
    try:
        network.load_state_dict(weights.load(path))
    except (ModelError, RuntimeError) as error:
        raise ModelError(
            f"The weights {path} are damaged or belong to another network: train again or take another model."
        ) from error
    return Predictor(name, network.eval(), config)


def export(run: Run, path: pathlib.Path) -> None:
    """Write a finished run's weights to `path` with a JSON card beside them that says how they were made.

    Raises RunError for a run that has not finished, and ModelError for a path that cannot be written or has another
    suffix than .safetensors.
    """
    if path.suffix != ".safetensors":
        raise ModelError(f"{path} must end in .safetensors; the card goes beside it, as .json.")
    records = run.records()
    end = next((record for record in records if record["event"] == "end"), None)
    start = next((record for record in records if record["event"] == "start"), None)
    if not end or not start or end["reason"] != "finished":
        raise RunError(f"The run {run.id} has not finished: only a finished run can be exported.")
    config = run.config()
    content = {
        "name": path.stem,
        "command": " ".join(["python -m mnist_core train", *config.flags()]),
        "config": config.to_dict(),
        # made by hand while it trained; with any of them, the command alone does not make the same weights
        "lr_changes": [{"step": record["step"], "lr": record["lr"]} for record in records if record["event"] == "lr"],
        "parameters": start["parameters"],
        "device": start["device"],
        "seconds": round(end["seconds"], 1),
        "val_accuracy": end["val_accuracy"],
        "test_accuracy": end["test_accuracy"],
        "seeds": 1,
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    tensors = weights.load(run.weights)
    try:
        weights.save(path, tensors)
        with replacing(path.with_suffix(".json")) as fresh:
            fresh.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror}.") from error
