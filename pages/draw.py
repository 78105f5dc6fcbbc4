"""Draw a digit and see what a network reads in it."""

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from mnist_core import catalog, config, drawing, figures
from mnist_core.errors import EmptyDrawing, LabError
from pages.shared.models import get_predictor, warm_up

CANVAS = 280  # pixels, square
CLOSE_CALL = 0.1  # a second guess at least this likely is named


@st.fragment
def _show() -> None:
    # the settings stand below, so that on a phone the answer follows the canvas at once
    left, right = st.columns([CANVAS, 420], gap="large")
    model_side, pen_side = st.columns([420, CANVAS], gap="large")
    name: str = model_side.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
        "Model",
        catalog.names(),
        key="draw-model",
        help="The shipped networks, and your own runs by their id, the newest first.",
        persist_state="session",
    )
    pen_width = pen_side.slider("Pen width", 6, 36, 20, key="draw-pen", help="In pixels.", persist_state="session")
    with left:
        image = _canvas(pen_width)
        st.button("Clear", key="clear", icon=":material/delete:", on_click=_clear)
    with right:
        try:
            _answer(name, image)
        except LabError as error:
            st.error(str(error))


def _canvas(pen_width: int) -> drawing.Pixels:
    """What is drawn on the canvas: (280, 280, 4), uint8."""
    st.caption("With a mouse, a pen or a finger:")
    drawn = st_canvas(
        stroke_width=pen_width,
        stroke_color="#fff",
        background_color="#000",
        width=CANVAS,
        height=CANVAS,
        return_image_data=True,
        key=f"canvas-{st.session_state.setdefault('draw-clears', 0)}",
    )
    if drawn.image_data is None:  # nothing was sent yet
        return np.zeros((CANVAS, CANVAS, 4), np.uint8)
    return np.array(drawn.image_data)


def _clear() -> None:
    st.session_state["draw-clears"] += 1  # a canvas with a new key starts empty


def _answer(name: str, image: drawing.Pixels) -> None:
    digit_side, seen_side = st.columns(2)
    with digit_side, st.container(key="answer"):
        try:
            seen = drawing.to_mnist(image)
        except EmptyDrawing:
            st.info("Draw a digit.", icon=":material/draw:")
            return
        loaded = get_predictor(name)
        answer = loaded.answer(seen)
        sure = f"{answer.confidence:.1%} sure"
        st.metric("The network reads", str(answer.digit), sure, delta_color="off", delta_arrow="off")
        second = sorted(range(10), key=lambda digit: answer.probabilities[digit])[-2]
        if answer.probabilities[second] >= CLOSE_CALL:
            st.caption(f"or a {second} ({answer.probabilities[second]:.0%})")
    with seen_side, st.container(key="seen"):
        st.image(
            seen.repeat(5, 0).repeat(5, 1), caption="What it sees: 28 x 28 pixels", alt="The drawing as it is seen"
        )
    st.plotly_chart(
        figures.probabilities(answer.probabilities),
        key="probabilities",
        config={"displayModeBar": False},
        alt="The probability of each digit",
    )
    if loaded.config.data == "sample":
        st.caption(f"Trained on {config.SAMPLE_IN_WORDS}.")


st.title("Draw a digit")
_show()
warm_up()
