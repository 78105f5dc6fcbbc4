"""Where a visitor is in the course and what has been done, kept in the page's address."""

import streamlit as st

from mnist_core.errors import DrawingError
from mnist_core.text import shorten
from pages.learn_steps import carried
from pages.shared import address


def follow_link(steps: int) -> None:
    """Go to the step that the address names, with what it says is done and the digit that it holds.

    Only where it is another link than the one that was set here.
    """
    state = st.session_state
    state.setdefault("learn-now", 1)
    state.setdefault("learn-done", set())
    words = address.to_follow("learn")
    if words is None:
        return
    numbers = [str(number) for number in range(1, steps + 1)]
    wrong = [word for word in [words.get("step", "1"), *_list(words.get("done", ""))] if word not in numbers]
    if words.get("step") in numbers:
        state["learn-now"] = int(words["step"])
    state["learn-done"] |= {int(word) for word in _list(words.get("done", "")) if word in numbers}
    try:
        carried.follow_link(words)
    except DrawingError as error:
        state["learn-problem"] = str(error)
    if wrong:
        named = shorten(", ".join(map(repr, wrong)), 200)
        state["learn-problem"] = f"There is no step {named}; there are 1 to {steps}."


def set_link() -> None:
    """Say in the address where the visitor is, what is done, and which digit goes along."""
    words = {"step": str(now())}
    if done():
        words["done"] = ",".join(map(str, sorted(done())))
    address.put("learn", words | carried.in_link())


def say_problem() -> None:
    """Say what could not be used of the address."""
    if problem := st.session_state.pop("learn-problem", None):
        st.warning(problem)


def now() -> int:
    """The step that is shown, from 1."""
    number: int = st.session_state["learn-now"]
    return number


def done() -> frozenset[int]:
    """The steps that are done."""
    return frozenset(st.session_state["learn-done"])


def mark() -> None:
    """The step that is shown is done. For a control's `on_change`, or followed by a rerun of the page."""
    st.session_state["learn-done"].add(now())


def mark_now() -> None:
    """The step that is shown is done; where it was not before, the page runs again."""
    if now() not in done():
        mark()
        st.rerun()


def go(step: int) -> None:
    st.session_state["learn-now"] = step


def start_over() -> None:
    st.session_state["learn-done"] = set()
    go(1)


def _list(words: str) -> list[str]:
    return [word for word in words.split(",") if word]
