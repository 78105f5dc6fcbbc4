import numpy as np
import pytest
import torch

from mnist_core import dataset
from mnist_core.course import first_look
from mnist_core.dataset import Dataset


def test_digits_are_counted_and_their_means_are_torchs():
    test = dataset.load_test("sample")
    look = first_look.look(test)
    assert look.counts.sum() == len(test)
    for digit in range(10):
        chosen = test.images[test.labels == digit]
        assert look.counts[digit] == len(chosen)
        assert np.abs(look.means[digit] - chosen.float().mean(0).numpy()).max() <= 0.5
    assert look.blank == pytest.approx(float((test.images == 0).float().mean()))


def test_pixels_by_hand():
    images = torch.zeros(10, 28, 28, dtype=torch.uint8)
    images[3, 0, 0], images[4, 1, 1] = 200, 9
    look = first_look.look(Dataset(images, torch.arange(10)))
    assert (look.darkest, look.brightest) == (0, 200)
    assert look.blank == 1 - 2 / (10 * 784)
    assert look.means[3, 0, 0] == 200


def test_an_image_as_text():
    assert first_look.in_text(np.array([[0, 7], [255, 0]], np.uint8)) == "   ·   7\n 255   ·"
