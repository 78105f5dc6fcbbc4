"""Step: convolution, by hand and trained."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.course import trainings
from mnist_core.course.sliding import KERNELS, patch, slide
from mnist_core.drawing import Pixels
from mnist_core.inside import colormap
from mnist_core.runs.summary import Row
from pages.learn_steps import carried, links, training
from pages.shared import data
from pages.shared.pictures import enlarged

TIMES = 10  # pixels that a pixel of the picture is wide
ORANGE = (230, 97, 0)


def show() -> None:
    kind = data.data_at_hand("mnist")
    st.markdown(
        "Neighbouring pixels belong together, and a stroke is a stroke wherever it is. A **convolution** knows that: "
        "a small **kernel** of 3 x 3 weights slides over the image, and at each place gives the sum of pixels times "
        "weights. The result is a picture again: of where the kernel finds what it looks for."
    )
    st.markdown("**Try it:** slide the kernel and check a sum; then train a network whose kernels are learned.")
    _slide()
    st.subheader("Learned kernels")
    configs = trainings.trainings("convolution", kind)
    config = configs["convolutions"]
    st.markdown(
        f"A network of such kernels, {config.width} of them in its first layer, found by gradient descent in "
        f"{training.images(config)}:"
    )
    rows = training.show("convolution", "Train", training.accuracies)
    if rows:
        _beside_the_classic(rows["convolutions"])
    with st.container(horizontal=True):
        links.inside("See the shipped cnn's maps", "layers", "cnn", "learn-to-inside")
        links.train("Wider, on Train", config, ("width", "epochs", "lr", "batch_size"), "learn-to-train")


def _slide() -> None:
    digit = carried.digit()
    image = digit.image
    name = st.segmented_control("Kernel", list(KERNELS), default="left edges", key="learn-kernel", required=True)
    kernel = np.array(KERNELS[name or "left edges"])
    slid = slide(image, kernel)
    most = np.unravel_index(slid.argmax(), slid.shape)
    for key, place in zip(("row", "column"), most, strict=True):
        st.session_state.setdefault(f"learn-kernel-{key}", int(place))
    with st.container(horizontal=True):
        row = int(st.slider("Row", 0, len(slid) - 1, key="learn-kernel-row", width=280))
        column = int(st.slider("Column", 0, slid.shape[1] - 1, key="learn-kernel-column", width=280))
    with st.container(key="learn-slide", horizontal=True, gap="medium"):
        st.image(
            _framed(image, row, column),
            width=TIMES * len(image),
            caption=f"{digit.title.capitalize()}, and where the kernel lies",
            alt=f"{digit.title.capitalize()} with a frame of 3 x 3 pixels at row {row} and column {column}",
        )
        st.image(
            colormap.tinted(slid).repeat(TIMES, 0).repeat(TIMES, 1),
            width=TIMES * len(slid),
            caption=f"What it gives at {slid.shape[0]} x {slid.shape[1]} places: orange above 0, blue below",
            alt=f"The image after sliding the kernel {name} over it",
        )
    under = patch(image, row, column)
    st.latex(rf"{_matrix(under, '.2f')} \odot {_matrix(kernel, 'd')}")
    terms = [
        f"{weight} · {value:.2f}"
        for value, weight in zip(under.ravel(), kernel.ravel(), strict=True)
        if weight and value
    ]
    st.caption(
        f"Weight times pixel, summed up: {' + '.join(terms) or 'nothing but blank pixels'} = {slid[row, column]:.2f}"
    )


def _beside_the_classic(row: Row) -> None:
    classic = training.finished("classic").get("the classic")
    training.reached("convolution", {"convolutions": row} | ({"the classic": classic} if classic else {}))
    if classic and classic.parameters and row.parameters:
        st.markdown(
            f"It has **{row.parameters:,} parameters**, the classic {classic.parameters:,}: "
            f"{classic.parameters / row.parameters:.0f} times as many."
        )
    else:
        st.markdown(f"It has **{row.parameters or 0:,} parameters**. Train the classic in step 8 to set it beside.")
    links.inside("See your own network's maps", "layers", row.run, "learn-to-maps")


def _framed(image: Pixels, row: int, column: int) -> Pixels:
    """The picture enlarged, with a frame around 3 x 3 of its pixels: (H, W, 3)."""
    picture = np.stack([enlarged(image, TIMES)] * 3, -1)
    top, left = row * TIMES, column * TIMES
    bottom, right = top + 3 * TIMES, left + 3 * TIMES
    for rows, columns in (
        (slice(top, bottom), slice(left, left + 2)),
        (slice(top, bottom), slice(right - 2, right)),
        (slice(top, top + 2), slice(left, right)),
        (slice(bottom - 2, bottom), slice(left, right)),
    ):
        picture[rows, columns] = ORANGE
    return picture


def _matrix(values: np.ndarray, form: str) -> str:
    rows = r" \\ ".join(" & ".join(format(value, form) for value in row) for row in values.tolist())
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
