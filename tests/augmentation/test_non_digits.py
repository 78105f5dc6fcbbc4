import pytest
import torch

from mnist_core.augmentation import non_digits

DIGITS = torch.randint(0, 256, (30, 28, 28), dtype=torch.uint8)
LABELS = torch.arange(10).repeat(3)


@pytest.mark.parametrize("kind", non_digits.SHARES)
def test_each_kind_is_ink_in_the_image(kind):
    torch.manual_seed(0)
    images = non_digits.draw(kind, 120, DIGITS, LABELS)
    assert images.shape == (120, 28, 28)
    assert images.dtype == torch.uint8
    assert (images.amax((1, 2)) > 150).all()
    assert len({image.numpy().tobytes() for image in images}) > 10


def test_all_kinds_in_their_shares():
    assert sum(non_digits.SHARES.values()) == pytest.approx(1)
    torch.manual_seed(0)
    assert len(non_digits.background(1_003, DIGITS, LABELS)) == 1_003


def test_none_is_none():
    assert non_digits.background(0, DIGITS, LABELS).shape == (0, 28, 28)


def test_a_seed_gives_the_same_background():
    torch.manual_seed(7)
    first = non_digits.background(50, DIGITS, LABELS)
    torch.manual_seed(7)
    assert torch.equal(first, non_digits.background(50, DIGITS, LABELS))


def test_every_stroke_of_the_letters_is_on_the_grid():
    for name, text in {**non_digits.LETTERS, **non_digits.SHAPES}.items():
        for line in text.split(","):
            assert len(line) % 2 == 0, name
            assert len(line) >= 4, name
            assert set(line[::2]) <= set("abcde"), name
            assert set(line[1::2]) <= set("0123456"), name
