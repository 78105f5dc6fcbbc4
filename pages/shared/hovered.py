"""The image that a point of a chart stands for, shown beside it when it is pointed at."""

from __future__ import annotations

import base64
import functools
import io

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core import browser
from mnist_core.reading.predictions import Indices

COLUMNS = 50  # images in a row of the sheet

_hovered = st.components.v2.component("digit_lab.hovered", js=browser.joined("hovered"))


def show(chart: str, images: np.ndarray, numbers: Indices) -> None:
    """Have the Plotly chart of that key show images (N, 28, 28), uint8, at points whose `customdata` are `numbers`."""
    sheet = _sheet(images.tobytes(), images.shape[1])
    data = {"key": chart, "numbers": numbers.tolist(), "columns": COLUMNS, "sheet": sheet}
    _hovered(key=f"{chart}-hovered", data=data)


@functools.lru_cache(maxsize=4)
def _sheet(pixels: bytes, side: int) -> str:
    """All images in rows of COLUMNS, as a PNG in base64."""
    images = np.frombuffer(pixels, np.uint8).reshape(-1, side, side)
    rows = -(-len(images) // COLUMNS)
    places = np.zeros((rows * COLUMNS, side, side), np.uint8)
    places[: len(images)] = images
    sheet = places.reshape(rows, COLUMNS, side, side).swapaxes(1, 2).reshape(rows * side, COLUMNS * side)
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()
