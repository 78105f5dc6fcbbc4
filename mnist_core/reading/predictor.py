"""A trained model that reads images: loaded from the shipped weights or from a run.

A model on disk is a safetensors file with a JSON card, or a run's folder; neither can hold code.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mnist_core import evaluation, model, weights
from mnist_core.calibration import Calibration, digit_score
from mnist_core.config import TrainConfig
from mnist_core.dataset import Dataset
from mnist_core.drawing import Pixels
from mnist_core.errors import ModelError
from mnist_core.reading import catalog
from mnist_core.reading.predictions import Predictions
from mnist_core.runs.run_store import RUNS, RunStore


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a model reads in one image: the digit, how likely each of the ten is (they sum to 1), and the runner-up.

    `is_digit` is False where the image looks like no digit at all; the digit is then the one it is least unlike.
    """

    digit: int
    confidence: float
    second: int
    is_digit: bool
    probabilities: list[float]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A network with its weights, in evaluation mode, the config it was trained with, and its calibration.

    `step` is the training step that the weights are of, None where that is not known.
    """

    name: str
    network: nn.Module
    config: TrainConfig
    calibration: Calibration
    step: int | None = None

    def logits(self, images: Tensor) -> Tensor:
        """(N, 10), float32, not calibrated, for images (N, 28, 28), uint8. Raises ModelError if any is not finite."""
        logits = evaluation.logits(self.network, images)
        if not logits.isfinite().all():
            raise ModelError(
                f"The answers of {self.name} are no finite numbers: train it again with a smaller learning rate."
            )
        return logits

    def predict(self, images: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """How likely each digit is, (N, 10), each row summing to 1, and whether each image looks like a digit, (N,).

        `images` (N, 28, 28), uint8, as `drawing.to_mnist` makes them.
        """
        logits = self.logits(torch.from_numpy(np.ascontiguousarray(images)))
        probabilities = (logits / self.calibration.temperature).softmax(1)
        are_digits = digit_score(logits) >= self.calibration.threshold
        return probabilities.numpy(force=True), are_digits.numpy(force=True)

    def predict_one(self, image: Pixels) -> Prediction:
        """What the model reads in one image (28, 28), uint8."""
        batch, are_digits = self.predict(image[None])
        probabilities = batch[0].tolist()
        second, digit = sorted(range(10), key=lambda digit: probabilities[digit])[-2:]
        return Prediction(digit, probabilities[digit], second, bool(are_digits[0]), probabilities)

    def predictions(self, dataset: Dataset) -> Predictions:
        """What the model reads in every image of `dataset`."""
        images = dataset.images.numpy(force=True)
        return Predictions(images, dataset.labels.numpy(force=True), self.predict(images)[0])


def load(name: str = catalog.DEFAULT_MODEL, store: RunStore = RUNS) -> Predictor:
    """The model of that name, shipped or a run's id, on the CPU. Raises ModelError and RunError."""
    entry = catalog.find(name, store)
    network = model.build(entry.config.model, **entry.config.hyperparameters)
    try:
        network.load_state_dict(weights.load(entry.weights, entry.fingerprint))
        step = weights.step_of(entry.weights)
    except (ModelError, RuntimeError) as error:
        raise ModelError(
            f"The weights {entry.weights} are damaged or belong to another network: train again or take another model."
        ) from error
    return Predictor(name, network.eval(), entry.config, _calibration(entry), step)


def _calibration(entry: catalog.Entry) -> Calibration:
    """The entry's; none for a run that has not finished."""
    fields, figures = ("temperature", "threshold"), entry.figures
    try:
        return Calibration(**{field: float(figures[field]) for field in fields if field in figures})
    except (TypeError, ValueError) as error:
        raise ModelError(f"The calibration of {entry.name} is damaged: {error}.") from error
