"""A sheet on a table, and what is none: shadows, frames, paper that fills the photo."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mnist_core.errors import EmptyDrawing
from mnist_core.paper import outline, page_reading
from tests.paper.test_page_reading import lefts, photographed, seven

TABLES = {"black": 30, "dark wood": 90, "light wood": 165}


def sheet(lined=False, sevens=((110, 120), (220, 130)), size=(450, 600), rule=185):
    """A sheet of paper with sevens written on it."""
    image = Image.new("L", size, 228)
    pen = ImageDraw.Draw(image)
    for y in range(40, size[1], 30) if lined else ():
        pen.line([(0, y), (size[0], y)], fill=rule, width=2)
    if lined:
        pen.line([(50, 0), (50, size[1])], fill=rule, width=2)
    for x, y in sevens:
        seven(pen, x, y, width=7)
    return image


def on_table(paper, table=90, turned=0.0, at=(90, 60), size=(640, 760)):
    """A photo of the sheet on a table with some grain, and in light that falls off over both."""
    grain = np.random.default_rng(1).normal(table, 0.06 * table, (1, size[0])).repeat(size[1], 0)
    photo = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    mask = Image.new("L", paper.size, 255).rotate(turned, expand=True)
    photo.paste(paper.rotate(turned, Image.Resampling.BICUBIC, expand=True), at, mask)
    return photographed(photo, 0.35)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("turned", [-7, -2, 0, 5])
@pytest.mark.parametrize("lined", [False, True])
def test_a_sheet_on_a_table_is_read_and_the_table_is_not(table, turned, lined):
    photo = on_table(sheet(lined), table, turned)
    found = outline.find(photo)
    assert found
    assert found.paper.sum() == pytest.approx(450 * 600, rel=0.2)  # without its margin
    (row,) = lefts(photo)
    assert len(row) == 2
    assert 90 + 90 < row[0] < row[1] - 80 < 90 + 260


@pytest.mark.parametrize("at", [(-120, -90), (300, -60), (-80, 300)])
def test_a_sheet_may_go_on_beyond_the_photo(at):
    photo = on_table(sheet(sevens=[(180, 200)]), at=at)
    assert outline.find(photo)
    (row,) = lefts(photo)
    assert row == [pytest.approx(at[0] + 176, abs=8)]


def test_one_digit_on_a_sheet_is_read_and_its_surroundings_are_not_dropped_ink():
    photo = on_table(sheet(sevens=[(150, 200)]))
    found = page_reading.find(photo)
    rows, columns = np.nonzero(found.ink > 60)
    assert (columns.min(), rows.min()) == pytest.approx((236, 256), abs=8)
    assert found.ink.shape == photo.shape
    assert not found.dropped[:, :80].any()


def test_a_photo_of_paper_alone_has_no_outline():
    assert outline.find(photographed(sheet(lined=True))) is None
    assert outline.find(photographed(Image.new("L", (640, 480), 200))) is None


@pytest.mark.parametrize("blur", [12, 30])
def test_a_shadow_is_no_outline(blur):
    shadow = Image.new("L", (450, 600), 255)
    ImageDraw.Draw(shadow).polygon([(450, 200), (200, 600), (450, 600)], fill=150)
    shadow = shadow.filter(ImageFilter.GaussianBlur(blur))
    dark = np.asarray(sheet(), np.float32) * np.asarray(shadow, np.float32) / 255
    assert outline.find(photographed(Image.fromarray(dark.astype(np.uint8)))) is None


def test_the_box_of_a_table_is_no_sheet():
    image = sheet()
    pen = ImageDraw.Draw(image)
    for place in (10, 220, 430):
        pen.line([(place, 0), (place, 600)], fill=60, width=12)
        pen.line([(0, place), (450, place)], fill=60, width=12)
    assert outline.find(photographed(image)) is None


def test_a_drawing_on_a_canvas_has_no_outline():
    canvas = np.zeros((280, 840), np.float32)
    canvas[60:220, 100:130] = canvas[60:220, 400:430] = 1
    assert outline.find(canvas) is None
    assert outline.find(1 - canvas) is None


def test_a_small_picture_is_looked_at_whole():
    assert outline.find(on_table(sheet())[::6, ::6]) is None


@pytest.mark.parametrize("shape", [(3, 900), (900, 1), (12, 700), (201, 201)])
def test_any_shape_may_have_no_outline(shape):
    grey = np.full(shape, 0.2, np.float32)
    grey[: shape[0] // 2, : shape[1] // 2] = 0.9
    outline.find(grey)
    assert outline.find(np.zeros(shape, np.float32)) is None


def test_ink_beside_a_patch_of_light_is_found():
    paper = Image.eval(sheet(sevens=[(60, 120)]), lambda value: int(value * 0.85))
    ImageDraw.Draw(paper).rectangle([260, 280, 440, 590], fill=235)
    photo = photographed(paper, 0.0)
    assert outline.find(photo)
    assert any(abs(left - 56) < 10 for row in lefts(photo) for left in row)


def test_a_blank_sheet_on_a_table_is_said_to_be_blank():
    with pytest.raises(EmptyDrawing):
        page_reading.find_page(on_table(sheet(sevens=()), table=90))
