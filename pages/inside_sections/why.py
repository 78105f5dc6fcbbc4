"""Why this digit, and why not another: what each pixel counts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from mnist_core.inside import colormap
from pages.shared import data
from pages.shared.inspected import Subject
from pages.shared.pictures import enlarged

if TYPE_CHECKING:
    from mnist_core.inside.attribution import Attribution

TIMES = 12  # pixels that a pixel is wide
AVERAGE, BLANK = "the average digit", "a blank image"


def show(subject: Subject) -> None:
    from mnist_core.inside import attribution

    answer = subject.answer
    with st.container(horizontal=True, vertical_alignment="bottom"):
        baseline = st.segmented_control(
            "Compared with",
            [AVERAGE, BLANK],
            default=AVERAGE,
            key="why-baseline",
            required=True,
            help="Where the image is the same as that, nothing counts: beside a blank image only ink can speak, beside "
            "the average digit missing ink as well.",
        )
        others = [digit for digit in range(10) if digit != answer.digit]
        against: int = st.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
            "Why not", others, index=others.index(answer.second), key=f"why-against-{answer.digit}", width=110
        )
    base = _average(data.data_at_hand(subject.model.config.data)) if baseline == AVERAGE else None
    network = subject.model.network
    left, right = st.columns(2, gap="large")
    for column, title, other in (
        (left, f"Why a {answer.digit}", None),
        (right, f"Why a {answer.digit} and no {against}", against),
    ):
        with column, st.container(key="why" if other is None else "why-not"):
            found = attribution.integrated_gradients(network, subject.image, answer.digit, other, base)
            st.subheader(title)
            _picture(subject, found, title, baseline or AVERAGE)
    st.caption(
        "Integrated gradients (Sundararajan, Taly and Yan, 2017): orange speaks for it, blue against it, the ink is "
        "grey. All pixels together make up the difference between the two scores."
    )


def _picture(subject: Subject, found: Attribution, title: str, baseline: str) -> None:
    picture = enlarged(colormap.overlaid(subject.image, found.pixels), TIMES)
    st.image(picture, alt=f"{title}: what each pixel counts, orange for it, blue against it")
    st.markdown(
        f"Score {found.score:.2f}, of {baseline} {found.baseline_score:.2f}: the pixels add up to "
        f"**{found.pixels.sum():+.2f}**, {abs(found.gap):.2f} off the difference."
    )


@functools.cache
def _average(kind: str) -> npt.NDArray[np.float32]:
    """The mean of all test images: (28, 28), 0 to 255."""
    mean: npt.NDArray[np.float32] = data.test(kind).images.float().mean(0).numpy()
    return mean
