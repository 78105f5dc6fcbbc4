"""Several digits that are drawn side by side, read as a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from mnist_core import drawing
from mnist_core.errors import DrawingError, EmptyDrawing, LabError
from pages.draw_sections import framed
from pages.shared import canvas, models
from pages.shared.runs import by_name

if TYPE_CHECKING:
    from mnist_core.drawing import Pixels
    from mnist_core.paper.page_reading import Box
    from mnist_core.reading.numbers import Number

HIGHEST = "190px"
WORDS = "The drawing, each digit in a frame"


def drawn(name: str) -> list[Number]:
    """The drawing on the square canvas as a number of several digits; none where it is not one."""
    try:
        ink = canvas.ink()
    except EmptyDrawing:
        return []
    if canvas.opened() or not drawing.may_be_several(ink):
        return []
    from mnist_core.reading import numbers

    try:
        rows = numbers.read_rows(models.get_predictor(name), ink)
    except DrawingError:
        return []
    return rows if sum(len(row.digits) for row in rows) > 1 else []


def draw_wide(name: str, pen_width: int) -> None:
    """The wide canvas with what the network reads on it once the pen is up, in a fragment."""
    left, right = st.columns([canvas.WIDE[0], 270], gap="medium")
    try:
        with left:
            canvas.draw(pen_width, "draw", wide=True)
        ink = canvas.ink(wide=True)
        from mnist_core.reading import numbers

        rows = numbers.read_rows(models.get_predictor(name), ink)
    except EmptyDrawing:
        right.caption("Write a number: it is read when the pen is up.")
        return
    except LabError as error:
        right.error(by_name(error))
        return
    with right, st.container(key="answer"):
        say(rows)
    show(ink, rows)


def show(ink: Pixels, rows: list[Number]) -> None:
    """The part of the drawing that holds the digits, each in a frame."""
    box = _around([digit.box for row in rows for digit in row.digits], ink.shape)
    framed.show(Image.fromarray(ink), rows, "draw-number", WORDS, HIGHEST, part=box)


def _around(boxes: list[Box], shape: tuple[int, ...]) -> Box:
    """The box around all of these, with a margin, in an image (H, W) of that shape."""
    margin = max(bottom - top for _, top, _, bottom in boxes) // 4
    left, top = (max(0, min(box[side] for box in boxes) - margin) for side in (0, 1))
    right, bottom = (min(shape[3 - side], max(box[side] for box in boxes) + margin) for side in (2, 3))
    return left, top, right, bottom


def in_words(rows: list[Number]) -> tuple[str, str]:
    """The numbers as text, and how sure the network is of their digits; empty for none."""
    if not rows:
        return "", ""
    least = min(digit.confidence for row in rows for digit in row.digits)
    return " ".join(row.number for row in rows), f"at least {framed.sure(least)} sure of each"


def say(rows: list[Number]) -> None:
    """The numbers as text, and how sure the network is of their digits."""
    value, words = in_words(rows)
    st.metric("The network reads", value, words, delta_color="off", delta_arrow="off")
    if any(digit.confidence < framed.UNSURE for row in rows for digit in row.digits):
        st.badge("Not sure of every digit", icon=":material/help:", color="orange")
