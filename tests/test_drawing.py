import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image, ImageDraw, ImageFilter

from mnist_core import dataset, drawing
from mnist_core.errors import DrawingError, EmptyDrawing
from tests.conftest import needs_mnist


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
    # MNIST's centres of mass lie between 14 and 15
    assert centre == pytest.approx((14.5, 14.5), abs=0.51)


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


def seven_in(mode):
    """The seven as a Pillow image of any mode that Pillow has."""
    grey = digit_seven()
    if mode == "LAB":
        neutral = Image.new("L", grey.size, 128)
        return Image.merge("LAB", (grey, neutral, neutral))
    through = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    return (grey.convert(through) if through else grey).convert(mode)


@pytest.mark.parametrize("mode", sorted({*Image.MODES, "PA", "La", "RGBa", "RGBX", "I;16", "I;16L", "I;16B"}))
def test_every_mode_that_pillow_has_gives_the_same(mode):
    off = drawing.to_mnist(seven_in(mode)).astype(int) - drawing.to_mnist(digit_seven())
    assert np.abs(off).max() <= 2


def test_an_image_that_cannot_be_decoded_is_refused(tmp_path):
    digit_seven().save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    with (
        Image.open(tmp_path / "cut.png") as image,
        pytest.raises(DrawingError, match=r"cannot be read, it may be damaged: .*\.$"),
    ):
        drawing.to_mnist(image)


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
        np.zeros((28, 28), np.complex64),
        np.full((28, 28), "ink"),
        np.full((28, 28), None),
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
    image = np.zeros((300, 7), np.uint8)
    image[100:, 4:6] = 255  # nearly all of its mass is at one end
    image[0, 5] = 255
    assert drawing.to_mnist(image).shape == (28, 28)


def seven_as(kind):
    """The seven as an array of another kind of number, on the scale that is usual for it."""
    shares = np.asarray(digit_seven(), np.float64) / 255
    whole = {"bool": 1, "float16": 1, "float32": 1, "float64": 1, "uint16": 65535, "int32": 255, "int64": 255}[kind]
    return (shares * whole).astype(kind)


@pytest.mark.parametrize("kind", ["bool", "float16", "float32", "float64", "uint16", "int32", "int64"])
def test_every_kind_of_number_gives_the_same(kind):
    assert np.abs(drawing.to_mnist(seven_as(kind)).astype(int) - drawing.to_mnist(digit_seven())).max() <= 2


@pytest.mark.parametrize("side", [20, 2_000])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(side, number):
    image = np.zeros((side, side))
    image[side // 2, side // 2] = number
    with pytest.raises(DrawingError, match="finite"):
        drawing.to_mnist(image)


def large(kind, channels=()):
    """An array of 12 million numbers a channel, and the box of the digit in it."""
    image = np.zeros((3_000, 4_000, *channels), kind)
    image[600:2_400, 1_800:2_100] = 200 if np.dtype(kind).kind in "ui" else 1
    return image


@pytest.mark.parametrize(
    ("kind", "channels"), [("bool", ()), ("uint8", ()), ("uint8", (3,)), ("uint16", (1,)), ("float32", (3,))]
)
def test_a_large_array_takes_little_memory(kind, channels):
    image = large(kind, channels)
    tracemalloc.start()
    try:
        steps = drawing.follow(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert steps.ink.shape == (750, 1_000)
    assert steps.box == (450, 150, 525, 600)
    assert peak < 100e6  # bytes


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I", "F", "I;16"])
def test_a_large_image_is_read_as_the_small_one(mode):
    small = drawing.follow(digit_seven(size=(500, 400), scale=1.5, mode="L").convert(mode))
    large = drawing.follow(digit_seven(size=(2_500, 2_000), scale=7.5, mode="L").convert(mode))
    assert max(large.ink.shape) < 1_000
    assert np.abs(large.image.astype(int) - small.image).mean() < 6


def test_an_image_up_to_a_thousand_pixels_wide_is_not_made_smaller():
    assert drawing.follow(digit_seven(size=(1_000, 1_000))).ink.shape == (1_000, 1_000)
    assert drawing.follow(digit_seven(size=(3_000, 300))).ink.shape == (300, 3_000)


def test_sides_that_are_no_multiple_of_a_block_are_read():
    image = np.zeros((1_031, 2_057), np.uint8)
    image[-1, -1] = 255
    steps = drawing.follow(image)
    assert steps.ink.shape == (516, 1_029)
    assert steps.box == (1_028, 515, 1_029, 516)


def test_a_line_of_a_hundred_million_pixels_is_read():
    image = np.zeros((1, 100_000_000), np.uint8)
    image[:, :50_000_000] = 255
    assert drawing.follow(image).ink.shape == (1, 29_995)


def test_two_dots_far_from_each_other_stay_two_dots():
    image = np.zeros((100, 10_000), np.uint8)
    image[0, 0] = image[-1, -1] = 255
    seen = drawing.to_mnist(image)
    assert sorted(seen[seen > 0].tolist()) == [255, 255]


def test_the_steps_are_those_of_the_result():
    steps = drawing.follow(digit_seven())
    left, top, right, bottom = steps.box
    assert (left, right) == (80, 200)
    assert steps.ink[top:bottom, left:right].max() == 255
    assert steps.ink.sum() == steps.ink[top:bottom, left:right].sum()
    assert max(steps.digit.shape) == 20
    assert np.array_equal(steps.image, drawing.to_mnist(digit_seven()))


@pytest.mark.parametrize("length", [1, 2, 7, 20, 21, 64, 280, 1001])
@pytest.mark.parametrize("new_length", [1, 3, 20])
def test_resampling_keeps_the_mean_and_even_ink(length, new_length):
    matrix = drawing.resampling(length, new_length)
    assert matrix.shape == (new_length, length)
    assert (matrix >= 0).all()
    assert matrix.sum(1) == pytest.approx(1)
    if new_length <= length:  # every value counts as much as every other
        assert matrix.sum(0) == pytest.approx(new_length / length)


def test_resampling_takes_the_mean_of_what_is_covered_in_part_or_whole():
    assert drawing.resampling(3, 2) * 3 == pytest.approx(np.array([[2, 1, 0], [0, 1, 2]]))
    assert drawing.resampling(2, 4) * 4 == pytest.approx(np.array([[4, 0], [3, 1], [1, 3], [0, 4]]))


def test_a_thin_pen_on_a_large_sheet_is_seen():
    sheet = Image.new("L", (4000, 4000), 255)
    ImageDraw.Draw(sheet).line([(1000, 500), (3000, 500), (1800, 3600)], fill=0, width=4)
    assert drawing.to_mnist(sheet).max() == 255
    assert (drawing.to_mnist(sheet) > 60).sum() > 30


def test_thin_strokes_beside_much_ink_stay():
    canvas = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(canvas)
    pen.line([(140, 40), (140, 150)], fill=255, width=14)
    pen.ellipse([80, 140, 200, 250], fill=255)
    image = drawing.to_mnist(canvas)
    assert (image[5:14].max(1) > 100).all()


def paper(slope=60, grain=0.0, ink=60, seed=0):
    """A photo of a seven written on paper: light that falls off to one side, on paper and ink, and a camera's grain."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(-1, 1, 320), np.linspace(-1, 1, 240))
    light = 190 + slope * x / 2 - slope * y * y / 2
    written = np.asarray(digit_seven(size=(320, 240), scale=0.9).filter(ImageFilter.GaussianBlur(1)), float) / 255
    seen = light * (1 - written * (1 - ink / 190)) + rng.normal(0, grain, light.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("slope", [0, 60, 140])
@pytest.mark.parametrize("grain", [0, 4, 8])
def test_an_uneven_background_is_no_ink(slope, grain):
    expected = drawing.follow(digit_seven(size=(320, 240), scale=0.9))
    for photo in (paper(slope, grain), 255 - paper(slope, grain)):
        steps = drawing.follow(photo)
        assert np.array(steps.box) == pytest.approx(np.array(expected.box), abs=4)
        off = float(np.abs(steps.image.astype(int) - expected.image).mean())
        assert off < 14


@pytest.mark.parametrize("slope", [0, 60, 140])
def test_paper_without_ink_is_empty(slope):
    with pytest.raises(EmptyDrawing):
        drawing.to_mnist(paper(slope, grain=3, ink=0)[:40])


KINDS = st.sampled_from([np.bool_, np.uint8, np.uint16, np.int8, np.int64, np.float16, np.float32, np.float64])
SHAPES = st.tuples(st.integers(0, 40), st.integers(0, 40)) | st.tuples(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 5)
)


@settings(max_examples=400, deadline=None)
@given(st.data(), KINDS, SHAPES)
def test_any_array_gives_an_image_or_a_named_error(data, kind, shape):
    array = data.draw(st_numpy.arrays(kind, shape))
    before = array.copy()
    try:
        image = drawing.to_mnist(array)
    except DrawingError:
        image = None
    assert np.array_equal(array, before, equal_nan=array.dtype.kind == "f")
    if image is not None:
        assert (image.shape, image.dtype, image.max()) == ((28, 28), np.uint8, 255)


def written(points, width, size=(400, 400)):
    canvas = Image.new("L", size)
    pen = ImageDraw.Draw(canvas)
    pen.line(points, fill=255, width=width, joint="curve")
    for x, y in points:
        pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    return np.asarray(canvas)


STROKES = st.lists(st.tuples(st.integers(60, 200), st.integers(60, 200)), min_size=3, max_size=7, unique=True)
# Of 255, the mean over all 784 pixels. Moving by whole pixels changes nothing; another size is another sampling of the
# same ink, which can also put the centre of mass into the next pixel, and a digit moves by one with it.
SAME, SAME_BUT_MOVED = 12.0, 42.0


@settings(max_examples=60, deadline=None)
@given(STROKES, st.integers(10, 24), st.integers(-40, 150), st.integers(-40, 150))
def test_moving_and_padding_change_nothing(points, width, right, down):
    there = written(points, width)
    moved = np.roll(there, (down, right), (0, 1))  # Pillow draws a line elsewhere a little differently
    assert np.array_equal(drawing.to_mnist(there), drawing.to_mnist(moved))
    assert np.array_equal(drawing.to_mnist(there), drawing.to_mnist(np.pad(there, ((0, 90), (30, 0)))))


@settings(max_examples=60, deadline=None)
@given(STROKES, st.integers(10, 24), st.sampled_from([2, 3]))
def test_scaling_changes_little(points, width, times):
    small = drawing.follow(written(points, width))
    large = drawing.follow(written([(x * times, y * times) for x, y in points], width * times, (900, 900)))
    assert np.abs(np.array(small.digit.shape) - large.digit.shape).max() <= 1
    off = [np.abs(small.image - np.roll(large.image.astype(int), move, (0, 1))).mean() for move in MOVES]
    assert min(off) < SAME
    assert off[0] < SAME_BUT_MOVED


MOVES = [(0, 0), *((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))]


@needs_mnist
@pytest.mark.parametrize("resampling", [Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
def test_mnists_own_images_come_back(resampling):
    """Enlarged tenfold in blocks, a third comes back to the bit; the mean pixel is off by 5.1, smoothly by 8.0."""
    images = dataset.load_test("mnist").images.numpy()[:1_000]
    off = []
    for image in images:
        large = Image.fromarray(image).resize((280, 280), resampling)
        off.append(np.abs(drawing.to_mnist(large).astype(int) - image).mean())
    blocks = resampling == Image.Resampling.NEAREST
    assert np.mean(off) < (5.5 if blocks else 8.5)
    assert np.median(off) < (4 if blocks else 7)


def box_of(image):
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def test_steps_are_left_out_one_by_one():
    canvas = np.zeros((280, 280), np.uint8)
    canvas[20:120, 30:80] = 255  # 10 x 5 pixels of 28, at 3, 2
    assert np.array_equal(drawing.follow(canvas, drawing.STEPS).image, drawing.to_mnist(canvas))
    assert box_of(drawing.follow(canvas, []).image) == (3, 2, 8, 12)
    left, top, right, bottom = box_of(drawing.follow(canvas, ["centre"]).image)
    assert (right - left, bottom - top) == (5, 10)
    assert abs((left + right) / 2 - 14) <= 1
    left, top, right, bottom = box_of(drawing.follow(canvas, ["size"]).image)
    assert (right - left, bottom - top) == (10, 20)
    assert (left, top) == (0, 0)  # as far towards its place as it fits


def test_a_digit_stays_in_its_place_in_an_image_that_is_no_square():
    wide = np.zeros((140, 280), np.uint8)
    wide[40:100, 210:240] = 255
    assert box_of(drawing.follow(wide, []).image) == (21, 11, 24, 17)
