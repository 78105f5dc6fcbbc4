"""Step: look at the images, and add one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.errors import DrawingError, EmptyDrawing
from mnist_core.figures import course as course_figures
from pages.learn_steps import carried
from pages.shared import canvas, charts, data
from pages.shared.pictures import enlarged, in_markdown

if TYPE_CHECKING:
    from mnist_core.course.first_look import Look
    from mnist_core.dataset import Dataset

PEN = 30  # pixels
SHOWN = 10


def show() -> None:
    kind = data.data_at_hand("mnist")
    left, right = st.columns([2, 3], gap="large")
    with left:
        _draw()
    with right:
        _label()
        _others(kind)
        _all(kind)


def _all(kind: str) -> None:
    """What all images have in common, and how many there are of each digit."""
    images, look = _to_learn_from(kind), _look(kind)
    height, width = images.images.shape[1:]
    st.markdown(
        f"This is all that a network will ever know of digits: **{len(images):,} images** that people wrote, "
        f"{height} x {width} pixels each, and with each one its **label**, the digit it is meant to be. A pixel is a "
        f"number from {look.darkest}, blank, to {look.brightest}, full ink; {look.blank:.0%} of them are blank. "
        f"Another {len(data.test(kind)):,} images are kept aside for the test at the end."
    )
    charts.plot(
        course_figures.counts(look.counts.tolist(), carried.label()),
        "learn-counts",
        "How many training images there are of each digit",
    )


def _draw() -> None:
    """The canvas; what is drawn on it goes along."""
    st.markdown("**Try it:** draw a digit. It goes with you through the whole course.")
    try:
        canvas.draw(PEN, "learn", on_stroke=carry)
        carry()
    except DrawingError as error:
        st.error(str(error))


def carry() -> None:
    """Take what is drawn along; also as the step is left, for Next may end the run that would have done so."""
    try:
        carried.keep(canvas.current())
    except EmptyDrawing:
        carried.keep(None)


def _label() -> None:
    """What a network gets of the drawing: pixels and a label."""
    st.session_state["learn-digit"] = carried.label()
    st.segmented_control(
        "Which digit is it? That is its label.",
        range(10),
        key="learn-digit",
        on_change=lambda: carried.give_label(st.session_state["learn-digit"]),
    )


def _others(kind: str) -> None:
    """The drawing among training images: of its digit, or where it has no label, of any."""
    digit, images, look = carried.label(), _to_learn_from(kind), _look(kind)
    others = st.session_state.setdefault("learn-others", 0)
    labels = images.labels.numpy()
    chosen = np.flatnonzero(labels == digit) if digit is not None else np.arange(len(labels))
    picked = np.random.default_rng([10 if digit is None else digit, others]).choice(chosen, SHOWN, replace=False)
    own = carried.digit()
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if own.is_own:
            caption = f"{own.title.capitalize()} as a network sees it"
            st.image(enlarged(own.image, 6), caption=caption, alt=caption, width=150)
        if digit is not None:
            caption = f"The mean of all {look.counts[digit]:,} training images of a {digit}"
            st.image(enlarged(look.means[digit], 6), caption=caption, alt=caption, width=150)
    st.markdown("What others wrote. Which would *you* read wrong?")
    with st.container(key="learn-images", horizontal=True, gap="xsmall"):
        for index in picked.tolist():
            with st.container(width=56):
                st.markdown(in_markdown(images.images[index].numpy(), f"a training image of a {labels[index]}"))
    st.button("Others", key="learn-more", icon=":material/shuffle:", on_click=_next)


def _next() -> None:
    st.session_state["learn-others"] += 1


@functools.lru_cache(maxsize=2)
def _look(kind: str) -> Look:
    from mnist_core.course import first_look

    return first_look.look(_to_learn_from(kind))


@functools.lru_cache(maxsize=2)
def _to_learn_from(kind: str) -> Dataset:
    """All images that are not test images."""
    splits = data.splits(kind, None, 0)
    return splits.train + splits.validation
