"""Hand-made pages: what is ink, what is a frame, a shadow or a speck, and which parts make a row."""

import contextlib

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.paper import page_reading

SEVEN = [(0, 0), (60, 0), (20, 100)]


def page(size=(300, 200), paper=225):
    image = Image.new("L", size, paper)
    return image, ImageDraw.Draw(image)


def seven(pen, x, y, ink=40, width=10):
    pen.line([(x + dx, y + dy) for dx, dy in SEVEN], fill=ink, width=width, joint="curve")


def photographed(image, fall_off=0.5, grain=3.0):
    """The page as a phone sees it: blurred, darker to one side, with the camera's noise."""
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255
    pixels = pixels * np.linspace(1, 1 - fall_off, pixels.shape[1], dtype=np.float32)
    return np.clip(pixels + np.random.default_rng(0).normal(0, grain / 255, pixels.shape), 0, 1).astype(np.float32)


def box_of(ink):
    rows, columns = np.flatnonzero((ink > 60).any(1)), np.flatnonzero((ink > 60).any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize("turned_over", [False, True])
@pytest.mark.parametrize("fall_off", [0.0, 0.5, 0.7])
def test_light_that_falls_off_is_no_ink(fall_off, turned_over):
    image, pen = page()
    seven(pen, 110, 50)
    grey = photographed(image, fall_off)
    found = page_reading.find(1 - grey if turned_over else grey)
    assert box_of(found.ink) == pytest.approx((105, 45, 175, 153), abs=6)


def test_a_frame_is_dropped():
    image, pen = page((128, 128))
    seven(pen, 34, 15)
    pen.line([(4, 0), (4, 128)], fill=0, width=3)
    pen.line([(0, 122), (128, 119)], fill=0, width=4)
    found = page_reading.find(photographed(image))
    assert box_of(found.ink) == pytest.approx((29, 10, 99, 118), abs=6)
    assert found.dropped[:, 4].mean() > 0.8


def test_a_hard_shadow_is_no_ink():
    image, pen = page()
    pen.rectangle([200, 0, 300, 200], fill=165)
    seven(pen, 90, 50)
    assert box_of(page_reading.find(photographed(image, 0.0)).ink) == pytest.approx((85, 45, 155, 153), abs=6)


def test_a_speck_is_no_part_of_the_digit_and_a_loose_bar_is():
    image, pen = page()
    pen.line([(120, 60), (120, 100), (160, 110), (160, 150), (115, 155)], fill=40, width=9, joint="curve")
    pen.line([(125, 40), (175, 38)], fill=40, width=9)
    pen.ellipse([215, 150, 220, 155], fill=40)
    _, top, right, _ = box_of(page_reading.find(photographed(image)).ink)
    assert top < 42
    assert right < 190


@pytest.mark.parametrize("fall_off", [0.0, 0.6])
def test_paper_alone_is_empty(fall_off):
    with pytest.raises(EmptyDrawing):
        page_reading.find(photographed(page()[0], fall_off))


def lefts(grey):
    return [[part.box[0] for part in row] for row in page_reading.find_rows(grey)]


def test_rows_are_read_from_top_to_bottom_and_left_to_right():
    image, pen = page((700, 500))
    for x, y in [(500, 60), (100, 50), (300, 70), (200, 300), (400, 310)]:
        seven(pen, x, y)
    found = lefts(photographed(image))
    assert [len(row) for row in found] == [3, 2]
    assert found[0] == pytest.approx([95, 295, 495], abs=8)
    assert found[1] == pytest.approx([195, 395], abs=8)


@pytest.mark.parametrize("size", [(900, 12), (12, 900), (1_280, 3)])
def test_a_strip_is_looked_at_as_any_photo(size):
    image, pen = page(size)
    pen.rectangle([0, 0, size[0] // 2, size[1] // 2], fill=90)
    with contextlib.suppress(DrawingError):
        page_reading.find_page(photographed(image))


@pytest.mark.parametrize("blur", [1, 5, 15])
@pytest.mark.parametrize("dark", [110, 160])
@pytest.mark.parametrize(
    "edge", [[(330, 0), (700, 0), (700, 400), (330, 400)], [(0, 330), (700, 60), (700, 400), (0, 400)]]
)
def test_a_shadow_across_a_row_is_no_ink(edge, dark, blur):
    image, pen = page((700, 400))
    for x in (100, 290, 500):
        seven(pen, x, 140, width=8)
    shadow = Image.new("L", image.size, 255)
    ImageDraw.Draw(shadow).polygon(edge, fill=dark)
    shadow = shadow.filter(ImageFilter.GaussianBlur(blur))
    grey = photographed(ImageChops.multiply(image, shadow), 0.2)
    (row,) = lefts(grey)
    assert row == pytest.approx([96, 286, 496], abs=8)


def test_strokes_above_each_other_are_one_part():
    image, pen = page((500, 300))
    seven(pen, 80, 90)
    pen.line([(260, 110), (260, 150), (300, 160), (300, 195), (255, 200)], fill=40, width=9, joint="curve")
    pen.line([(262, 90), (310, 88)], fill=40, width=9)
    assert [len(row) for row in lefts(photographed(image))] == [2]


def test_dots_and_lined_paper_are_no_digits():
    image, pen = page((800, 400))
    for y in range(40, 400, 70):
        pen.line([(0, y), (800, y)], fill=190, width=2)
    for x in (200, 400):
        seven(pen, x, 120)
    pen.ellipse([500, 200, 508, 208], fill=40)
    rows, found = page_reading.find_page(photographed(image))
    assert [len(row) for row in rows] == [2]
    assert box_of(found.ink) == pytest.approx((195, 115, 465, 223), abs=6)
    assert found.dropped[198:210, 498:510].any()
    assert found.dropped[110, 20:180].mean() > 0.8
    assert not found.dropped[found.ink > 0].any()


def test_lined_paper_may_be_turned_and_digits_stand_on_its_lines():
    image, pen = page((900, 600))
    for y in range(40, 600, 50):
        pen.line([(0, y), (900, y)], fill=185, width=3)
    for x in (250, 400, 550):
        pen.line([(x, 190), (x + 60, 190), (x, 290), (x + 70, 290)], fill=40, width=10, joint="curve")
    turned = image.rotate(2.5, Image.Resampling.BICUBIC, fillcolor=225)
    rows, found = page_reading.find_page(photographed(turned))
    assert [len(row) for row in rows] == [3]
    untilted = np.asarray(Image.fromarray(found.ink).rotate(-2.5))
    assert (untilted[288:293, 260:310] > 60).mean() > 0.9  # the foot of the first


def test_digits_that_are_not_level_are_one_row():
    canvas = Image.new("L", (500, 280))
    pen = ImageDraw.Draw(canvas)
    seven(pen, 40, 20, ink=255)
    seven(pen, 160, 150, ink=255)
    seven(pen, 300, 20, ink=255)
    assert [len(row) for row in lefts(np.asarray(canvas, np.float32) / 255)] == [3]


def test_frames_that_are_darker_than_the_pen_are_dropped_and_a_bar_is_not():
    image, pen = page((900, 400))
    for x in (150, 400, 650):
        seven(pen, x, 130, ink=130)
        pen.line([(x + 20, 180), (x + 70, 180)], fill=130, width=10)
    for line in ([(395, 100), (390, 250)], [(640, 250), (760, 246)], [(764, 246), (760, 110)]):
        pen.line(line, fill=20, width=7)
    rows, found = page_reading.find_page(photographed(image))
    assert [part.box for row in rows for part in row] == [
        pytest.approx((x - 5, 125, x + 72, 234), abs=9) for x in (150, 400, 650)
    ]
    assert (found.ink[180, 425:465] > 60).all()  # the bar of the second
    assert found.dropped[140:240, 385:400].any(1).all()
    assert found.dropped[243:253, 645:755].any(0).all()


def test_a_number_of_upright_and_level_strokes_alone_has_no_printed_lines():
    image, pen = page((500, 300))
    for x, ink in ((100, 90), (250, 40), (400, 90)):
        pen.line([(x, 80), (x, 220)], fill=ink, width=8)
    assert [len(row) for row in lefts(photographed(image))] == [3]
