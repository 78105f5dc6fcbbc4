import pytest
import torch
from torchvision.transforms.functional import InterpolationMode, rotate

from mnist_core import augment
from mnist_core.augment import affine


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
