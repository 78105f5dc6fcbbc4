"""The ink over a photo."""

import numpy as np
from PIL import Image

from mnist_core.figures import photo
from mnist_core.paper.page_reading import Ink


def test_ink_is_orange_what_was_dropped_is_blue_and_all_else_is_as_it_was():
    ink, dropped = np.zeros((3, 4), np.uint8), np.zeros((3, 4), bool)
    ink[:, 0], dropped[:, 3] = 255, True
    picture = Image.new("L", (40, 30), 200)
    left, middle, right = (photo.tinted(picture, Ink(ink, dropped)).getpixel((x, 15)) for x in (1, 20, 38))
    assert left[0] > 220
    assert left[2] < 60
    assert middle == (200, 200, 200)
    assert right[2] > 220
    assert right[0] < 90
