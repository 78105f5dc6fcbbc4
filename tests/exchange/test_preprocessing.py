import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mnist_core import dataset, drawing
from mnist_core.errors import EmptyDrawing
from mnist_core.exchange.preprocessing import Preprocessing
from tests.conftest import needs_mnist


def assert_same(image):
    """What `drawing.to_mnist` gives, but for the rounding of a pixel, and no ink where that finds none."""
    with torch.inference_mode():
        digit, has_ink = Preprocessing()(torch.tensor(image))
    try:
        expected = drawing.to_mnist(image)
    except EmptyDrawing:
        assert not has_ink
        assert torch.isfinite(digit).all()
        return
    assert has_ink
    assert digit.dtype == torch.float32
    assert np.abs(digit.numpy() - expected).max() <= 1


@st.composite
def drawings(draw):
    """A few lines of various pens and greys on an even background, which most of the border shows."""
    width, height = draw(st.sampled_from([(280, 280), (28, 28), (64, 300), (301, 97), (9, 40)]))
    paper = draw(st.sampled_from([0, 0, 30, 255]))
    image = Image.new("L", (width, height), paper)
    places = st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9))
    pen = ImageDraw.Draw(image)
    for _ in range(draw(st.integers(0, 3))):
        points = [(x * width, y * height) for x, y in draw(st.lists(places, min_size=2, max_size=5))]
        pen.line(points, fill=draw(st.integers(0, 255)), width=draw(st.integers(1, 34)), joint="curve")
    if draw(st.booleans()):  # soft edges
        image = image.resize(
            (width, height), Image.Resampling.BILINEAR, (0, 0, width - 0.5, height - 0.5)
        )  # soft edges
    return np.asarray(image)


@settings(max_examples=100, deadline=None)
@given(drawings())
def test_a_drawing_becomes_the_same_image(image):
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]) / 255
    if np.median(np.abs(border - np.median(border))) < drawing.EVEN:
        assert_same(image)


def test_images_of_the_sample_become_the_same():
    for image in dataset.load_test("sample").images[:100]:
        assert_same(image.numpy())


@needs_mnist
def test_images_of_mnist_become_the_same():
    for image in dataset.load_test("mnist").images[:100]:
        assert_same(image.numpy())


@pytest.mark.parametrize(("height", "width"), [(1, 200), (200, 1), (1, 1), (3, 3), (20, 20), (100, 100), (90, 7)])
@pytest.mark.parametrize("grey", [255, 140, 25])
def test_dots_and_bars_become_the_same(height, width, grey):
    image = np.zeros((210, 210), np.uint8)
    image[5 : 5 + height, 5 : 5 + width] = grey
    assert_same(image)


def test_ink_over_all_of_a_narrow_image_becomes_the_same():
    image = np.zeros((300, 7), np.uint8)
    image[100:, 4:6] = 255  # nearly all of its mass is at one end
    image[0, 5] = 255
    assert_same(image)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (280, 280), (3, 500)])
@pytest.mark.parametrize("paper", [0, 7, 255])
def test_no_ink_is_said(shape, paper):
    assert_same(np.full(shape, paper, np.uint8))


def test_the_faintest_ink_is_told_from_none():
    for grey in range(20, 30):
        image = np.zeros((40, 40), np.uint8)
        image[10:30, 15:20] = grey
        assert_same(image)
