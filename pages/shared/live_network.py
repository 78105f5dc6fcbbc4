"""A network that answers in the visitor's browser while the pen moves on the canvas, drawn and lit by what is drawn."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_core import browser
from mnist_core.browser import program
from mnist_core.browser.program import Program
from mnist_core.drawing import Pixels

MODULES = (*browser.ANSWER, "curve", "drawable_canvas", "live")

_live = st.components.v2.component(
    "digit_lab.live", css=browser.style(), js=browser.joined(*MODULES), isolate_styles=False
)
_states = st.components.v2.component(
    "digit_lab.states",
    js="""
    export default ({ data }) => {
      window.dispatchEvent(new CustomEvent("lab-states", { detail: data }))
    }
    """,
)
_number = st.components.v2.component(
    "digit_lab.number",
    js="""
    export default ({ data }) => {
      window.dispatchEvent(new CustomEvent("lab-number", { detail: data?.digits ? data : null }))
    }
    """,
)


def show(
    network: Program,
    key: str,
    compared: Mapping[str, Program] | None = None,
    opened: Pixels | None = None,
    ways: Sequence[tuple[str, str]] = (),
    **training: Any,
) -> tuple[str, int] | None:
    """What the network reads on the canvas, live; the way on that the visitor has just taken, and from which digit.

    `compared` answer as well, by their titles. `opened` (28, 28) is read while nothing is drawn. `ways` are names and
    words of buttons, with "{digit}" for the answer, as "a 7". `training` has the `run` and the `step` that the
    network's weights are of, so that a curve shows how the answer came about, a `label` of the answer, and the
    picture's `height`.
    """
    compared = compared or {}
    data = program.pack(
        [network, *compared.values()],
        titles=list(compared),
        opened=None if opened is None else base64.b64encode(opened.tobytes()).decode(),
        ways=list(ways),
        **training,
    )
    taken = _live(key=key, data=data, on_way_change=lambda: None).way
    return (str(taken["name"]), int(taken["digit"])) if taken else None


def send_states(run: str, states: Mapping[int, Program]) -> None:
    """Have the curve of that run know what its network was at these steps."""
    _states(key="live-states", data=program.pack(list(states.values()), run=run, steps=list(states)))


def say_number(number: str, words: str, strokes: int) -> None:
    """Have the answer be a number of several digits, until another stroke begins; "" for none."""
    _number(key="live-number", data={"digits": number, "words": words, "strokes": strokes})
