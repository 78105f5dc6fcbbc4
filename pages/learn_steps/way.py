"""The carried digit's way through a network that the visitor has trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.figures import course as course_figures
from mnist_core.inside import colormap
from pages.learn_steps import carried
from pages.shared import answers, charts, models
from pages.shared.pictures import enlarged

if TYPE_CHECKING:
    from torch import nn

HEIGHT = 170  # pixels of the bars, as high as the digit beside them
LOUDEST = 6  # units whose weights are shown


def show(model: str, bends: bool = True) -> None:
    """Pixels, units and probabilities, as the run `model` makes them of one another; whether a ReLU `bends` its units.

    Raises LabError.
    """
    from mnist_core.course import way

    digit, loaded = carried.digit(), models.get_predictor(model)
    answer, found = loaded.predict_one(digit.image), way.follow(loaded.network, digit.image)
    pixels, middle, end = st.columns([1, 2, 2], vertical_alignment="bottom", gap="medium")
    with pixels:
        st.image(enlarged(digit.image, 6), width=HEIGHT, alt=f"The pixels of {digit.title}")
        st.caption(f"{digit.image.size} pixels: {digit.title}")
    with middle:
        sums = found.units or found.logits
        charts.plot(course_figures.units(sums, bends and bool(found.units)), "learn-units", "What each unit sums up")
        above = sum(value > 0 for value in found.units)
        st.caption(
            "10 sums, a digit each"
            if not found.units
            else f"{len(sums)} units: {above} are above 0" + (", the grey ones become 0" if bends else "")
        )
    with end:
        answers.probabilities(answer.probabilities, "learn-read", f"Read as {answer.digit}", HEIGHT)
        is_right = digit.label in (None, answer.digit)
        st.caption(f"10 probabilities: :{'green' if is_right else 'red'}[read as {answer.digit}]")
    if found.units:
        _loudest(loaded.network, np.array(found.worth), answer.digit)


def _loudest(network: nn.Module, worth: np.ndarray, digit: int) -> None:
    """What the units look for that add most to the answer."""
    from mnist_core.inside import first_layer

    first = np.argsort(-worth, kind="stable")[:LOUDEST]
    words = f"What the {len(first)} units look for that add most to the {digit}"
    st.image(
        colormap.sheet(first_layer.pictures(network)[first], LOUDEST, 3),
        caption=f"{words}: orange, where ink counts for it, blue, against",
        alt=words,
    )
