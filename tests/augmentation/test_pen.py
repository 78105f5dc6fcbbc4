import math

import pytest
import torch

from mnist_core.augmentation import pen


def blank(count=1):
    return torch.zeros(count, 28, 28)


def test_a_stroke_has_its_place_length_and_width():
    image = pen.stroke(blank(), torch.tensor([[[8.0, 10.0], [20.0, 10.0]]]), torch.tensor([4.0]))[0]
    assert image[8:12, 9:19].min() == 255  # two pixels on either side of y = 10
    assert image[:8].max() == 0
    assert image[12:].max() == 0
    # a band of 12 by 4 and a disc of width 4, its round ends
    assert image.sum().item() / 255 == pytest.approx(12 * 4 + math.pi * 2**2, rel=0.03)


def test_a_stroke_of_no_length_is_a_dot():
    image = pen.stroke(blank(), torch.full((1, 2, 2), 14.0), torch.tensor([6.0]))[0]
    assert image.sum().item() / 255 == pytest.approx(math.pi * 3**2, rel=0.05)


def test_a_stroke_only_adds():
    images = torch.rand(3, 28, 28) * 255
    drawn = pen.stroke(images, torch.rand(3, 4, 2) * 28, torch.rand(3) * 3)
    assert (drawn >= images).all()
    assert drawn.max() <= 255


@pytest.mark.parametrize("angle", [0, 20, 45, 70, 90])
@pytest.mark.parametrize("width", [2.0, 3.0, 4.0])
def test_the_width_of_a_pen_is_found(angle, width):
    along = torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))]) * 9
    image = pen.stroke(blank(), torch.stack([14 - along, 14 + along])[None], torch.tensor([width]))
    assert pen.pen_width(image).item() == pytest.approx(width, rel=0.35)


def test_the_box_of_ink():
    images = blank(2)
    images[0, 5:9, 3:20] = 255
    left, top, right, bottom = pen.box(images)
    assert [side[0].item() for side in (left, top, right, bottom)] == [3, 5, 20, 9]
    assert [side[1].item() for side in (left, top, right, bottom)] == [0, 0, 28, 28]


def test_a_curve_passes_its_points_and_is_straight_where_they_are():
    points = torch.rand(3, 5, 2)
    line = pen.curve(points, steps=4)
    assert line.shape == (3, 17, 2)
    assert torch.allclose(line[:, ::4], points, atol=1e-6)
    even = torch.arange(4.0)[None, :, None].expand(1, 4, 2)
    # between the ends, where the next points are as far away on either side
    assert torch.allclose(pen.curve(even, steps=2)[0, 2:5, 0], torch.tensor([1.0, 1.5, 2.0]))
