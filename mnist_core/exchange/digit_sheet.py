"""A sheet of paper with ten rows of boxes, one for each digit: to print, to write on, and to read from a photo.

Four black squares around the boxes tell where they are in a photo that was taken askew; the one at the top left has a
white middle, so that the sheet may be turned, too.
"""

from __future__ import annotations

import itertools
import pathlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from mnist_core import drawing, image_files
from mnist_core.errors import DatasetError, DrawingError, EmptyDrawing
from mnist_core.exchange.digit_sets import Found
from mnist_core.own_digits import digit_set
from mnist_core.paper import components
from mnist_core.paper.components import Grey

DPI = 150
PAGE = 1240, 1754  # pixels, A4
COLUMNS, ROWS = 8, 10
BOX = 128  # pixels, side of a box and the space to the next
INSIDE = 108  # pixels, side of the box itself
LEFT, TOP = 140, 300  # pixels, of the first box's place
MARK = 44  # pixels, side of the squares
# Middles of the squares on the page: top left, top right, bottom right, bottom left.
CORNERS = tuple(
    (x, y)
    for x, y in (
        (LEFT - 40, TOP - 40),
        (LEFT + COLUMNS * BOX + 20, TOP - 40),
        (LEFT + COLUMNS * BOX + 20, TOP + ROWS * BOX + 20),
        (LEFT - 40, TOP + ROWS * BOX + 20),
    )
)
WORDS = (
    "Write each digit as you always do, one in each box: the row says which.",
    "Then photograph the sheet, all four black squares in the picture, and open the photo in the lab.",
)
PHOTO_SIDE = 1_600  # pixels, longer side at which the squares are looked for
CROPPED = 12  # pixels from a box's line that are cut off inside it
FAINTEST = 0.8  # of the paper's brightness: a box in which nothing is darker is empty


def draw() -> Image.Image:
    """The sheet, an A4 page."""
    sheet = Image.new("L", PAGE, 255)
    pen = ImageDraw.Draw(sheet)
    for line, words in enumerate(WORDS):
        pen.text((LEFT - 60, 90 + 46 * line), words, 60, ImageFont.load_default(26))
    for digit, column in itertools.product(range(ROWS), range(COLUMNS)):
        x, y = LEFT + column * BOX + (BOX - INSIDE) // 2, TOP + digit * BOX + (BOX - INSIDE) // 2
        pen.rectangle((x, y, x + INSIDE, y + INSIDE), outline=170, width=2)
        if not column:
            pen.text((LEFT - 40, y + INSIDE // 2), str(digit), 90, ImageFont.load_default(44), "mm")
    for number, (x, y) in enumerate(CORNERS):
        pen.rectangle((x - MARK // 2, y - MARK // 2, x + MARK // 2, y + MARK // 2), 0)
        if not number:
            pen.rectangle((x - MARK // 6, y - MARK // 6, x + MARK // 6, y + MARK // 6), 255)
    return sheet


def write(path: pathlib.Path) -> None:
    """Write the sheet to `path`, a .pdf or .png file. Raises DatasetError."""
    if path.suffix not in (".pdf", ".png"):
        raise DatasetError(f"{path} must end in .pdf or .png.")
    try:
        draw().save(path, resolution=DPI, dpi=(DPI, DPI))
    except OSError as error:
        raise DatasetError(f"The sheet cannot be written to {path}: {error}.") from error


def read_file(path: pathlib.Path) -> Found:
    """The digits on a photo or scan of the sheet. Raises DatasetError."""
    try:
        return read(image_files.open_image(path))
    except DrawingError as error:
        raise DatasetError(str(error)) from error


def read(photo: Image.Image) -> Found:
    """The digits on a photo or scan of the sheet, from top to bottom. Raises DatasetError where it shows none."""
    grey = components.resized(drawing.brightness(photo), PHOTO_SIDE)
    page = _flattened(grey, _corners(grey))
    digits: list[tuple[int, bytes]] = []
    problems = []
    for digit, column in itertools.product(range(ROWS), range(COLUMNS)):
        x, y = LEFT + column * BOX + (BOX - INSIDE) // 2, TOP + digit * BOX + (BOX - INSIDE) // 2
        box = page[y + CROPPED : y + INSIDE - CROPPED, x + CROPPED : x + INSIDE - CROPPED]
        if np.percentile(box, 1) > FAINTEST * np.median(box):
            continue
        try:
            digits.append((digit, digit_set.to_png(drawing.follow(box, on_paper=True).ink)))
        except EmptyDrawing:
            problems.append(f"Box {column + 1} in the row of the {digit} holds no ink that can be told from the paper.")
    if not digits:
        raise DatasetError("There is nothing written in the sheet's boxes.")
    return Found(digits, problems)


def _corners(grey: Grey) -> npt.NDArray[np.float64]:
    """Middles (4, 2) of the squares in the photo, in the order of CORNERS. Raises DatasetError."""
    from scipy import ndimage

    light = ndimage.uniform_filter(grey, max(grey.shape) // 8)
    dark = grey < 0.6 * light
    labels, _ = ndimage.label(dark)
    squares = []
    for label, place in enumerate(ndimage.find_objects(labels), 1):
        height, width = (side.stop - side.start for side in place)
        filled = ndimage.binary_fill_holes(labels[place] == label)
        smallest, largest = 0.012 * max(grey.shape), 0.08 * max(grey.shape)
        if min(height, width) < smallest or max(height, width) > largest:
            continue
        if filled.mean() > 0.6 and 0.6 < height / width < 1.7:
            y, x = (np.mean((side.start, side.stop)) for side in place)
            middle = grey[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].mean()
            squares.append((x, y, bool(middle > 0.6 * light[int(y), int(x)])))
    height, width = grey.shape
    found = []
    for x, y in ((0, 0), (width, 0), (width, height), (0, height)):  # the outermost towards each corner
        near = [square for square in squares if square not in found]
        if near:
            found.append(min(near, key=lambda square: abs(square[0] - x) + abs(square[1] - y)))
    first = [number for number, square in enumerate(found) if square[2]]
    if len(found) < 4 or len(first) != 1:
        raise DatasetError(
            "The sheet's four black squares are not all to be seen: photograph all of it, from above, in even light."
        )
    ordered = found[first[0] :] + found[: first[0]]
    return np.array([square[:2] for square in ordered], np.float64)


def _flattened(grey: Grey, corners: npt.NDArray[np.float64]) -> Grey:
    """The page as it would lie under a scanner, of PAGE's size: (H, W), 0 to 1."""
    rows, values = [], []
    for (x, y), (u, v) in zip(CORNERS, corners, strict=True):  # from the page's places to the photo's
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, np.float64), np.array(values))
    image = Image.fromarray(grey).transform(
        PAGE, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BILINEAR, fillcolor=1
    )
    return np.asarray(image)
