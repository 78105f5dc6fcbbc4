import re
import zlib
from base64 import urlsafe_b64encode

import numpy as np
import pytest

from mnist_core.course import image_text
from mnist_core.errors import DrawingError

IMAGES = [
    np.zeros((28, 28), np.uint8),
    np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8),
    np.pad(np.full((20, 3), 200, np.uint8), ((4, 4), (12, 13))),
]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_comes_back(image):
    text = image_text.to_text(image)
    assert re.fullmatch(r"[\w-]+", text)
    assert (image_text.from_text(text) == image).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "no image",
        image_text.to_text(IMAGES[1])[:-9],
        urlsafe_b64encode(zlib.compress(bytes(783))).decode(),
        urlsafe_b64encode(zlib.compress(bytes(10_000_000))).decode(),
    ],
)
def test_another_text_is_refused(text):
    with pytest.raises(DrawingError, match="draw it again"):
        image_text.from_text(text)
