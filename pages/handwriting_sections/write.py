"""Digits written one after the other: three rounds of ten."""

import functools
import random

import streamlit as st

from mnist_core.errors import EmptyDrawing, LabError
from pages.shared import canvas, own
from pages.shared.markdown import plain

ROUNDS = 3
PEN = 30  # pixels


def show(name: str) -> None:
    """Which digit to write, the canvas, and what to do with what is on it."""
    turn = st.session_state.setdefault("own-turn", 0)
    order = _order(name)
    digit = order[turn % len(order)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"Write a {digit}" if digit != 8 else "Write an 8", anchor=False, width="content")
        place = f"{turn + 1} of {len(order)}" if turn < len(order) else f"{turn} written: enough to teach"
        st.caption(f"{place}; {_kept(name)} in the set", width="content")
        has_kept = bool(st.session_state.get("own-kept"))
        st.button("Take back the last", key="own-back", type="tertiary", on_click=_take_back, disabled=not has_kept)
    if problem := st.session_state.pop("own-problem", None):
        st.warning(plain(problem))
    try:
        canvas.draw(PEN, "handwriting", functools.partial(_buttons, digit))
    except LabError as error:
        st.error(str(error))
    st.caption("Keys: Enter keeps, Escape clears, Backspace undoes.")


def _kept(name: str) -> str:
    try:
        return f"{own.count(name):,}"
    except LabError:  # keeping a digit will say it
        return "none"


def _buttons(digit: int) -> None:
    st.button("Keep", key="clear-keep", type="primary", icon=":material/check:", on_click=_keep, args=(digit,))
    st.button("Skip", key="clear-skip", icon=":material/skip_next:", on_click=_skip)


@functools.lru_cache(maxsize=64)
def _order(name: str) -> list[int]:
    """The digits of all rounds, each round in an order of its own, so that nobody writes by heart."""
    chance = random.Random(name)  # noqa: S311  # no secret
    return [digit for _ in range(ROUNDS) for digit in chance.sample(range(10), 10)]


def _keep(digit: int) -> None:
    try:
        kept = own.keep(digit, canvas.ink())
    except EmptyDrawing:
        st.session_state["own-problem"] = f"Nothing is drawn: write a {digit}, or skip it."
        return
    except LabError as error:
        st.session_state["own-problem"] = str(error)
        return
    canvas.clear()
    st.session_state.setdefault("own-kept", []).append(kept)
    st.session_state["own-turn"] += 1


def _skip() -> None:
    canvas.clear()
    st.session_state["own-turn"] += 1


def _take_back() -> None:
    """Remove what was kept last in this visit, to be written again."""
    kept = st.session_state["own-kept"].pop()
    st.session_state["own-turn"] = max(0, st.session_state["own-turn"] - 1)
    try:
        own.remove(kept)
    except LabError as error:
        st.session_state["own-problem"] = str(error)
