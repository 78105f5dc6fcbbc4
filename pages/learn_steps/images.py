"""Step: look at the images."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.figures import course as course_figures
from pages.learn_steps import progress
from pages.shared import charts, data
from pages.shared.pictures import enlarged, in_markdown

if TYPE_CHECKING:
    from mnist_core.course.first_look import Look
    from mnist_core.dataset import Dataset

SHOWN = 12


def show() -> None:
    kind = data.data_at_hand("mnist")
    images, look = _to_learn_from(kind), _look(kind)
    height, width = images.images.shape[1:]
    st.markdown(
        f"Here is all that a network will ever know of digits: **{len(images):,} images** that people wrote, "
        f"{height} x {width} pixels each, and with each one its **label**, the digit it is meant to be. A pixel is a "
        f"number from {look.darkest}, blank, to {look.brightest}, full ink; "
        f"{look.blank:.0%} of them are blank. Another {len(data.test(kind)):,} images are kept aside for the test at "
        "the end."
    )
    st.markdown("**Try it:** choose a digit and look at a few. Which would *you* read wrong?")
    st.session_state.setdefault("learn-digit", 7)
    digit: int = st.segmented_control(  # type: ignore[assignment]  # one is required
        "Digit", range(10), key="learn-digit", required=True, on_change=progress.mark
    )
    others = st.session_state.setdefault("learn-others", 0)
    chosen = np.flatnonzero(images.labels.numpy() == digit)
    picked = np.random.default_rng([digit, others]).choice(chosen, SHOWN, replace=False)
    with st.container(key="learn-images", horizontal=True, gap="small"):
        for index in picked.tolist():
            with st.container(width=60):
                st.markdown(in_markdown(images.images[index].numpy(), f"a training image of a {digit}"))
    st.button("Others", key="learn-more", icon=":material/shuffle:", on_click=_others)
    mean, counts = st.columns([1, 3], vertical_alignment="bottom")
    with mean:
        caption = f"The mean of all {look.counts[digit]:,} images of a {digit}"
        st.image(enlarged(look.means[digit], 6), caption=caption, alt=caption, width=168)
    with counts:
        charts.plot(
            course_figures.counts(look.counts.tolist(), digit),
            "learn-counts",
            "How many training images there are of each digit",
        )


def _others() -> None:
    st.session_state["learn-others"] += 1
    progress.mark()


@functools.lru_cache(maxsize=2)
def _look(kind: str) -> Look:
    from mnist_core.course import first_look

    return first_look.look(_to_learn_from(kind))


@functools.lru_cache(maxsize=2)
def _to_learn_from(kind: str) -> Dataset:
    """All images that are not test images."""
    splits = data.splits(kind, None, 0)
    return splits.train + splits.validation
