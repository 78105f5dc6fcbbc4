import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mnist_core.errors import DatasetError
from mnist_core.exchange import digit_sheet


def written(rows=range(10), columns=range(3)):
    """The sheet with a stroke in some of its boxes, leaning more from row to row."""
    sheet = digit_sheet.draw()
    pen = ImageDraw.Draw(sheet)
    for row in rows:
        for column in columns:
            x, y = digit_sheet.LEFT + column * digit_sheet.BOX, digit_sheet.TOP + row * digit_sheet.BOX
            pen.line([(x + 60, y + 30), (x + 50 + 3 * row, y + 100)], fill=60, width=7)
    return sheet


def photographed(sheet, turned=0):
    """The sheet as a photo shows it: askew, on a dark table, in light that falls off, with noise."""
    width, height = 1600, 2100
    corners = np.array([(180, 140), (1390, 90), (1480, 1950), (110, 2010)])
    page = np.array([(0, 0), (1240, 0), (1240, 1754), (0, 1754)])
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, page, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, float), np.array(values, float))
    photo = sheet.transform((width, height), Image.Transform.PERSPECTIVE, coefficients.tolist(), fillcolor=90)
    down, across = np.mgrid[:height, :width]
    light = 0.55 + 0.4 * across / width * (1 - 0.5 * down / height)
    noisy = np.asarray(photo) * light + np.random.default_rng(0).normal(0, 3, (height, width))
    blurred = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    return blurred.rotate(turned, expand=True)


@pytest.mark.parametrize("turned", [None, 0, 90, 180, 270])
def test_each_box_is_found_in_its_row(turned):
    sheet = written()
    found = digit_sheet.read(sheet if turned is None else photographed(sheet, turned))
    assert [digit for digit, _ in found.digits] == [digit for digit in range(10) for _ in range(3)]
    assert found.problems == []
    for digit, png in found.digits:
        columns = np.flatnonzero((np.asarray(Image.open(io.BytesIO(png))) > 128).any(0))
        assert abs((columns[-1] - columns[0]) - (7 + abs(3 * digit - 10))) < 7  # as wide as it leans


def test_empty_boxes_are_left_out():
    found = digit_sheet.read(photographed(written(rows=[4], columns=[1, 6])))
    assert [digit for digit, _ in found.digits] == [4, 4]


def test_a_sheet_that_is_blank_cut_or_none_is_refused():
    with pytest.raises(DatasetError, match="nothing written"):
        digit_sheet.read(digit_sheet.draw())
    with pytest.raises(DatasetError, match="four black squares"):
        digit_sheet.read(written().crop((0, 0, 1240, 1200)))
    with pytest.raises(DatasetError, match="four black squares"):
        digit_sheet.read(Image.new("L", (800, 600), 200))


def test_the_sheet_is_written_as_pdf_and_png(tmp_path):
    for name, begins in (("sheet.pdf", b"%PDF"), ("sheet.png", b"\x89PNG")):
        digit_sheet.write(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(DatasetError, match=r"must end in \.pdf or \.png"):
        digit_sheet.write(tmp_path / "sheet.txt")
    with pytest.raises(DatasetError, match="cannot be read"):
        digit_sheet.read_file(tmp_path / "missing.png")
