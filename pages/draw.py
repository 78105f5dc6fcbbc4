"""Draw a digit and see what a network reads in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image

from mnist_core import config
from mnist_core.errors import DrawingError, EmptyDrawing, LabError
from mnist_core.reading import catalog
from pages.shared import answers, canvas, models, photo
from pages.shared.entry import through_app
from pages.shared.markdown import plain
from pages.shared.runs import is_active, titles

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from mnist_core.reading.numbers import Number
    from mnist_core.reading.predictor import Predictor

SOURCES = ("Draw", "Upload", "Camera")
CLOSE_CALL = 0.1  # a second guess at least this likely is named
FOLLOW = 1.0  # seconds between looks at the weights of a run that trains
COMPARED = 12  # models at most
DEFAULTS: dict[str, Any] = {"model": catalog.DEFAULT_MODEL, "pen": 20, "compare": False}


def _show(following: bool) -> None:
    """All of the page, in a fragment: each stroke and each control is answered without more than this.

    `following` says whether the fragment refreshes itself, as it does while the model is being trained.
    """
    # the answer comes before the controls, here as on the page: nothing is to delay it
    name, pen_width, compare = (st.session_state.get(f"draw-{key}", default) for key, default in DEFAULTS.items())
    source = st.segmented_control(
        "Source", SOURCES, default="Draw", key="draw-source", label_visibility="collapsed", required=True
    )
    left, right = st.columns([canvas.SIZE, 420], gap="large")
    try:
        if source == "Draw":
            with left:
                st.caption("With a mouse, a pen or a finger:")
                canvas.draw(pen_width)
        else:
            _photo(name, str(source), left, right)
    except LabError as error:
        left.error(str(error))
    if source == "Draw":
        with right:
            try:
                _answer(name)
            except LabError as error:
                st.error(str(error))
        if compare:
            _compare()
    if _settings() != (name, pen_width, compare) or is_active(name) != following:
        st.rerun()  # the page was just entered, with settings from before, or a training has begun or ended


def _photo(name: str, source: str, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """What the network reads in a photo, and where."""
    with left:
        image = photo.take(source)
    if image is None:
        right.info("Digits side by side, dark on light: on paper, a screen, a board.", icon=":material/photo_camera:")
        return
    from mnist_core.reading import numbers

    try:
        rows = numbers.read_rows(models.get_predictor(name), image)
    except LabError as error:
        right.error(str(error))
        rows = []
    with right, st.container(key="answer"):
        if rows:
            photo.number(rows)
        st.image(photo.with_boxes(image, rows), alt="The photo, each digit that is read in a frame")


def _settings() -> tuple[str, int, bool]:
    with st.container(horizontal=True):
        with st.container(width=420):
            name = models.choose_model("draw-model")
        with st.container(width=280):
            pen_width = st.slider(
                "Pen width",
                6,
                36,
                DEFAULTS["pen"],
                key="draw-pen",
                help="In pixels.",
                persist_state="session",
            )
    compare = st.toggle(
        "Compare all",
        key="draw-compare",
        help=f"What each model reads in the same drawing: the shipped ones and the newest runs, {COMPARED} in all.",
        persist_state="session",
    )
    return name, pen_width, compare


def _answer(name: str) -> None:
    digit_side, seen_side = st.columns(2)
    with digit_side, st.container(key="answer"):
        begin = time.perf_counter()
        try:
            seen = canvas.current()
        except EmptyDrawing:
            st.info("Draw a digit.", icon=":material/draw:")
            return
        prepared = time.perf_counter() - begin
        loaded = models.get_predictor(name)
        begin = time.perf_counter()
        answer = loaded.predict_one(seen)
        taken = prepared + time.perf_counter() - begin
        rows = [] if answer.is_digit else _several(loaded)
        if rows:
            photo.number(rows)
        else:
            answers.digit("The network reads", answer)
            answers.doubt(answer)
        if not rows and answer.probabilities[answer.second] >= CLOSE_CALL:
            st.caption(f"or a {answer.second} ({answer.probabilities[answer.second]:.0%})")
        st.caption(f"Read in {taken * 1000:.1f} ms.")
    with seen_side, st.container(key="seen"):
        if rows:
            st.image(photo.with_boxes(Image.fromarray(canvas.ink()), rows), alt="The drawing, each digit in a frame")
        else:
            canvas.show_seen(seen, 5, "What it sees: 28 x 28 pixels")
    if not rows:
        answers.probabilities(answer.probabilities, "probabilities")
    if loaded.config.data == "sample":
        st.caption(f"Trained on {config.SAMPLE_IN_WORDS}.")


def _several(model: Predictor) -> list[Number]:
    """The drawing as a number of several digits; none where it is not one."""
    from mnist_core.reading import numbers

    try:
        rows = numbers.read_rows(model, canvas.ink())
    except DrawingError:
        return []
    return rows if sum(len(row.digits) for row in rows) > 1 else []


def _compare() -> None:
    """Each model's answer to the drawing, in a row."""
    with st.grid(min_column_width=150, key="compared"):
        try:
            seen = canvas.current()
        except LabError:  # said above
            return
        called = titles()
        for name in catalog.names()[:COMPARED]:
            title = plain(called.get(name, name))
            try:
                answer = models.get_predictor(name).predict_one(seen)
            except LabError as error:
                st.metric(title, "-", help=str(error), border=True)
                continue
            answers.digit_or_none(title, answer)


through_app()
st.title("Draw a digit")
following = is_active(st.session_state.get("draw-model", DEFAULTS["model"]))
st.fragment(_show, run_every=FOLLOW if following else None)(following)
models.warm_up()
