"""Small images in rows with titles: what augmentation and background make, for people to see."""

import pathlib
from collections.abc import Mapping

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from mnist_core import dataset
from mnist_core.augmentation import augment, digit_variants, non_digits
from mnist_core.config import TrainConfig
from mnist_core.errors import DatasetError

COLUMNS = 20  # images in a row
CELL, TITLE = 30, 18  # pixels: an image with its margin, and the line above a row
ENLARGED = 2  # times


def save(config: TrainConfig, path: pathlib.Path) -> None:
    """Draw the sheet of the config's training images to `path`. Raises DatasetError if it cannot be written."""
    train = dataset.load(config).train
    torch.manual_seed(config.seed)
    try:
        draw(rows(train)).save(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"The sheet cannot be written to {path}: {error}.") from error


def rows(train: dataset.Dataset) -> dict[str, Tensor]:
    """A row of images (COLUMNS, 28, 28) by its title, for each form, part of `handwriting`, and kind of background."""
    some = train[:COLUMNS]
    found = {"training images as they are": some.images}
    for name, form in digit_variants.FORMS.items():
        found[name] = form.draw(train.images[train.labels == form.digit][:COLUMNS].float())
    for part in augment.PARTS:
        found[f"handwriting, {part} alone"] = augment.handwriting(some.images, some.labels, [part])
    found["handwriting"] = augment.handwriting(some.images, some.labels)
    for kind in non_digits.SHARES:
        found[f"background, {kind}"] = non_digits.draw(kind, COLUMNS, train.images, train.labels)
    return found


def draw(rows: Mapping[str, Tensor]) -> Image.Image:
    """The rows below each other, each image (28, 28), 0 to 255, enlarged."""
    cell = CELL * ENLARGED
    sheet = Image.new("L", (COLUMNS * cell, len(rows) * (cell + TITLE)), 48)
    pen = ImageDraw.Draw(sheet)
    for row, (title, images) in enumerate(rows.items()):
        top = row * (cell + TITLE)
        pen.text((4, top + 4), title, fill=255)
        for column, image in enumerate(images.clamp(0, 255).byte().numpy()):
            large = Image.fromarray(image).resize((28 * ENLARGED, 28 * ENLARGED), Image.Resampling.NEAREST)
            sheet.paste(large, (column * cell, top + TITLE))
    return sheet
