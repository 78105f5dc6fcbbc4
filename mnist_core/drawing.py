"""From a drawing or any image of one digit to the 28 x 28 image that MNIST would have made of it."""

import os

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_core.errors import DrawingError, EmptyDrawing

SIZE = 28  # pixels, side of MNIST's images
BOX = 20  # pixels, longer side of the digit in it
FAINTEST = 24  # of 255: a drawing with less contrast holds no ink
EDGE = 0.1  # share of the strongest ink from which a pixel counts as the digit's when its box is measured

Pixels = npt.NDArray[np.uint8]


def open_image(path: str | os.PathLike[str]) -> Image.Image:
    """The image in the file, turned upright as its camera noted. Raises DrawingError for one that cannot be read."""
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise DrawingError(f"{path} is not an image of a kind that can be read, such as PNG or JPEG.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DrawingError(f"The image {path} cannot be read: {reason}.") from error


def to_mnist(image: Pixels | Image.Image) -> Pixels:
    """The digit in `image` as MNIST would hold it: (28, 28), uint8, white ink 255 on black 0.

    `image` is a PIL image or a uint8 array (H, W), (H, W, 3) or (H, W, 4) of any size, light on dark or dark on light,
    on an even background; where it is transparent there is no ink. Raises EmptyDrawing if there is no ink, and
    DrawingError for an array of another form.

    The way of MNIST's makers (LeCun, Bottou, Bengio and Haffner, 1998): the box around the ink is scaled to a longer
    side of 20 pixels, keeping its shape, and placed in 28 x 28 with its centre of mass in the middle.
    """
    ink = _ink(image)
    return _centred(_scaled(_cropped(ink)))


def _ink(image: Pixels | Image.Image) -> Pixels:
    """How far each pixel is from the background: (H, W), uint8, 255 where it is furthest."""
    if isinstance(image, np.ndarray):
        layers_fit = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
        if image.dtype != np.uint8 or not layers_fit or image.size == 0:
            raise DrawingError(
                "A drawing must be an array (H, W), (H, W, 3) or (H, W, 4) of uint8, "
                f"got {image.shape} of {image.dtype}."
            )
        image = Image.fromarray(image)
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"), np.int32)
    if alpha.min() < 128:  # a transparent canvas: whatever is painted on it is ink, of any colour
        contrast = alpha
    else:
        grey = np.asarray(rgba.convert("L"), np.int32)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        contrast = np.abs(grey - int(np.median(border)))
    strongest = int(contrast.max())
    if strongest < FAINTEST:
        raise EmptyDrawing("There is no ink in the drawing: draw a digit.")
    ink: Pixels = (contrast * 255 // strongest).astype(np.uint8)
    return ink


def _cropped(ink: Pixels) -> Pixels:
    inked = ink > EDGE * 255
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    cropped: Pixels = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cropped


def _scaled(ink: Pixels) -> Pixels:
    """The longer side made 20 pixels; each new pixel is the mean of the old ones it covers."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    small = np.asarray(Image.fromarray(ink).resize(size, resampling), np.int32)
    # a thin pen leaves grey only; MNIST's ink reaches white
    return (small * 255 // int(small.max())).astype(np.uint8)


def _centred(digit: Pixels) -> Pixels:
    """The digit in 28 x 28 with its centre of mass in the middle, as near as it fits."""
    placed = np.zeros((SIZE, SIZE), np.uint8)
    corner = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(axis=1 - axis, dtype=np.int64)
        centre = (mass * (np.arange(length) + 0.5)).sum() / mass.sum()
        corner.append(int(np.clip(round(SIZE / 2 - centre), 0, SIZE - length)))
    top, left = corner
    placed[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return placed
