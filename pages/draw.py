"""Draw a digit and see what a network reads in it while the pen moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from mnist_core import config
from mnist_core.errors import DrawingError, EmptyDrawing, LabError
from mnist_core.reading import catalog
from pages.draw_sections import number, photo
from pages.shared import answers, canvas, corrections, data, live_network, models
from pages.shared.runs import by_name, is_active, titles

if TYPE_CHECKING:
    from mnist_core.browser.program import Program

SOURCES = ("Draw", "Upload", "Camera")
FOLLOW = 1.0  # seconds between looks at the weights of a run that trains
COMPARED = 12  # models at most
DEFAULTS: dict[str, Any] = {"model": catalog.DEFAULT_MODEL, "pen": 30, "compare": False}
WAYS = (
    ("inside", "Why {digit}?"),
    ("train", "Train your own to read this"),
    ("right", "It was right"),
    ("wrong", "It was wrong"),
)


def _draw(name: str, pen_width: int) -> None:
    """The canvas, in a fragment: a stroke is kept, and read as a number where it may be one, without the page."""
    try:
        canvas.draw(pen_width, "draw")
        rows = number.drawn(name)
        live_network.say_number(*number.in_words(rows), canvas.strokes())
        if rows:
            number.show(canvas.ink(), rows)
        elif not _runs_in_browser(name):
            answers.digit("The network reads", models.get_predictor(name).predict_one(canvas.current()))
    except EmptyDrawing:
        return
    except DrawingError as error:
        st.error(by_name(error))
    except LabError:  # the model's, said beside the canvas
        return


def _runs_in_browser(name: str) -> bool:
    try:
        models.get_program(name)
    except LabError:  # said where the answer is
        return False
    return True


def _answer(name: str, compare: bool, following: bool) -> None:
    """What the network reads, live in the browser, and ways on from there.

    `following` says whether this refreshes itself, as it does while the model is being trained.
    """
    if is_active(name) != following:
        st.rerun()
    opened = canvas.opened()
    image = opened.image if opened else None
    try:
        program = models.get_program(name)
        way = live_network.show(program, "draw-live", _compared() if compare else None, image, WAYS)
        is_of_sample = catalog.config_of(name).data == "sample"
    except LabError as error:
        st.error(by_name(error))
        return
    if opened:
        st.caption(f"{opened.title}; draw to replace it")
    if is_of_sample:
        st.caption(f"Trained on {config.SAMPLE_IN_WORDS}.")
    if way:
        _go(name, *way)


def _compared() -> dict[str, Program]:
    """The other models as a browser runs them, by what to call them."""
    called = titles()
    programs = {}
    for name in catalog.names()[:COMPARED]:
        try:
            programs[called.get(name, name)] = models.get_program(name)
        except LabError:  # its weights are damaged, or have just been deleted
            continue
    return programs


def _go(name: str, way: str, digit: int) -> None:
    """To the page that goes on from an answer."""
    if way in ("right", "wrong"):
        if way == "right":
            corrections.keep(digit)
        else:
            st.session_state["draw-correcting"] = name, digit
        st.rerun()
    if way == "inside":
        st.session_state["inside-model"] = name
    if way in dict(WAYS):
        st.switch_page(f"{way}.py")


def _settings(source: str) -> tuple[str, int, bool, bool]:
    """The model, and of the canvas the pen's width, whether all models are compared, and whether it is wide."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width=300):
            name = models.choose_model("draw-model")
        if source != "Draw":
            return name, DEFAULTS["pen"], False, False
        pen_width = st.slider(
            "Pen width", 9, 54, DEFAULTS["pen"], key="draw-pen", help="In pixels.", persist_state="session", width=220
        )
        st.button("A test image", key="draw-test-image", icon=":material/shuffle:", on_click=_place_test_image)
        compare = st.toggle(
            "Compare all",
            key="draw-compare",
            help=f"What each model reads in the same drawing: the shipped ones and the newest runs, {COMPARED} in all.",
            persist_state="session",
        )
        wide = st.toggle("Wide", key="draw-wide", help="A wide canvas, to write a number.", persist_state="session")
    return name, pen_width, compare, wide


def _place_test_image() -> None:
    """A test image by chance in place of a drawing, for those who have no pen at hand."""
    st.session_state["draw-wide"] = False
    image, title = data.any_test_image()
    canvas.open_image(image, title)


corrections.switch()
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Draw a digit", width="content")
    source = st.segmented_control(
        "Source", SOURCES, default="Draw", key="draw-source", label_visibility="collapsed", required=True
    )
    st.caption("**Digit lab**: networks that read handwriting, to try, to train and to look into.", width="content")
place = st.container()
name, pen_width, compare, wide = _settings(str(source))
with place:
    if source != "Draw":
        st.fragment(photo.show)(name, str(source))
    elif wide:
        st.fragment(number.draw_wide)(name, pen_width)
    else:
        left, right = st.columns([canvas.SIZE, 690], gap="medium")
        with left:
            st.fragment(_draw)(name, pen_width)
            corrections.said(name)
        following = is_active(name)
        with right:
            st.fragment(_answer, run_every=FOLLOW if following else None)(name, compare, following)
        if answered := st.session_state.pop("draw-correcting", None):
            corrections.ask(*answered)
models.warm_up()
