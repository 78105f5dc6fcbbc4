"""Image files and arrays that are read as drawings."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from mnist_core import drawing
from mnist_core.errors import DrawingError
from mnist_core.image_files import FORMATS, open_image
from mnist_core.reading import numbers, predictor
from tests.fuzz.test_archives import PLACES, SHARES, changed

TINY = predictor.load("tiny")
MODES = [
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "PA",
    "La",
    "RGBa",
    "RGBX",
    "I;16",
]


def saved(kind: str) -> bytes:
    content = io.BytesIO()
    ink = np.zeros((40, 30), np.uint8)
    ink[5:35, 12:18] = 255
    Image.fromarray(ink).convert("RGB").save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
@given(places=PLACES, length=SHARES | st.just(1.0))
def test_a_damaged_file_is_a_drawing_or_a_sentence(tmp_path_factory, kind, places, length):
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(changed(saved(kind), places, length))
    with contextlib.suppress(DrawingError):
        assert drawing.to_mnist(open_image(path)).shape == (28, 28)


@given(arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, max_dims=4, max_side=12)))
def test_an_array_is_a_drawing_or_a_sentence(array):
    with contextlib.suppress(DrawingError):
        assert drawing.to_mnist(array).shape == (28, 28)


@given(st.integers(1, 400), st.integers(200, 400), st.integers(1, 60), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_a_photo_of_anything_is_digits_or_a_sentence(shorter, longer, patch, grain, seed):
    rng = np.random.default_rng(seed)
    size = (longer, shorter) if seed % 2 else (shorter, longer)
    patches = rng.integers(0, 256, (max(1, size[1] // patch), max(1, size[0] // patch))).astype(np.uint8)
    photo = np.asarray(Image.fromarray(patches).resize(size, Image.Resampling(seed % 4)), np.float64)
    photo = np.clip(photo + rng.normal(0, grain, photo.shape), 0, 255).astype(np.uint8)
    with contextlib.suppress(DrawingError):
        page = numbers.read_page(TINY, photo)
        assert all(row.number for row in page.rows)
        assert page.ink.ink.shape == page.ink.dropped.shape


@given(st.sampled_from(MODES), st.integers(1, 40), st.integers(1, 40), st.binary(min_size=64, max_size=64))
def test_an_image_of_any_mode_is_a_drawing_or_a_sentence(mode, width, height, noise):
    image = Image.new(mode, (width, height))
    pixels = np.resize(np.frombuffer(noise, np.uint8), (height, width))
    with contextlib.suppress(ValueError):  # there is no way from grey to some modes
        image = Image.fromarray(pixels).convert(mode)
    with contextlib.suppress(DrawingError):
        assert drawing.to_mnist(image).shape == (28, 28)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_a_page_is_numbers_or_a_sentence(array):
    with contextlib.suppress(DrawingError):
        assert all(row.number.isdigit() for row in numbers.read_rows(TINY, array))
    with contextlib.suppress(DrawingError):
        assert drawing.to_mnist(array, on_paper=True).shape == (28, 28)
