"""Step: test on single images."""

from __future__ import annotations

import random

import numpy as np
import streamlit as st

from mnist_core.drawing import Pixels
from mnist_core.reading.predictions import Predictions
from mnist_core.runs.status import RunState
from pages.learn_steps import carried, links, maths, training
from pages.learn_steps.carried import Carried
from pages.shared import answers, data, models
from pages.shared.pictures import enlarged

ORANGE = (230, 97, 0)
# Which test images stand beside the digit: how many of a hundred are harder. The mistakes are the first few.
BESIDE = (0.0, 0.3, 0.6, 1.0, 2.0, 5.0, 10.0, 30.0, 90.0)


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
    _place(name, table, carried.digit())
    st.markdown("**Try it:** find a mistake that you would not make, and one that you would.")
    st.session_state.setdefault("learn-image", 0)
    st.session_state["learn-image"] = min(st.session_state["learn-image"], len(table) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index = int(st.number_input("Test image", 0, len(table) - 1, step=1, key="learn-image", width=140))
        st.button("Any", key="learn-any", icon=":material/shuffle:", on_click=_go, args=(range(len(table)),))
        st.button(
            "One it reads wrong",
            key="learn-wrong",
            type="primary",
            icon=":material/error:",
            on_click=_go,
            args=(wrong.tolist(),),
            disabled=not len(wrong),
        )
    _one(table, index)
    maths.show(
        r"\hat{d} = \arg\max_d\; p_d",
        words="What is read is the digit with the highest probability. The less of it the true digit gets, the harder "
        "is the image.",
    )
    with st.container(horizontal=True):
        links.browse("Browse all its mistakes", name, "learn-to-browse")
        links.inside("Why this digit?", "why", name, "learn-to-why", str(index))


def _place(name: str, table: Predictions, digit: Carried) -> None:
    """The digit among the test images, the hardest first."""
    answer = models.get_predictor(name).predict_one(digit.image)
    truth = answer.digit if digit.label is None else digit.label
    hardest = np.argsort(-table.loss, kind="stable")
    given = table.probabilities[np.arange(len(table)), table.labels][hardest]  # to the truth, rising
    place = int(np.searchsorted(given, answer.probabilities[truth]))
    st.markdown(
        f"It reads {digit.title} as **{answer.digit}** and gives the {truth} {answer.probabilities[truth]:.1%}: "
        f"{place:,} of the test images are harder for it."
    )
    beside = [min(len(table) - 1, round(share / 100 * len(table))) for share in BESIDE]
    with st.container(key="learn-place", horizontal=True, gap="small"):
        for rank in sorted([*beside, place - 0.5]):
            with st.container(width=84):
                if rank == place - 0.5:
                    st.image(_framed(enlarged(digit.image, 3)), width=84, alt=digit.title)
                    st.caption(f":orange[**{digit.title}**]")
                    continue
                index = int(hardest[int(rank)])
                true, read = int(table.labels[index]), int(table.digits[index])
                st.image(enlarged(table.images[index], 3), width=84, alt=f"Test image {index}, a true {true}")
                st.caption(f"a {true}" if read == true else f"a {true}, :red[read as {read}]")


def _framed(picture: Pixels) -> Pixels:
    """A grey picture (H, W) with a frame, (H, W, 3)."""
    framed = np.full((*picture.shape, 3), ORANGE, np.uint8)
    framed[3:-3, 3:-3] = picture[3:-3, 3:-3, None]
    return framed


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


def _go(images: list[int] | range) -> None:
    st.session_state["learn-image"] = random.choice(images)  # noqa: S311  # no secret
