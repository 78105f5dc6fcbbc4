"""The memory and the disk that a training takes, predicted from its config, and whether this machine has them."""

from __future__ import annotations

import dataclasses
import functools
import math
import pathlib
import shutil
from typing import Any

from mnist_core import device
from mnist_core.config import TEST_IMAGES, TRAINING_IMAGES, TrainConfig
from mnist_core.errors import RunError
from mnist_core.files import oserror_as
from mnist_core.text import data_size

FLOAT, HALF = 4, 2  # bytes of a number
PIXELS = 28 * 28
# Numbers that an optimizer keeps of each parameter.
SLOTS = {"sgd": 0, "momentum": 1, "adamw": 2}
# Measured on Linux with torch's build for the CPU: bytes of a process that has imported torch, what it takes more for
# any training, and what drawing images that are no digits takes.
PROCESS, TRAINING, BACKGROUND = 490_000_000, 230_000_000, 430_000_000
ACTIVATIONS = 1.0  # times the layers' outputs: with what the backward pass needs beside them
# Times a batch's images as float32: while it is looked up and normalised, and while it is augmented.
COPIES = {"none": 2, "affine": 10, "handwriting": 17}


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Bytes that a training takes at the most: `memory` of its process, `disk` of its run's folder.

    On a GPU, most of `memory` is the GPU's.
    """

    memory: int
    disk: int


@dataclasses.dataclass(frozen=True)
class _Sizes:
    """Counts of a network's numbers.

    `outputs` of all layers for one image, `widest`: the input and output of one layer for it, at the most; `kept`: of
    the first layer's weights in the history; `snapshot`: of the network at one step along the way.
    """

    parameters: int
    outputs: int
    widest: int
    kept: int
    snapshot: int


def predict(config: TrainConfig) -> Footprint:
    """What a training of the config takes on a CPU: within a quarter of what `benchmarks.memory` measures."""
    from mnist_core.evaluation import BATCH
    from mnist_core.runs import snapshots, weight_history

    sizes = _sizes(config.model, tuple(config.hyperparameters.items()))
    slots = SLOTS[config.optimizer]
    batch = config.batch_size * FLOAT * (ACTIVATIONS * sizes.outputs + COPIES[config.augment] * PIXELS)
    evaluated = min(BATCH, max(config.validation_images, TEST_IMAGES[config.data])) * FLOAT * sizes.widest
    images = (TRAINING_IMAGES[config.data] + TEST_IMAGES[config.data] + config.background_images) * PIXELS
    weights = FLOAT * sizes.parameters
    memory = (
        PROCESS
        + TRAINING
        + images
        + weights * (4 + slots)  # the gradient, the checkpoint, and the next one while it takes the place of that
        + weights * (bool(config.start_from) + bool(config.distillation))  # the model it goes on from, and the teacher
        + max(batch, evaluated, BACKGROUND if config.background else 0)
    )
    state = weights * (2 + slots)  # with the checkpoint
    replaced = state if config.epochs > 1 else weights  # what lies twice on the disk while the new one is written
    base = weights * bool(config.start_from)
    kept = sizes.kept * min(config.epochs + 1, weight_history.KEPT)
    history = HALF * (
        kept + sizes.snapshot * snapshots.count(config.epochs * config.steps_per_epoch, config.report_every)
    )
    return Footprint(round(memory), weights + state + replaced + base + history)


def check(config: TrainConfig, folder: pathlib.Path) -> None:
    """Raises RunError where this machine has less than a training of the config takes that keeps its files in `folder`.

    What a run's folder holds already, of a training that goes on, counts as free.
    """
    needed = predict(config)
    free = device.free_memory(config.device)
    if needed.memory - PROCESS > free:  # the process that is kept ready has its part already
        raise RunError(
            f"This training takes {data_size(needed.memory)} of memory, and {data_size(free)} are free: try a smaller "
            "network or batch, or close something."
        )
    with oserror_as(RunError, f"A run cannot be saved in {folder}"):
        there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        free = shutil.disk_usage(there).free + sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if needed.disk > free:
        raise RunError(
            f"This training takes {data_size(needed.disk)} of disk in {folder}, and {data_size(free)} are free: try a "
            "smaller network, or free some space."
        )


@functools.lru_cache(maxsize=256)
def _sizes(name: str, hyperparameters: tuple[tuple[str, Any], ...]) -> _Sizes:
    from mnist_core import model
    from mnist_core.runs import snapshots, weight_history

    network = model.skeleton(name, **dict(hyperparameters))
    rows = model.summary(network)
    outputs = [math.prod(row.output_shape) for row in rows]
    return _Sizes(
        parameters=sum(row.parameters for row in rows),
        outputs=sum(outputs),
        widest=max(math.prod(row.input_shape) + output for row, output in zip(rows, outputs, strict=True)),
        kept=weight_history.kept_units(network).numel(),
        snapshot=snapshots.size(network),
    )
