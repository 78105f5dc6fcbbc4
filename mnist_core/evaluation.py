"""What a network answers, and how well."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_core import dataset
from mnist_core.dataset import NO_DIGIT

BATCH = 1_000  # images; bounds the memory that evaluating takes


class Loader(Protocol):
    """Batches of normalised images (B, 1, 28, 28), float32, and labels (B,), int64, on the network's device.

    Labels are 0 to 9, in a training also NO_DIGIT.

    `dataset.Batches` is one; `device.DeviceDataLoader` makes one of a DataLoader.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Means over images: the cross-entropy in nats, and the share that is read right, 0 to 1."""

    loss: float
    accuracy: float


class Tally:
    """Sums up batches. What a batch adds is worked out only when the mean is asked for, many batches at a time.

    The mean is over the digits alone; `images` counts those that are none as well.
    """

    def __init__(self) -> None:
        self.images = 0
        self._digits = 0
        self._loss = 0.0
        self._right = 0
        self._batches: list[tuple[Tensor, Tensor]] = []

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """One batch: logits (B, 10) and labels (B,)."""
        self.images += len(labels)
        self._batches.append((logits.detach(), labels))

    def merge(self, other: "Tally") -> None:
        """Add all that the other one has summed up."""
        other._sum_up()
        self.images += other.images
        self._digits += other._digits
        self._loss += other._loss
        self._right += other._right

    @property
    def has_digits(self) -> bool:
        """Whether there is anything to take the mean over."""
        self._sum_up()
        return self._digits > 0

    def mean(self) -> Evaluation:
        self._sum_up()
        return Evaluation(self._loss / max(1, self._digits), self._right / max(1, self._digits))

    def _sum_up(self) -> None:
        if not self._batches:
            return
        logits, labels = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        is_digit = labels != NO_DIGIT
        logits, labels = logits[is_digit], labels[is_digit]
        self._digits += len(labels)
        self._loss += F.cross_entropy(logits, labels, reduction="sum").item()
        self._right += int((logits.argmax(1) == labels).sum())
        self._batches = []


def evaluate(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Evaluation:
    """Loss and accuracy over all of a loader's batches, with the network in evaluation mode."""
    return measure(*logits_and_labels(network, batches))


def logits_and_labels(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Logits (N, 10) and labels (N,) over all of a loader's batches, with the network in evaluation mode."""
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        pairs = [(network(images), labels) for images, labels in batches]
    network.train(was_training)
    logits, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return logits, labels


def logits(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (N, 10), float32, on the network's device, for images (N, 28, 28), uint8, anywhere."""
    place = next(network.parameters()).device
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        parts = [network(dataset.normalise(part.to(place))) for part in torch.split(images, BATCH)]
    network.train(was_training)
    return torch.cat(parts)


def measure(logits: Tensor, labels: Tensor) -> Evaluation:
    """Loss and accuracy of logits (N, 10) where `labels` (N,) is the truth."""
    tally = Tally()
    tally.add(logits, labels)
    return tally.mean()
