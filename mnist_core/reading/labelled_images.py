"""Images of digits in folders that are called by what they show, as torchvision's ImageFolder reads them."""

import dataclasses
import pathlib

import numpy as np
import numpy.typing as npt

from mnist_core import drawing, image_files
from mnist_core.drawing import Pixels
from mnist_core.errors import DatasetError, DrawingError
from mnist_core.files import reason
from mnist_core.metrics import Labels


@dataclasses.dataclass(frozen=True)
class LabelledImages:
    """Images as a network sees them, (N, 28, 28), uint8, and what they show, (N,).

    Those in which no digit can be found are blank, and not `found`, (N,): whatever is read in them is wrong.
    """

    name: str
    images: Pixels
    labels: Labels
    found: npt.NDArray[np.bool_]

    def right(self, digits: Labels) -> int:
        """How many of these `digits` (N,), 0 to 9, are right."""
        return int((self.found & (digits == self.labels)).sum())


def load(folder: pathlib.Path) -> LabelledImages:
    """The images in FOLDER/0 to FOLDER/9, read as photos. Raises DatasetError where there are none."""
    try:
        files = [(path, digit) for digit in range(10) for path in sorted((folder / str(digit)).glob("*"))]
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read: {reason(error)}.") from error
    if not files:
        raise DatasetError(f"{folder} holds no images in folders 0 to 9, such as {folder / '4' / 'one.png'}.")
    images, found = [], []
    for path, _ in files:
        try:
            images.append(drawing.follow_photo(image_files.open_image(path)).image)
            found.append(True)
        except DrawingError:
            images.append(np.zeros((28, 28), np.uint8))
            found.append(False)
    return LabelledImages(folder.name, np.stack(images), np.array([digit for _, digit in files]), np.array(found))
