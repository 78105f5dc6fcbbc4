"""Step: convolution, by hand and trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from mnist_core.course import trainings
from mnist_core.course.sliding import KERNELS, patch, slide
from mnist_core.inside import colormap
from mnist_core.inside.colormap import Picture
from mnist_core.runs.summary import Row
from pages.learn_steps import carried, links, maths, pixels, training
from pages.shared import data

TIMES = 12  # pixels that a place of the picture is wide
SHOWN = 260  # pixels that the picture is wide
SQUARE = 28  # pixels that a number under the kernel is wide
ORANGE = (230, 97, 0)


def show() -> None:
    kind = data.data_at_hand("mnist")
    st.markdown(
        "Neighbouring pixels belong together, and a stroke is a stroke wherever it is. A **convolution** knows that: "
        "a small **kernel** of 3 x 3 weights slides over the image, and at each place gives the sum of pixels times "
        "weights. The result is a picture again: of where the kernel finds what it looks for."
    )
    st.markdown("**Try it:** drag the kernel over the image; then train a network whose kernels are learned.")
    _slide()
    st.subheader("Learned kernels")
    configs = trainings.trainings("convolution", kind)
    config = configs["convolutions"]
    st.markdown(
        f"A network of such kernels, {config.width} of them in its first layer, found by gradient descent in "
        f"{training.images(config)}:"
    )
    training.show("convolution", "Train", training.accuracies, _beside_the_classic)
    with st.container(horizontal=True):
        links.inside("See the shipped cnn's maps", "layers", "cnn", "learn-to-inside")
        links.train("Wider, on Train", config, ("width", "epochs", "lr", "batch_size"), "learn-to-train")


def _slide() -> None:
    digit = carried.digit()
    name = st.segmented_control("Kernel", list(KERNELS), default="left edges", key="learn-kernel", required=True)
    kernel = np.array(KERNELS[name or "left edges"])
    slid = slide(digit.image, kernel)
    row, column = (int(place) for place in np.unravel_index(slid.argmax(), slid.shape))
    picture, result, terms = st.columns(3, gap="medium")
    with picture:
        row, column = pixels.choose(
            digit.image, "learn-place", (row, column), len(kernel), f"{digit.title} and a kernel"
        )
        st.caption(f"Drag the kernel over {digit.title}.")
    with result:
        st.image(_marked(slid, row, column), alt=f"The image after sliding the kernel {name} over it", width=SHOWN)
        st.caption(f"What it gives at {slid.shape[0]} x {slid.shape[1]} places: orange above 0, blue below")
    under = patch(digit.image, row, column)
    with terms:
        _terms(under, kernel)
    maths.show(
        rf"{_matrix(under, '.2f')} \odot {_matrix(kernel, 'd')}",
        words="Each pixel times the weight that lies on it, all summed up.",
    )


def _terms(under: np.ndarray, kernel: np.ndarray) -> None:
    """The sum under the kernel: pixels, weights, and their products."""
    with st.container(horizontal=True, gap="medium"):
        for words, values, largest in (("The pixels under it", under, 1.0), ("times its weights", kernel, None)):
            with st.container(width=3 * SQUARE):
                st.image(colormap.tinted(values, largest).repeat(SQUARE, 0).repeat(SQUARE, 1), caption=words, alt=words)
        st.metric("add up to", f"{(under * kernel).sum():.2f}", width="content")
    products = [
        f"{weight} · {value:.2f}"
        for value, weight in zip(under.ravel(), kernel.ravel(), strict=True)
        if weight and value
    ]
    st.caption(f"{' + '.join(products) or 'nothing but blank pixels'} = {(under * kernel).sum():.2f}")


def _beside_the_classic(step: str, rows: Mapping[str, Row]) -> None:
    row = rows["convolutions"]
    classic = training.finished("classic").get("the classic")
    training.reached(step, {"convolutions": row} | ({"the classic": classic} if classic else {}))
    if classic and classic.parameters and row.parameters:
        st.markdown(
            f"It has **{row.parameters:,} parameters**, the classic {classic.parameters:,}: "
            f"{classic.parameters / row.parameters:.0f} times as many."
        )
    else:
        st.markdown(f"It has **{row.parameters or 0:,} parameters**. Train the classic in step 8 to set it beside.")
    links.inside("See your own network's maps", "layers", row.run, "learn-to-maps")


def _marked(slid: np.ndarray, row: int, column: int) -> Picture:
    """What the kernel gives as a picture, with a frame around one place: (H, W, 4)."""
    picture = colormap.tinted(slid).repeat(TIMES, 0).repeat(TIMES, 1)
    top, left = row * TIMES, column * TIMES
    inner = picture[top + 2 : top + TIMES - 2, left + 2 : left + TIMES - 2].copy()
    picture[top : top + TIMES, left : left + TIMES] = (*ORANGE, 255)
    picture[top + 2 : top + TIMES - 2, left + 2 : left + TIMES - 2] = inner
    return picture


def _matrix(values: np.ndarray, form: str) -> str:
    rows = r" \\ ".join(" & ".join(format(value, form) for value in row) for row in values.tolist())
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
