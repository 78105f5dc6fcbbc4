"""Step: test on single images."""

from __future__ import annotations

import random

import numpy as np
import streamlit as st

from mnist_core.reading.predictions import Predictions
from mnist_core.runs.status import RunState
from pages.learn_steps import links, progress, training
from pages.shared import answers, data, models
from pages.shared.pictures import enlarged


def show() -> None:
    name, words = _model()
    kind = data.data_at_hand("mnist")
    table = models.get_predictions(name, kind, "test")
    wrong = np.flatnonzero(~table.right)
    st.markdown(
        f"One number for {len(table):,} images hides a lot. Here is {words}, one test image at a time: what it reads "
        "is the digit with the highest probability, and how high it is says how sure it is. It reads "
        f"**{len(wrong):,} images wrong**; some of them are hard for you, too, and some are not."
    )
    st.latex(r"\hat{d} = \arg\max_d\; p_d")
    st.markdown("**Try it:** find a mistake that you would not make, and one that you would.")
    st.session_state.setdefault("learn-image", 0)
    st.session_state["learn-image"] = min(st.session_state["learn-image"], len(table) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index = int(st.number_input("Test image", 0, len(table) - 1, step=1, key="learn-image", width=140))
        st.button("Any", key="learn-any", icon=":material/shuffle:", on_click=_go, args=(range(len(table)), False))
        st.button(
            "One it reads wrong",
            key="learn-wrong",
            type="primary",
            icon=":material/error:",
            on_click=_go,
            args=(wrong.tolist(), True),
            disabled=not len(wrong),
        )
    _one(table, index)
    with st.container(horizontal=True):
        links.browse("Browse all its mistakes", name, "learn-to-browse")
        links.inside("Why this digit?", "why", name, "learn-to-why", str(index))


def _one(table: Predictions, index: int) -> None:
    true = int(table.labels[index])
    picture, bars = st.columns([1, 2], vertical_alignment="center")
    with picture:
        st.image(enlarged(table.images[index], 8), alt=f"Test image {index}, a true {true}")
    with bars:
        answers.verdict(table, index, f"A true {true}", "learn-probabilities")


def _model() -> tuple[str, str]:
    """The visitor's classic, or else the shipped one; its name, and what to call it."""
    rows = training.finished("classic")
    if rows and rows["the classic"].state is RunState.FINISHED:
        return rows["the classic"].run, "the classic that was trained here"
    return "mlp", "the shipped mlp (train the classic, and it takes its place)"


def _go(images: list[int] | range, done: bool) -> None:
    st.session_state["learn-image"] = random.choice(images)  # noqa: S311  # no secret
    if done:
        progress.mark()
