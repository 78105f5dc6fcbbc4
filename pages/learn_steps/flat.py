"""Step: a picture is a row of numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.drawing import Pixels
from pages.learn_steps import carried, links, maths, pixels

ORANGE = (230, 97, 0)
FRAME = 9  # numbers shown of a row and of a column
AROUND = 4  # numbers shown on either side of the chosen one


def show() -> None:
    from mnist_core.course import first_look

    digit = carried.digit()
    image = digit.image
    height, width = image.shape
    st.markdown(
        f"To you it is a picture. To a network it is **numbers**, {height} rows of {width}. The first networks here do "
        f"not even know of rows: the image is **flattened**, one row behind the other, into a single line of "
        f"**{height * width} numbers**. Which pixel is above which, they will have to find out."
    )
    st.markdown("**Try it:** point at a pixel. Find it in the numbers and in the line.")
    picture, numbers = st.columns([2, 3], gap="large")
    with picture:
        row, column = pixels.choose(image, "learn-pixel", (10, 14), 1, f"The pixels of {digit.title}")
    place = width * row + column
    with numbers:
        st.code(first_look.in_text(image[_around(row, height), _around(column, width)]), language=None)
        st.caption(f"The numbers around it. Its own is {image[row, column]}.")
        first, last = max(0, place - AROUND), min(image.size, place + AROUND + 1)
        line = ", ".join(
            f"**{value}**" if first + i == place else str(value)
            for i, value in enumerate(image.ravel()[first:last].tolist())
        )
        st.markdown(f"Row {row}, column {column} is number **{place}** of the line: … {line} …")
    strip = np.repeat(image.reshape(1, -1), 28, 0)
    st.image(
        _marked(strip, place),
        width="stretch",
        caption=f"The line: {image.size} numbers, number {place} marked",
        alt=f"{digit.title.capitalize()} as one line of {image.size} pixels",
    )
    with st.expander("All its numbers", icon=":material/grid_on:"):
        st.code(first_look.in_text(image), language=None)
    pixel = r"\mathrm{image}_{\mathrm{row},\;\mathrm{column}}"
    maths.show(
        rf"x_{{{width} \cdot \mathrm{{row}} + \mathrm{{column}}}} = {pixel}",
        words=f"Here: {width} · {row} + {column} = {place}, rows and columns counted from 0.",
    )
    links.inside("How a drawing becomes such an image", "ink", "cnn", "learn-to-ink", digit.in_inside)


def _marked(strip: Pixels, place: int) -> Pixels:
    """The line (H, W), with that pixel and its neighbours orange: (H, W, 3)."""
    colored = np.stack([strip] * 3, -1)
    colored[:, max(0, place - 1) : place + 2] = ORANGE
    return colored


def _around(place: int, count: int) -> slice:
    """FRAME places with that one in the middle, where it is not too near to an end."""
    begin = min(max(0, place - FRAME // 2), count - FRAME)
    return slice(begin, begin + FRAME)
