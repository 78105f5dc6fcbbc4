"""One epoch of the classic, 784-64-10 with SGD, batches of 128, on 50,000 images, and its validation on 10,000.

usual    torchvision's data set with ToTensor, a DataLoader, each batch moved to the device: what most courses show
by hand  the shortest loop over normalised tensors in memory, without any report
fit      mnist_core's, with its reports and its figures of training

All three in one process, `by hand` and `fit` in turn; medians. `fit` also beside processes that are busy with other
work. Needs MNIST.
"""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, random_split
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from benchmarks import busy
from benchmarks.report import parser, print_figures, run
from mnist_core import dataset, mnist_files
from mnist_core.config import TrainConfig
from mnist_core.state import Loaders, TrainState
from mnist_core.trainer import fit

CONFIG = TrainConfig(optimizer="sgd", lr=0.5, schedule="constant", epochs=1, device="cpu")


def classic() -> tuple[nn.Module, torch.optim.Optimizer]:
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    return network, torch.optim.SGD(network.parameters(), lr=0.5)


def usual() -> Callable[[], float]:
    train, validation = random_split(MNIST(mnist_files.root(), transform=ToTensor()), [50_000, 10_000])
    loaders = [DataLoader(train, batch_size=128, shuffle=True), DataLoader(validation, batch_size=1_000)]
    cpu = torch.device("cpu")
    network, optimizer = classic()

    def epoch() -> float:
        for images, labels in loaders[0]:
            images, labels = images.to(cpu), labels.to(cpu)
            loss = F.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            right = sum(int((network(images).argmax(1) == labels).sum()) for images, labels in loaders[1])
        return right / 10_000

    return epoch


def by_hand(splits: dataset.Splits) -> Callable[[], float]:
    images, labels = dataset.normalise(splits.train.images), splits.train.labels
    held_out = dataset.normalise(splits.validation.images)
    network, optimizer = classic()

    def epoch() -> float:
        order = torch.randperm(len(images))
        for start in range(0, len(images), 128):
            index = order[start : start + 128]
            loss = F.cross_entropy(network(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            logits: Tensor = network(held_out)
            return float((logits.argmax(1) == splits.validation.labels).float().mean())

    return epoch


def by_fit() -> Callable[[], float]:
    loaders, state = Loaders.of(CONFIG), TrainState.of(CONFIG)

    def epoch() -> float:
        state.epoch = state.step = 0  # one more epoch of the same network, as by hand
        for record in fit(CONFIG, state, loaders):
            if record["event"] == "epoch":
                return float(record["val_accuracy"])
        raise AssertionError

    return epoch


def seconds(epoch: Callable[[], float]) -> float:
    start = time.perf_counter()
    accuracy = epoch()
    taken = time.perf_counter() - start
    assert accuracy > 0.9, accuracy
    return taken


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=9, help="of `by hand` and `fit`; default 9")
    args = arguments.parse_args()
    hand, ours = by_hand(dataset.load(CONFIG)), by_fit()
    seconds(hand), seconds(ours)  # a first round, not counted
    rounds = [(seconds(hand), seconds(ours)) for _ in range(args.rounds)]
    loaded = {}
    for count, name in busy.COUNTS.items():
        with busy.beside(count):
            loaded[name] = statistics.median(seconds(ours) for _ in range(args.rounds))
    slow = usual()
    figures: dict[str, float | str] = {
        "usual, seconds": seconds(slow),
        "by hand, seconds": statistics.median(hand for hand, _ in rounds),
        "fit, seconds": statistics.median(ours for _, ours in rounds),
    }
    figures["usual / fit"] = float(figures["usual, seconds"]) / float(figures["fit, seconds"])
    figures["fit / by hand"] = statistics.median(ours / hand for hand, ours in rounds)
    for name, taken in loaded.items():
        figures[f"fit, {name}, seconds"] = taken
        figures[f"fit, {name} / idle"] = taken / float(figures["fit, seconds"])
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)
