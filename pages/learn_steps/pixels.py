"""An image whose pixels are chosen by pointing at them."""

from __future__ import annotations

import base64
from typing import Any

import streamlit as st

from mnist_core import browser
from mnist_core.drawing import Pixels

_pixels = st.components.v2.component("digit_lab.pixels", js=browser.joined("pixels"))


def choose(image: Pixels, key: str, start: tuple[int, int], frame: int, alt: str) -> tuple[int, int]:
    """The row and column that the visitor has chosen in `image` (H, H), uint8; at first `start`.

    They are those of the upper left pixel of a `frame` of so many pixels a side.
    """
    row, column = _place(st.session_state.get(key), len(image) - frame) or start
    sent = _pixels(
        key=key,
        data={
            "image": base64.b64encode(image.tobytes()).decode(),
            "side": len(image),
            "frame": frame,
            "place": [row, column],
            "alt": f"{alt}. Point at a pixel, or use the arrow keys.",
        },
        on_at_change=lambda: None,
    )
    return _place(sent, len(image) - frame) or (row, column)


def _place(state: Any, last: int) -> tuple[int, int] | None:
    """What the browser has sent as a place, None for nothing or what is none."""
    at = state.get("at") if state else None
    if not isinstance(at, list) or len(at) != 2 or not all(type(value) is int and 0 <= value <= last for value in at):
        return None
    return at[0], at[1]
