"""An image as a word in a link, so that a digit which is taken along survives a reload of the page."""

import base64
import binascii
import zlib

import numpy as np

from mnist_core.drawing import Pixels
from mnist_core.errors import DrawingError

SIDE = 28  # pixels


def to_text(image: Pixels) -> str:
    """An image (28, 28), uint8, as some hundred letters, digits, "-" and "_"."""
    return base64.urlsafe_b64encode(zlib.compress(image.tobytes(), 9)).decode().rstrip("=")


def from_text(text: str) -> Pixels:
    """The image (28, 28), uint8, that `to_text` has made a text of. Raises DrawingError for any other text."""
    unpacker = zlib.decompressobj()
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        pixels = unpacker.decompress(packed, SIDE**2 + 1)
    except (ValueError, binascii.Error, zlib.error):
        pixels = b""
    if len(pixels) != SIDE**2:
        raise DrawingError("The link's digit cannot be read: draw it again in step 1.")
    return np.array(bytearray(pixels), np.uint8).reshape(SIDE, SIDE)
