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
from mnist_core.own_digits.digit_set import OwnDigits

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

    @classmethod
    def of(cls, own: OwnDigits) -> "Dataset":
        """Digits of own sets."""
        return cls(torch.from_numpy(own.images), torch.from_numpy(own.labels))

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


@dataclasses.dataclass(frozen=True)
class Sampler:
    """Which images an epoch takes and in which order, by torch's global random state, as a DataLoader's shuffling is.

    It takes `images` of the first `data` images of a data set, each at most once. Of these, `own` are from those behind
    them instead, whose `labels` are given: each digit that is there as often as any other, again and again.
    """

    data: int
    images: int
    own: int = 0
    labels: Tensor | None = None

    def __len__(self) -> int:
        return self.images

    def __call__(self) -> Tensor:
        order = torch.randperm(self.data)[: self.images - self.own]
        if self.labels is None or not self.own:
            return order
        by_digit = [(self.labels == digit).nonzero()[:, 0] for digit in range(10) if (self.labels == digit).any()]
        turns = torch.arange(self.own)
        chosen = [
            places[torch.randint(len(places), (int((turns % len(by_digit) == turn).sum()),))]
            for turn, places in enumerate(by_digit)
        ]
        mixed = torch.cat([order, *(self.data + places for places in chosen)])
        return mixed[torch.randperm(len(mixed))]


class Batches:
    """A loader over a data set in memory: batches of normalised images (B, 1, 28, 28) and labels (B,).

    With a `sampler`, it has the images drawn anew each time it is iterated. `augment` changes images from number
    `augment_from` of the data set on. The last batch holds what is left.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        sampler: Sampler | None = None,
        augment: Augmentation | None = None,
        augment_from: int = 0,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.augment = augment
        self.augment_from = augment_from

    def __len__(self) -> int:
        return -(-self._images // self.batch_size)

    @property
    def _images(self) -> int:
        return len(self.dataset if self.sampler is None else self.sampler)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = self.batch_size
        order = self.sampler().to(self.dataset.labels.device) if self.sampler else None
        # several batches at once, as an augmentation costs almost as much for a few images as for many
        chunk = max(1, AUGMENTED_AT_ONCE // size) * size if self.augment else size
        for start in range(0, self._images, chunk):
            index = slice(start, start + chunk) if order is None else order[start : start + chunk]
            part = self.dataset[index]
            images = normalise(self._augmented(part, index))
            for begin in range(0, len(images), size):
                yield images[begin : begin + size], part.labels[begin : begin + size]

    def _augmented(self, part: Dataset, index: slice | Tensor) -> Tensor:
        if self.augment is None:
            return part.images
        if not self.augment_from:
            return self.augment(part.images, part.labels)
        numbers = torch.arange(len(self.dataset))[index] if isinstance(index, slice) else index
        chosen = numbers >= self.augment_from
        images = part.images.float()
        images[chosen] = self.augment(part.images[chosen], part.labels[chosen])
        return images
