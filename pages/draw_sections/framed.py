"""A picture with a frame around each digit that was read in it, of which one drag can choose a part."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from mnist_core import browser

if TYPE_CHECKING:
    from mnist_core.paper.page_reading import Box
    from mnist_core.reading.numbers import Number

SHOWN = 1_000  # pixels, longer side of the picture
UNSURE = 0.6  # confidence below which a digit is doubted

_framed = st.components.v2.component(
    "digit_lab.framed", css=(browser.FOLDER / "framed.css").read_text(encoding="utf-8"), js=browser.joined("framed")
)


def show(
    picture: Image.Image,
    rows: list[Number],
    key: str,
    words: str,
    highest: str,
    part: Box | None = None,
    choose: Callable[[Box], None] | None = None,
) -> None:
    """The picture, or the `part` of it, with the digits of `rows` and the confidence in each; boxes are in its pixels.

    `words` are its text alternative, `highest` is its height at most, in CSS. `choose` takes the box that is dragged.
    """
    left, top, right, bottom = part or (0, 0, *picture.size)
    sides, corner = (right - left, bottom - top) * 2, (left, top) * 2
    small = picture.crop((left, top, right, bottom)).convert("RGB")
    small.thumbnail((SHOWN, SHOWN))
    content = io.BytesIO()
    small.save(content, "JPEG", quality=85)
    data = {
        "picture": "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode(),
        "words": words,
        "highest": highest,
        "digits": [
            {
                "digit": digit.digit,
                "sure": sure(digit.confidence),
                "doubted": digit.confidence < UNSURE,
                "box": [(at - start) / side for at, start, side in zip(digit.box, corner, sides, strict=True)],
            }
            for row in rows
            for digit in row.digits
        ],
        "choosing": choose is not None,
    }

    def chosen() -> None:
        if choose and (dragged := st.session_state[key].part):
            x, y, to_x, to_y = (
                start + round(share * side) for share, start, side in zip(dragged, corner, sides, strict=True)
            )
            choose((x, y, max(to_x, x + 1), max(to_y, y + 1)))

    _framed(key=key, data=data, on_part_change=chosen)


def sure(confidence: float) -> str:
    """The confidence in words; nothing is certain."""
    return f"{min(99, int(100 * confidence))} %"
