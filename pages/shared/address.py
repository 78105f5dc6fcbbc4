"""What a page's controls are set to, as words in its address, so that a link opens the page as it was."""

import time
from collections.abc import Mapping

import streamlit as st

SETTLED = 3.0  # seconds within which the browser has taken over a change of the address


def to_follow(page: str, others: tuple[str, ...] = ()) -> dict[str, str] | None:
    """The address's words without `others`, where the page's controls have to be set to them, else None.

    They have to be on the first visit, after `forget`, and where the words are neither none nor the ones that `put`
    wrote there.
    """
    words = {name: word for name, word in st.query_params.items() if name not in others}
    if f"{page}-link" not in st.session_state:
        return words
    written, moment = st.session_state[f"{page}-link"]
    # for a moment the browser may still send the address from before its last change
    return words if words and words != written and time.monotonic() - moment > SETTLED else None


def put(page: str, words: Mapping[str, str], others: tuple[str, ...] = ()) -> None:
    """Write the words into the address, beside those of `others` that stand there."""
    remember(page, words)
    whole = {**words, **{name: word for name, word in st.query_params.items() if name in others}}
    if whole != st.query_params.to_dict():
        st.query_params.from_dict(whole)


def remember(page: str, words: Mapping[str, str]) -> bool:
    """Take the words as followed already; whether they are others than before."""
    is_new: bool = st.session_state.get(f"{page}-link", (None,))[0] != words
    if is_new:
        st.session_state[f"{page}-link"] = words, time.monotonic()
    return is_new


def forget(page: str) -> None:
    """Have the address followed at the next look, whatever was written last."""
    st.session_state.pop(f"{page}-link", None)
