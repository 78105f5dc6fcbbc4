import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core import drawing
from mnist_core.errors import DrawingError, EmptyDrawing


def digit_seven(size=(280, 280), ink=255, paper=0, offset=(0, 0), scale=1.0, mode="L"):
    image = Image.new(mode, size, paper)
    points = [(80, 60), (190, 60), (120, 220)]
    moved = [(x * scale + offset[0], y * scale + offset[1]) for x, y in points]
    ImageDraw.Draw(image).line(moved, fill=ink, width=round(20 * scale), joint="curve")
    return image


def inked_box(image):
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def test_the_form_is_mnists():
    image = drawing.to_mnist(digit_seven())
    assert (image.shape, image.dtype, image.max()) == ((28, 28), np.uint8, 255)
    height, width = inked_box(image)
    assert height == 20
    assert width < 20
    mass = image / image.sum()
    centre = (mass.sum(1) @ (np.arange(28) + 0.5), mass.sum(0) @ (np.arange(28) + 0.5))
    assert centre == pytest.approx((14, 14), abs=0.5)


@pytest.mark.parametrize("offset", [(-40, -30), (50, 30), (0, 40)])
def test_where_the_digit_stands_does_not_matter(offset):
    assert np.array_equal(drawing.to_mnist(digit_seven(offset=offset)), drawing.to_mnist(digit_seven()))


def test_dark_on_light_is_the_same_digit():
    expected = drawing.to_mnist(digit_seven())
    assert np.array_equal(drawing.to_mnist(digit_seven(ink=0, paper=255)), expected)


def test_size_hardly_matters():
    large = drawing.to_mnist(digit_seven(size=(900, 900), scale=3)).astype(int)
    assert np.abs(large - drawing.to_mnist(digit_seven())).mean() < 6


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1"])
def test_every_common_mode_gives_the_same(mode):
    expected = drawing.to_mnist(digit_seven())
    assert np.array_equal(drawing.to_mnist(digit_seven().convert(mode)), expected)


def test_arrays_and_images_are_the_same():
    image = digit_seven().convert("RGBA")
    array = np.asarray(image)  # read-only, as the canvas gives it
    assert np.array_equal(drawing.to_mnist(array), drawing.to_mnist(image))
    assert np.array_equal(drawing.to_mnist(np.asarray(digit_seven())), drawing.to_mnist(image))


@pytest.mark.parametrize("ink", [(0, 0, 0, 255), (255, 255, 255, 255), (200, 30, 30, 255)])
def test_on_a_transparent_canvas_any_colour_is_ink(ink):
    image = digit_seven(ink=ink, paper=(0, 0, 0, 0), mode="RGBA")
    assert np.array_equal(drawing.to_mnist(image), drawing.to_mnist(digit_seven()))


@pytest.mark.parametrize(
    "blank",
    [
        np.zeros((280, 280), np.uint8),
        np.full((28, 28, 3), 255, np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.full((50, 50), 100, np.uint8) + np.eye(50, dtype=np.uint8) * 20,
    ],
)
def test_no_ink_is_an_empty_drawing(blank):
    with pytest.raises(EmptyDrawing, match="no ink"):
        drawing.to_mnist(blank)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((28, 28), np.float32),
        np.zeros(784, np.uint8),
        np.zeros((28, 28, 2), np.uint8),
        np.zeros((0, 28), np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
    ],
)
def test_an_array_of_another_form_is_refused(wrong):
    with pytest.raises(DrawingError, match="must be an array"):
        drawing.to_mnist(wrong)


@pytest.mark.parametrize(("height", "width"), [(1, 200), (200, 1), (1, 1), (3, 3)])
def test_dots_and_lines_fit(height, width):
    image = np.zeros((210, 210), np.uint8)
    image[5 : 5 + height, 5 : 5 + width] = 255
    assert drawing.to_mnist(image).max() == 255


def test_ink_over_all_of_a_narrow_image_fits():
    rng = np.random.default_rng(0)
    assert drawing.to_mnist(rng.integers(0, 256, (300, 7), dtype=np.uint8)).shape == (28, 28)


def test_a_file_that_is_no_image_is_refused(tmp_path):
    with pytest.raises(DrawingError, match=r"none\.png cannot be read: No such file"):
        drawing.open_image(tmp_path / "none.png")
    with pytest.raises(DrawingError, match="cannot be read"):
        drawing.open_image(tmp_path)
    text = tmp_path / "text.png"
    text.write_text("no image")
    with pytest.raises(DrawingError, match="not an image"):
        drawing.open_image(text)
    whole = tmp_path / "whole.png"
    digit_seven().save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:200])
    with pytest.raises(DrawingError, match="cannot be read"):
        drawing.open_image(cut)


def test_a_photo_is_turned_upright(tmp_path):
    upright = digit_seven()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned by a quarter
    upright.rotate(90).save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(drawing.to_mnist(drawing.open_image(tmp_path / "photo.png")), drawing.to_mnist(upright))
