import numpy as np
import pytest
import torch
from torchvision.transforms.functional import InterpolationMode, rotate

from mnist_core.augmentation import augment
from mnist_core.augmentation.augment import affine, handwriting


def block() -> torch.Tensor:
    images = torch.zeros(200, 28, 28, dtype=torch.uint8)
    images[:, 9:19, 12:16] = 255
    return images


def test_each_image_changes_in_its_own_way_within_the_range():
    torch.manual_seed(0)
    images = block()
    changed = affine(images)
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 255 + 1e-3
    assert len({tuple(image.flatten().tolist()) for image in changed}) == len(images)
    assert images.float().mean(0).equal(images[0].float())  # what it was given is as it was


def test_the_ink_stays_in_the_image_and_near_its_place():
    torch.manual_seed(0)
    images = block().float()
    changed = affine(images)
    # scaling changes the area by (1 +- SCALE) squared at the most; a little more for the bilinear edge
    ratio = changed.sum((1, 2)) / images.sum((1, 2))
    assert ratio.min() > (1 - augment.SCALE) ** 2 * 0.9
    assert ratio.max() < (1 - augment.SCALE) ** -2 * 1.1
    rows = (changed.sum(2) @ torch.arange(28.0)) / changed.sum((1, 2))
    assert (rows - 13.5).abs().max() < augment.SHIFT * 1.5
    assert (rows - 13.5).std() > 0.5  # and does move


def test_with_nothing_to_change_nothing_changes(monkeypatch):
    for strength in ("ROTATION", "SCALE", "SHEAR", "SHIFT"):
        monkeypatch.setattr(augment, strength, 0.0)
    images = block()
    assert affine(images).numpy() == pytest.approx(images.numpy(), abs=0.1)


def test_a_seed_gives_the_same_changes():
    torch.manual_seed(3)
    first = affine(block())
    torch.manual_seed(3)
    assert torch.equal(first, affine(block()))


def test_a_turned_image_is_torchvisions(monkeypatch):
    for strength in ("SCALE", "SHEAR", "SHIFT"):
        monkeypatch.setattr(augment, strength, 0.0)
    monkeypatch.setattr(torch, "rand", lambda *size: torch.ones(size))  # the furthest turn, for every image
    images = block()[:2].float()
    theirs = rotate(images, augment.ROTATION, InterpolationMode.BILINEAR)
    assert affine(images).numpy() == pytest.approx(theirs.numpy(), abs=0.01)


def labels_of(images):
    return torch.ones(len(images), dtype=torch.int64)


@pytest.mark.parametrize("parts", [*([part] for part in augment.PARTS), augment.PARTS])
def test_handwriting_changes_each_image_and_leaves_what_it_was_given(parts):
    torch.manual_seed(0)
    images = block()
    changed = handwriting(images, labels_of(images), parts)
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.isfinite().all()
    assert changed.min() >= 0
    assert changed.max() <= 255 + 1e-3
    assert len({tuple(image.flatten().tolist()) for image in changed}) == len(images)
    assert torch.equal(images, block())


def test_handwriting_is_of_mnists_size_and_in_the_middle():
    torch.manual_seed(0)
    images = torch.zeros(200, 28, 28)
    images[:, 2:26, 12:17] = 255  # 24 pixels tall, which become 20
    changed = handwriting(images, labels_of(images), ["affine", "elastic"])
    rows = (changed > 80).any(2).sum(1)
    columns = (changed > 80).any(1).sum(1)
    longer = torch.maximum(rows, columns).float()
    assert longer.mean().item() == pytest.approx(20, abs=1.5)
    centre = changed.sum(1) @ (torch.arange(28) + 0.5) / changed.sum((1, 2))
    assert centre.mean().item() == pytest.approx(14.5, abs=0.2)  # as MNIST's is
    assert (centre - 14.5).abs().max() < augment.JITTER + 0.7


def test_handwriting_of_no_part_only_brings_to_mnists_form(monkeypatch):
    monkeypatch.setattr(augment, "JITTER", 0.0)
    monkeypatch.setattr(augment, "ZOOM", 0.0)
    images = torch.zeros(2, 28, 28)
    images[:, 1:26, 2:12] = 255  # 25 by 10 pixels
    changed = handwriting(images, labels_of(images), [])
    assert np.ptp(changed.numpy(), axis=0).max() == pytest.approx(0, abs=1e-2)
    assert (changed[0] > 127).any(1).sum().item() == pytest.approx(20, abs=1)
    assert (changed[0] > 127).any(0).sum().item() == pytest.approx(8, abs=1)
    assert changed[0, 14, 14].item() == pytest.approx(255)


def test_an_elastic_displacement_is_smooth_and_as_strong_as_it_says():
    torch.manual_seed(0)
    bend = augment._elastic(torch.zeros(2_000, 28, 28)) * 28 / 2  # in pixels
    # strengths are even between 0 and BEND, so that their mean square is a third of BEND's
    assert bend.std().item() == pytest.approx(augment.BEND / 3**0.5, rel=0.05)
    steps = bend.diff(dim=3).std().item()
    assert steps < bend.std().item() / augment.SMOOTHNESS * 1.5


def test_strokes_become_thinner_and_thicker():
    torch.manual_seed(0)
    images = torch.zeros(400, 28, 28)
    images[:, 4:24, 12:15] = 255
    area = augment._rethickened(images).sum((1, 2)) / images.sum((1, 2))
    assert area.min() < 0.9
    assert area.max() > 1.3


def test_an_image_without_ink_stays_one():
    blank = torch.zeros(5, 28, 28, dtype=torch.uint8)
    assert handwriting(blank, labels_of(blank), ["affine", "elastic", "thickness"]).abs().max() == 0


@pytest.mark.parametrize("name", [name for name, change in augment.AUGMENTATIONS.items() if change])
def test_every_augmentation_of_a_config_takes_images_and_labels(name):
    torch.manual_seed(0)
    images = block()
    change = augment.AUGMENTATIONS[name]
    assert change(images, labels_of(images)).shape == images.shape
