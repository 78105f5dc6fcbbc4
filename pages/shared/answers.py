"""What a network reads in an image, as pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from mnist_core.reading.predictions import Predictions
    from mnist_core.reading.predictor import Prediction


def digit(label: str, answer: Prediction, verdict: str = "", **options: Any) -> None:
    """The digit with its confidence, then the `verdict`; `options` are `st.metric`'s."""
    sure = f"{answer.confidence:.1%} sure{verdict}"
    st.metric(label, str(answer.digit), sure, delta_color="off", delta_arrow="off", **options)


def digit_or_none(label: str, answer: Prediction) -> None:
    """The digit as one of several networks' answers, with its confidence, or that it may be none."""
    sure = f"{answer.confidence:.1%} sure" if answer.is_digit else "or no digit"
    st.metric(label, str(answer.digit), sure, delta_color="off", delta_arrow="off", border=True)


def doubt(answer: Prediction) -> None:
    """A badge where the network is not sure that the image shows a digit."""
    if not answer.is_digit:
        st.badge("Not sure this is a digit", icon=":material/help:", color="orange")


def probabilities(
    values: Sequence[float], key: str, alt: str = "The probability of each digit", height: int = 240
) -> None:
    """The ten probabilities as bars, `height` pixels high."""
    from mnist_core.figures import predictions as prediction_figures  # with pandas, which a drawing does not need
    from pages.shared import charts

    charts.plot(prediction_figures.probabilities(values, height), key, alt)


def verdict(table: Predictions, index: int, title: str, key: str) -> None:
    """Whether one image of a table is read right, how sure the network is, and the ten probabilities."""
    true, read = int(table.labels[index]), int(table.digits[index])
    judged = f":green[read right as {read}]" if read == true else f":red[read as {read}]"
    st.markdown(f"**{title}**, {judged}, {table.confidence[index]:.1%} sure, loss {table.loss[index]:.3f}")
    probabilities(table.probabilities[index].tolist(), key)
