"""The first course's trainings: what each step trains, and which run is whose. Nothing in this module needs torch."""

import dataclasses
from collections.abc import Iterable, Mapping

from mnist_core.config import TrainConfig
from mnist_core.presets import PRESETS
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row

GROUP = "Learn"  # of all runs that the course starts
SAMPLE_EPOCHS = 8  # passes over the sample for each over MNIST, which has some forty times as many images
SAMPLE_RATE = 0.3  # of gradient descent's rate: the sample's digits fill their images, so that its gradients are larger
SAMPLE_BY_HEART = 1_300  # of the sample's 1,500 images held out, where only few are to learn from

_HIDDEN = TrainConfig(hidden=(32,), epochs=3)
_PLAIN = dataclasses.replace(_HIDDEN, optimizer="sgd", schedule="constant", epochs=2)

# By step, and there by a short name.
TRAININGS: Mapping[str, Mapping[str, TrainConfig]] = {
    "linear": {"linear": TrainConfig(model="softmax", epochs=3)},
    "hidden": {"ReLU": _HIDDEN, "no ReLU": dataclasses.replace(_HIDDEN, activation="identity")},
    "descent": {
        "small rate": dataclasses.replace(_PLAIN, lr=0.003),
        "middle rate": dataclasses.replace(_PLAIN, lr=0.3),
        "large rate": dataclasses.replace(_PLAIN, lr=3.0),
    },
    "split": {"by heart": dataclasses.replace(PRESETS["Learning by heart"].config, epochs=15)},
    "classic": {"the classic": PRESETS["The classic"].config},
    "convolution": {"convolutions": TrainConfig(model="cnn", width=8, batch_size=256, lr=0.02, epochs=2)},
}


def trainings(step: str, data: str) -> dict[str, TrainConfig]:
    """What the step trains on "mnist" or "sample", by a short name."""
    return {name: on(config, data) for name, config in TRAININGS[step].items()}


def on(config: TrainConfig, data: str) -> TrainConfig:
    """A config of the course for that data: on the sample with more passes, and rates and a held-out part to fit it."""
    if data == config.data:
        return config
    held_out = None if config.validation_size is None else SAMPLE_BY_HEART
    lr = round(config.lr * SAMPLE_RATE, 6) if config.optimizer == "sgd" else config.lr
    return dataclasses.replace(config, data=data, epochs=config.epochs * SAMPLE_EPOCHS, lr=lr, validation_size=held_out)


def newest(rows: Iterable[Row], config: TrainConfig) -> Row | None:
    """Of `rows`, the newest first, the first of that config that is not damaged; None if there is none."""
    return next((row for row in rows if row.state is not RunState.DAMAGED and row.config == config), None)
