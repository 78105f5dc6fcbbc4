"""The images to learn from: MNIST or the built-in sample, split by seed, and served in batches.

MNIST is 55 MB, so a whole split is one uint8 tensor on the device; a batch is a look-up by index, normalised at once.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from mnist_core import mnist_files
from mnist_core.config import TRAINING_IMAGES, TrainConfig

SAMPLE = pathlib.Path(__file__).with_name("sample.npz")
AUGMENTED_AT_ONCE = 512  # images
NO_DIGIT = 10  # label of a training image that is no digit
# Mean and standard deviation of MNIST's training pixels, as shares of full white.
MEAN, STD = 0.1307, 0.3081
_BLACK = torch.tensor(-MEAN / STD)  # a black pixel, normalised

# Images (B, 28, 28), uint8, and their labels (B,), to changed images (B, 28, 28), 0 to 255.
Augmentation = Callable[[Tensor, Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Images (N, 28, 28), uint8, white ink 255 on black 0, and their labels (N,), int64, 0 to 9 or NO_DIGIT."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Dataset":
        """The images and labels at `index`, a slice or int64 numbers (B,)."""
        if isinstance(index, slice):
            return Dataset(self.images[index], self.labels[index])
        # much faster on a CPU than indexing with a tensor
        return Dataset(self.images.index_select(0, index), self.labels.index_select(0, index))

    def __add__(self, other: "Dataset") -> "Dataset":
        return Dataset(torch.cat([self.images, other.images]), torch.cat([self.labels, other.labels]))

    def to(self, device: torch.device) -> "Dataset":
        return Dataset(self.images.to(device), self.labels.to(device))


@dataclasses.dataclass(frozen=True)
class Splits:
    """The three parts of a data set. The test images are always the same ones."""

    train: Dataset
    validation: Dataset
    test: Dataset


def load(config: TrainConfig) -> Splits:
    """The config's data on the CPU, split by its seed.

    Raises DatasetError if MNIST is neither there nor to be had.
    """
    trainable = _load_sample()[0] if config.data == "sample" else _load_mnist("train")
    order = torch.randperm(len(trainable), generator=torch.Generator().manual_seed(config.seed))
    held_out = config.validation_images
    return Splits(
        train=trainable[order[held_out:]], validation=trainable[order[:held_out]], test=load_test(config.data)
    )


def load_test(data: str) -> Dataset:
    """The test images of "mnist" or "sample", on the CPU. Raises DatasetError."""
    return _load_sample()[1] if data == "sample" else _load_mnist("t10k")


def _load_mnist(part: str) -> Dataset:
    folder = mnist_files.find_or_download()
    return Dataset(
        torch.from_numpy(mnist_files.read(folder / f"{part}-images-idx3-ubyte")),
        torch.from_numpy(mnist_files.read(folder / f"{part}-labels-idx1-ubyte")).long(),
    )


@functools.cache
def _load_sample() -> tuple[Dataset, Dataset]:
    """scikit-learn's 1,797 digits, 8 x 8 pixels each, brought to MNIST's form.

    Read from a file: scikit-learn and `drawing.to_mnist` take six seconds for them, in each process. A test has the
    file equal what they give, and says how it is written.
    """
    with np.load(SAMPLE) as sample:
        everything = Dataset(torch.from_numpy(sample["images"]), torch.from_numpy(sample["labels"]).long())
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0))
    trainable = TRAINING_IMAGES["sample"]
    return everything[order[:trainable]], everything[order[trainable:]]


def normalise(images: Tensor) -> Tensor:
    """Images as a network takes them: (B, 1, 28, 28), float32, with mean 0 and deviation 1 over MNIST.

    `images` (B, 28, 28), uint8 or float32, 0 to 255.
    """
    # (image / 255 - mean) / deviation, in one pass
    return torch.add(_BLACK, images.unsqueeze(1), alpha=1 / (255 * STD))


class Batches:
    """A loader over a data set in memory: batches of normalised images (B, 1, 28, 28) and labels (B,).

    Shuffled again each time it is iterated, by torch's global random state as a DataLoader is. The last batch holds
    what is left.
    """

    def __init__(
        self, dataset: Dataset, batch_size: int, shuffle: bool = False, augment: Augmentation | None = None
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.augment = augment

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = self.batch_size
        order = torch.randperm(len(self.dataset)).to(self.dataset.labels.device) if self.shuffle else None
        # several batches at once, as an augmentation costs almost as much for a few images as for many
        chunk = max(1, AUGMENTED_AT_ONCE // size) * size if self.augment else size
        for start in range(0, len(self.dataset), chunk):
            index = slice(start, start + chunk) if order is None else order[start : start + chunk]
            part = self.dataset[index]
            images = self.augment(part.images, part.labels) if self.augment else part.images
            images = normalise(images)
            for begin in range(0, len(images), size):
                yield images[begin : begin + size], part.labels[begin : begin + size]
