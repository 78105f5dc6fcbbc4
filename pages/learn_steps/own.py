"""Step: your own digit, read by all that the course has built."""

from __future__ import annotations

import streamlit as st

from mnist_core.errors import EmptyDrawing, LabError
from mnist_core.runs.status import RunState
from pages.learn_steps import links, training
from pages.shared import answers, canvas, models

PEN = 30  # pixels
SHIPPED = ("softmax", "mlp", "cnn")


def show() -> None:
    st.markdown(
        "The last test is yours. Your drawing is brought to the form of the training images, flattened or slid over, "
        "multiplied, bent and summed, and ten probabilities come out: all of which you have seen by now. Networks that "
        "have learned more than pixel votes should forgive you more."
    )
    st.markdown("**Try it:** draw a digit. Then draw it badly: who is the first to go wrong?")
    st.fragment(_draw)()
    with st.container(horizontal=True):
        links.inside("Look inside as it is read", "ink", "cnn", "learn-to-inside", "drawing")
        if st.button("Go on in Draw", key="learn-to-draw", icon=":material/draw:"):
            st.switch_page("draw.py")


def _draw() -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        try:
            canvas.draw(PEN, "learn")
        except LabError as error:
            st.error(str(error))
    with right:
        _answers()


def _answers() -> None:
    try:
        seen = canvas.current()
    except EmptyDrawing:
        st.info("Draw a digit.", icon=":material/draw:")
        return
    canvas.show_seen(seen, 4, "What they see: 28 x 28 pixels")
    with st.grid(min_column_width=120, key="learn-answers"):
        for name, title in _readers().items():
            answers.digit_or_none(title, models.get_predictor(name).predict_one(seen))


def _readers() -> dict[str, str]:
    """The shipped models and those of this course, by name, with what to call them."""
    readers = {name: f"{name}, shipped" for name in SHIPPED}
    for step in ("linear", "classic", "convolution"):
        readers |= {row.run: name for name, row in training.finished(step).items() if row.state is RunState.FINISHED}
    return readers
