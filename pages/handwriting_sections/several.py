"""Sets of several people: which of them are taught, and which one judges what was learnt."""

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.own_digits.digit_store import DIGITS
from pages.shared import own


def choose() -> tuple[list[str], list[str]]:
    """The sets to teach, and the one to judge by; none for that where a part of those taught is held back."""
    try:
        counts = {one.name: own.count(one.name) for one in DIGITS.sets()}
    except LabError as error:
        st.error(str(error))
        return [], []
    if len(counts) < 2:
        st.info(
            "Each person writes a set of their own: type a new name under `Whose digits?` on `Write`.",
            icon=":material/group:",
        )
        return list(counts), []
    place = st.container()
    judge: str = st.selectbox(  # type: ignore[assignment]  # as in models.choose_model
        "Judge by",
        ["", *counts],
        key="own-judge",
        format_func=lambda name: name or "a part of those taught",
        persist_state="session",
        width=300,
    )
    others = [name for name in counts if name != judge]
    with place:
        taught = st.pills(
            "Sets to teach",
            others,
            selection_mode="multi",
            default=others,
            key=f"own-sets-{judge}",  # another judge: all the others, once more
            format_func=lambda name: f"{name}: {counts[name]:,}",
        )
    count = sum(counts[name] for name in taught)
    judged = f"judged by all {counts[judge]:,} of {judge}" if judge else "a part of which is held back to judge by"
    st.caption(f"{count:,} digits, {judged}.")
    return list(taught), [judge] if judge else []
