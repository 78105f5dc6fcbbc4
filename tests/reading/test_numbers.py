import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.reading import numbers, predictor

MODEL = predictor.load("cnn")
DIGITS = {
    "2": [[(0, 30), (20, 0), (50, 0), (65, 30), (0, 110), (70, 110)]],
    "4": [[(10, 0), (0, 70), (70, 70)], [(52, 10), (48, 115)]],
    "5": [[(5, 20), (0, 55), (45, 55), (60, 85), (40, 110), (0, 108)], [(8, 4), (60, 0)]],
    "7": [[(0, 0), (65, 0), (25, 110)]],
    "1": [[(0, 0), (0, 110)]],
}


def written(number, size=(700, 280), gap=45, ink=255, paper=0, width=14, at=(50, 80)):
    image = Image.new("L", size, paper)
    pen = ImageDraw.Draw(image)
    x, y = at
    for digit in number:
        for stroke in DIGITS[digit]:
            pen.line([(x + dx, y + dy) for dx, dy in stroke], fill=ink, width=width, joint="curve")
        x += max(dx for stroke in DIGITS[digit] for dx, _ in stroke) + gap
    return image


@pytest.mark.parametrize("number", ["7", "4", "72", "2475", "117", "5447"])
def test_a_number_on_a_canvas_is_read(number):
    (row,) = numbers.read_rows(MODEL, written(number))
    assert row.number == number
    lefts = [digit.box[0] for digit in row.digits]
    assert lefts == sorted(lefts)
    assert all(0.3 < digit.confidence <= 1 for digit in row.digits)


def test_a_number_on_paper_is_read_in_its_pixels():
    image = written("2475", ink=60, paper=230).resize((2800, 1120))
    light = np.asarray(image, float) * np.linspace(1, 0.6, 2800) + np.random.default_rng(0).normal(0, 4, (1120, 2800))
    (row,) = numbers.read_rows(MODEL, Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)))
    assert row.number == "2475"
    assert row.digits[0].box == pytest.approx((170, 290, 510, 790), abs=40)


def test_two_digits_that_touch_are_cut():
    (row,) = numbers.read_rows(MODEL, written("22", gap=-4))
    assert row.number == "22"


def test_rows_are_from_top_to_bottom():
    image = Image.new("L", (500, 520))
    image.paste(written("27", (500, 260)), (0, 0))
    image.paste(written("442", (500, 260)), (0, 260))
    assert [row.number for row in numbers.read_rows(MODEL, image)] == ["27", "442"]


def test_what_holds_no_digits_or_too_much_is_said():
    with pytest.raises(EmptyDrawing):
        numbers.read_rows(MODEL, np.zeros((100, 100), np.uint8))
    text = Image.new("L", (900, 900), 255)
    pen = ImageDraw.Draw(text)
    for y in range(20, 880, 40):
        pen.text((20, y), "many words on a page of text " * 3, fill=0, font_size=22)
    with pytest.raises(DrawingError, match="more here than a few digits"):
        numbers.read_rows(MODEL, text)


@pytest.mark.parametrize(("first", "second", "lower"), [("2", "1", 0), ("4", "1", 0), ("2", "2", -50), ("7", "7", 60)])
def test_two_digits_near_each_other_are_not_read_as_one(first, second, lower):
    both = np.maximum(
        written(first, (300, 320), at=(50, 100)), written(second, (300, 320), at=(140, 100 + lower))
    )  # together they look like one digit as well
    (row,) = numbers.read_rows(MODEL, both)
    assert row.number == first + second
