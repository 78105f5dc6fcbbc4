"""What a training takes that is not in its config, kept in the run's folder so that it needs nothing else to go on.

base.safetensors        the model that it goes on from, and what that reads right
own_digits.safetensors  the digits of own sets as they were when the run was made: to learn, and held back
"""

from __future__ import annotations

import pathlib

import torch

from mnist_core import weights
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError
from mnist_core.own_digits.digit_set import OwnDigits
from mnist_core.state import Base, OwnSplit

BASE, OWN = "base.safetensors", "own_digits.safetensors"
_PARTS = ("learnt", "held_back")


def write(folder: pathlib.Path, base: Base | None, own: OwnSplit | None) -> None:
    """Raises OSError."""
    if base:
        tensors = {f"model.{name}": value for name, value in base.weights.items()}
        if base.test_accuracy is not None:
            tensors["test_accuracy"] = torch.tensor(base.test_accuracy, dtype=torch.float64)
        weights.save(folder / BASE, tensors)
    if own:
        parts = {part: getattr(own, part) for part in _PARTS}
        images = {f"{part}.images": torch.from_numpy(digits.images) for part, digits in parts.items()}
        labels = {f"{part}.labels": torch.from_numpy(digits.labels) for part, digits in parts.items()}
        weights.save(folder / OWN, images | labels)


def read_base(folder: pathlib.Path) -> Base | None:
    """The model that a run goes on from, None for none. Raises ModelError for a damaged file."""
    if not (folder / BASE).exists():
        return None
    tensors = weights.load(folder / BASE)
    accuracy = tensors.pop("test_accuracy", None)
    network = {name.removeprefix("model."): value for name, value in tensors.items()}
    return Base(network, None if accuracy is None else float(accuracy))


def own_of(folder: pathlib.Path, config: TrainConfig) -> OwnSplit | None:
    """The own digits that a run of the config learns, None for none. Raises ModelError where they are missing."""
    own = read_own(folder)
    if own is None and (config.digits or config.judged_by):
        raise ModelError(f"The own digits of the training, {folder / OWN}, are missing: train its config again.")
    return own


def read_own(folder: pathlib.Path) -> OwnSplit | None:
    """The own digits of a run, None for none. Raises ModelError for a damaged file."""
    if not (folder / OWN).exists():
        return None
    tensors = weights.load(folder / OWN)
    parts = []
    for part in _PARTS:
        images, labels = tensors.get(f"{part}.images"), tensors.get(f"{part}.labels")
        if (
            images is None
            or labels is None
            or (images.dtype, labels.dtype) != (torch.uint8, torch.int64)
            or images.shape != (len(labels), 28, 28)
            or not ((labels >= 0) & (labels < 10)).all()
        ):
            raise ModelError(f"The file {folder / OWN} holds no own digits.")
        parts.append(OwnDigits(images.numpy(), labels.numpy()))
    return OwnSplit(*parts)
