"""A visitor's own digits: in which set they are kept, and what is kept there."""

import pathlib
from collections.abc import Iterator
from typing import TypeVar

import streamlit as st

from mnist_core.drawing import Pixels
from mnist_core.errors import LabError
from mnist_core.own_digits import digit_set, digit_store
from mnist_core.own_digits.digit_set import DigitSet
from mnist_core.own_digits.digit_store import DIGITS

DEFAULT = "me"
T = TypeVar("T")


def set_name() -> str:
    """The name of the set that the visitor's digits go to: the one that was chosen, else one of their own.

    On this machine alone that is "me"; where others visit as well it is the first such name that is free.
    """
    name: str | None = st.session_state.get("own-set")
    if not name:
        name, number = DEFAULT, 1
        while st.context.ip_address and DIGITS.has(name):
            number += 1
            name = f"{DEFAULT}-{number}"
        st.session_state["own-set"] = name
        if st.context.ip_address:
            st.session_state["own-set-free"] = name
    return name


def choose_set() -> str:
    """A control for the set; the name of the one that is chosen, which may be new. Raises DatasetError for no name."""
    names = [one.name for one in DIGITS.sets()]
    current = set_name()
    if current not in names:
        names.insert(0, current)
    chosen = st.selectbox(
        "Whose digits?",
        names,
        index=names.index(current),
        key="own-set-choice",
        accept_new_options=True,
        help="Each set has a name. Type a new one to begin another.",
        width=220,
    )
    name = chosen or current
    digit_store.check_name(name)
    st.session_state["own-set"] = name
    return name


def opened(name: str) -> DigitSet | None:
    """The set of that name, None before anything is kept in it."""
    return DIGITS.open(name) if DIGITS.has(name) else None


def count(name: str) -> int:
    """How many digits the set of that name has."""
    kept = opened(name)
    return len(kept.files()) if kept else 0


def with_bar(words: str, work: Iterator[tuple[float, T]]) -> T:
    """The last that `work` gives, with a bar of the share that it gives beside it."""
    place = st.empty()
    shown = -1
    try:
        for share, latest in work:
            result = latest
            if int(100 * share) > shown:  # each time is a message to the browser
                shown = int(100 * share)
                place.progress(share, text=f"{words}: {shown} %")
    finally:
        place.empty()
    return result


def keep(digit: int, ink: Pixels) -> str:
    """Keep the ink as that digit in the visitor's set; its name there, such as "me/4/one.png". Raises DatasetError."""
    kept = _own_set()
    return f"{kept.name}/{kept.place(kept.add(digit, ink))}"


def _own_set() -> DigitSet:
    """The visitor's set, made with its first digit. Where another visitor has just begun one of a name that was free
    for both, it is the next that is free.
    """
    name = set_name()
    if st.session_state.get("own-set-free") == name and DIGITS.has(name):
        del st.session_state["own-set"]
        name = set_name()
        st.session_state["own-set-choice"] = name
    st.session_state["own-set-free"] = None
    return DIGITS.open_or_create(name)


def remove(name: str) -> None:
    """Remove what `keep` has kept. Raises DatasetError."""
    set_name, _, place = name.partition("/")
    DIGITS.open(set_name).remove(place)


def where(name: str) -> str:
    """The folder in which the set is kept, as Markdown code."""
    return f"`{(DIGITS.folder / name).resolve()}`"


def image_of(path: pathlib.Path) -> Pixels | None:
    """One digit as a network sees it; None for a file that cannot be read, as teaching will say."""
    try:
        return digit_set.prepared(path)
    except (LabError, OSError):
        return None
