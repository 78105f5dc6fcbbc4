"""Step: a picture is a row of numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.drawing import Pixels
from pages.learn_steps import carried, links
from pages.shared.pictures import enlarged

ORANGE = (230, 97, 0)
TIMES = 10  # pixels that a pixel of the picture is wide
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
        f"{height} x {width} = **{height * width} numbers**. Which pixel is above which, they will have to find out."
    )
    pixel = r"\mathrm{image}_{\mathrm{row},\;\mathrm{column}}"
    st.latex(rf"x_{{{width} \cdot \mathrm{{row}} + \mathrm{{column}}}} = {pixel}")
    st.markdown("**Try it:** choose a pixel and find it in the picture, in the numbers and in the line.")
    for key, value in (("row", 10), ("column", 14)):
        st.session_state.setdefault(f"learn-flat-{key}", value)
    with st.container(horizontal=True):
        row = _number("Row", "row", height)
        column = _number("Column", "column", width)
    place = width * row + column
    rows, columns = _around(row, height), _around(column, width)
    with st.container(horizontal=True, gap="medium"):
        st.image(
            _framed(_marked(enlarged(image, TIMES), row * TIMES, column * TIMES, TIMES), rows, columns),
            width=width * TIMES,
            caption=f"The picture: {digit.title}",
            alt=f"{digit.title.capitalize()} with the pixel in row {row} and column {column} marked",
        )
        with st.container(width=430):
            st.code(first_look.in_text(image[rows, columns]), language=None)
            st.caption(f"The numbers around it, in the frame; {image[row, column]} is its own")
    strip = np.repeat(image.reshape(1, -1), 28, 0)
    st.image(
        _marked(strip, 0, place - 1, 3, len(strip)),
        width="stretch",
        caption=f"The line: {image.size} numbers, number {place} marked",
        alt=f"The same image as one line of {image.size} pixels",
    )
    first, last = max(0, place - AROUND), min(image.size, place + AROUND + 1)
    numbers = ", ".join(
        f"**{value}**" if first + i == place else str(value)
        for i, value in enumerate(image.ravel()[first:last].tolist())
    )
    st.markdown(
        f"Row {row}, column {column} is number {width} x {row} + {column} = **{place}** of the line, "
        f"{image[row, column]}: … {numbers} …"
    )
    with st.expander("All its numbers", icon=":material/grid_on:"):
        st.code(first_look.in_text(image), language=None)
    links.inside(
        "How a drawing becomes such an image", "ink", "cnn", "learn-to-ink", "drawing" if digit.is_own else "0"
    )


def _number(label: str, key: str, count: int) -> int:
    full = f"learn-flat-{key}"
    st.session_state[full] = min(st.session_state[full], count - 1)
    return int(st.number_input(label, 0, count - 1, step=1, key=full, width=130))


def _marked(picture: Pixels, top: int, left: int, wide: int, high: int | None = None) -> Pixels:
    """A grey picture (H, W) in colours, (H, W, 3), with one pixel of it orange."""
    colored = np.stack([picture] * 3, -1)
    colored[top : top + (high or wide), max(0, left) : left + wide] = ORANGE
    return colored


def _around(place: int, count: int) -> slice:
    """FRAME places with that one in the middle, where it is not too near to an end."""
    begin = min(max(0, place - FRAME // 2), count - FRAME)
    return slice(begin, begin + FRAME)


def _framed(picture: Pixels, rows: slice, columns: slice) -> Pixels:
    """An enlarged picture (H, W, 3) with a thin frame around some of its pixels."""
    top, bottom = rows.start * TIMES, rows.stop * TIMES - 1
    left, right = columns.start * TIMES, columns.stop * TIMES - 1
    picture[[top, bottom], left : right + 1] = ORANGE
    picture[top : bottom + 1, [left, right]] = ORANGE
    return picture
