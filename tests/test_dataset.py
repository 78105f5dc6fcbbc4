import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST
from torchvision.transforms.functional import normalize, to_tensor

from mnist_core import dataset, drawing, mnist_files
from mnist_core.config import TrainConfig
from mnist_core.dataset import Batches, Dataset, Sampler
from tests.conftest import needs_mnist


@needs_mnist
def test_mnist_is_split_by_seed_and_the_test_images_stay_apart():
    splits = dataset.load(TrainConfig())
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [50_000, 10_000, 10_000]
    assert splits.train.images.dtype == torch.uint8
    assert splits.train.labels.dtype == torch.int64
    again, other = dataset.load(TrainConfig()), dataset.load(TrainConfig(seed=1, validation_size=5))
    assert torch.equal(again.train.images, splits.train.images)
    assert len(other.validation) == 5
    assert not torch.equal(other.train.labels[:100], splits.train.labels[:100])
    assert torch.equal(other.test.images, splits.test.images)


@needs_mnist
def test_mnist_is_what_torchvision_reads():
    theirs = MNIST(mnist_files.root(), train=False)
    ours = dataset.load(TrainConfig()).test
    assert torch.equal(ours.images, theirs.data)
    assert torch.equal(ours.labels, theirs.targets)
    image = to_tensor(theirs[7][0])
    expected = normalize(image, [dataset.MEAN], [dataset.STD])
    assert torch.allclose(dataset.normalise(ours.images[7:8])[0], expected, atol=1e-6)


@needs_mnist
def test_the_mean_and_deviation_are_mnists():
    folder = mnist_files.find_or_download()
    pixels = mnist_files.read(folder / "train-images-idx3-ubyte") / 255
    assert (pixels.mean(), pixels.std()) == pytest.approx((dataset.MEAN, dataset.STD), abs=5e-5)


def test_the_sample_has_mnists_form():
    splits = dataset.load(TrainConfig(data="sample"))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [1_250, 250, 297]
    images = torch.cat([splits.train.images, splits.validation.images, splits.test.images])
    labels = torch.cat([splits.train.labels, splits.validation.labels, splits.test.labels])
    assert images.shape == (1_797, 28, 28)
    assert torch.bincount(labels).tolist() == np.bincount(load_digits().target).tolist()
    assert (images.flatten(1).max(1).values == 255).all()
    inked = images > 0
    longer = torch.maximum(inked.any(2).sum(1), inked.any(1).sum(1))
    assert (longer <= 20).all()


def test_the_sample_is_made_from_scikit_learns_digits():
    digits = load_digits()
    images = np.stack([drawing.to_mnist((image * 255 / 16).astype(np.uint8)) for image in digits.images])
    # where `drawing` has changed: np.savez_compressed(dataset.SAMPLE, images=images, labels=digits.target.astype("u1"))
    with np.load(dataset.SAMPLE) as sample:
        assert np.array_equal(sample["images"], images)
        assert np.array_equal(sample["labels"], digits.target)


def test_the_parts_of_the_sample_have_no_image_in_common():
    splits = dataset.load(TrainConfig(data="sample", seed=4, validation_size=300))
    parts = [
        {image.numpy().tobytes() for image in part.images} for part in (splits.train, splits.validation, splits.test)
    ]
    assert len(parts[1]) == 300
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts))


def ten() -> Dataset:
    return Dataset(torch.arange(10, dtype=torch.uint8).repeat(784, 1).T.reshape(10, 28, 28), torch.arange(10))


def test_batches_hold_every_image_once_with_its_label():
    batches = Batches(ten(), batch_size=4)
    sizes, order = [], []
    for images, labels in batches:
        assert images.shape[1:] == (1, 28, 28)
        assert torch.equal(images, dataset.normalise(ten().images[labels]))
        sizes.append(len(labels))
        order += labels.tolist()
    assert sizes == [4, 4, 2]
    assert len(batches) == 3
    assert order == list(range(10))


def test_shuffled_batches_differ_each_time_and_repeat_with_the_seed():
    batches = Batches(ten(), batch_size=10, sampler=Sampler(10, 10))
    torch.manual_seed(0)
    first, second = (next(iter(batches))[1].tolist() for _ in range(2))
    torch.manual_seed(0)
    assert next(iter(batches))[1].tolist() == first != second
    assert sorted(first) == sorted(second) == list(range(10))


def test_augmentation_is_applied_before_normalising():
    batches = Batches(ten(), batch_size=10, augment=lambda images, labels: images.float() + 1)
    images, _ = next(iter(batches))
    assert torch.equal(images, dataset.normalise(ten().images + 1))


def test_normalising_leaves_the_images_as_they_were():
    images = torch.rand(2, 28, 28) * 255
    before = images.clone()
    dataset.normalise(images)
    assert torch.equal(images, before)
