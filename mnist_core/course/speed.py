"""How fast each device of this machine is, measured then and there."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from mnist_core import dataset, device, model
from mnist_core.config import TrainConfig
from mnist_core.dataset import Dataset

SIZE = 1_024  # rows and columns of the matrices
SECONDS = 0.6  # that each measurement goes on for, at least


@dataclasses.dataclass(frozen=True)
class Speed:
    """Of a device, in words: multiply-adds a second of two square matrices' product, and images a second that a
    training step takes in.
    """

    device: str
    multiply_adds_per_s: float
    images_per_s: float


def measure(config: TrainConfig, images: Dataset, seconds: float = SECONDS) -> Iterator[tuple[float, list[Speed]]]:
    """The speed of each device, fastest device first, with the share of the work that is done.

    The training steps are of the config's network with plain gradient descent, on batches of `images` that are on the
    device already. Each first product and step is left out, as a device may prepare itself in them.
    """
    names = device.available()
    found: list[Speed] = []
    for number, name in enumerate(names):
        place = device.pick(name)
        yield number / len(names), list(found)
        products = _products_per_s(place, seconds)
        yield (number + 0.5) / len(names), list(found)
        steps = _images_per_s(config, images, place, seconds)
        found.append(Speed(device.describe(place), products * SIZE**3, steps))
    yield 1.0, found


def _products_per_s(place: torch.device, seconds: float) -> float:
    one, other = (torch.rand(SIZE, SIZE, device=place) for _ in range(2))
    float((one @ other)[0, 0])
    count, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < seconds:
        float((one @ other)[0, 0])  # a number on the CPU: it waits for the device
        count += 1
    return count / taken


def _images_per_s(config: TrainConfig, images: Dataset, place: torch.device, seconds: float) -> float:
    network = model.build(config.model, **config.hyperparameters).to(place)
    optimizer = torch.optim.SGD(network.parameters(), lr=config.lr)
    batches = dataset.Batches(images.to(place), config.batch_size)
    count, begin = 0, 0.0
    while True:
        for pixels, labels in batches:
            loss = F.cross_entropy(network(pixels), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # missing in torch's stubs
            optimizer.step()
            if not begin:
                loss.item()  # the first step is done
                begin = time.perf_counter()
                continue
            count += len(labels)
            if time.perf_counter() - begin >= seconds:
                loss.item()
                return count / (time.perf_counter() - begin)
