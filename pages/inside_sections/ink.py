"""From ink to input: a drawing on its way to MNIST's form, each step of which can be left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core import drawing
from mnist_core.drawing import Pixels, Steps
from mnist_core.figures import inside as inside_figures
from pages.shared import answers, background_work, charts
from pages.shared.inspected import Subject
from pages.shared.pictures import enlarged

if TYPE_CHECKING:
    from mnist_core.inside.preprocessing_ablation import Measured

SIDE = 280  # pixels of a picture
WORDS = {
    "size": ("Size", "The box around the ink is scaled until its longer side has 20 pixels."),
    "centre": ("Centre", "The centre of mass is put into the middle of 28 x 28 pixels."),
}


def show(subject: Subject) -> None:
    st.markdown(
        "MNIST's makers brought every digit to one form, and a network that learned from them reads that form alone. "
        "Leave a step out and see what becomes of the answer."
    )
    with st.container(horizontal=True, gap="medium"):
        steps = [step for step, (name, words) in WORDS.items() if st.toggle(name, True, key=f"ink-{step}", help=words)]
    taken = drawing.follow(subject.ink, steps)
    _pictures(subject.photo, taken)
    _answer(subject, taken.image, steps)
    st.subheader("What the steps are worth")
    st.markdown(
        "The first test images, each put on a canvas with a size, a place and a pen by chance, as people draw, then "
        "read with and without the steps. A bar is the share that is read right; the line on it is its 95 % interval."
    )
    background_work.show(subject, "steps", lambda: _measure(subject), "Drawing and reading test images", _worth)


def _measure(subject: Subject) -> Iterator[tuple[float, Measured]]:
    from mnist_core.inside import preprocessing_ablation

    return preprocessing_ablation.measure(subject.model, subject.test)


def _pictures(photo: Image.Image | None, taken: Steps) -> None:
    with st.container(key="ink-steps", horizontal=True, gap="medium"):
        if photo:
            st.image(
                _small(photo),
                caption="Orange: ink. Blue: dropped, as no part of the digit",
                alt="The photo, its ink in orange and what was dropped in blue",
            )
        st.image(_with_box(taken), caption="The ink and its box", alt="The ink and the box around it")
        height, width = taken.digit.shape
        st.image(
            enlarged(taken.digit, SIDE // max(taken.digit.shape)),
            caption=f"Its box: {width} x {height} pixels",
            alt="The digit, cut out and scaled",
        )
        st.image(_with_middle(taken.image), caption="What the network sees: 28 x 28", alt="The digit in 28 x 28 pixels")


def _with_box(taken: Steps) -> Pixels:
    """The ink, its longer side SIDE pixels at most, with a frame around its box: (H, W, 3)."""
    small = np.asarray(_small(Image.fromarray(taken.ink)))
    times = max(1, SIDE // max(small.shape))
    picture = np.stack([enlarged(small, times)] * 3, -1)
    scale = times * small.shape[1] / taken.ink.shape[1]
    left, top, right, bottom = (round(scale * side) for side in taken.box)
    for rows, columns in (
        (slice(top, bottom), [left, right - 1]),
        ([top, bottom - 1], slice(left, right)),
    ):
        picture[rows, columns] = 230, 97, 0
    return picture


def _small(picture: Image.Image) -> Image.Image:
    """The picture, its longer side SIDE pixels at most."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    return small


def _with_middle(image: Pixels) -> Pixels:
    """The image, SIDE pixels wide, with lines through its middle: (SIDE, SIDE, 3)."""
    picture = np.stack([enlarged(image, SIDE // len(image))] * 3, -1)
    picture[SIDE // 2], picture[:, SIDE // 2] = (53, 132, 228), (53, 132, 228)
    return picture


def _answer(subject: Subject, image: Pixels, steps: Collection[str]) -> None:
    answer = subject.model.predict_one(image)
    left_out = [name.lower() for step, (name, _) in WORDS.items() if step not in steps]
    with st.container(key="ink-answer"):
        answers.digit(f"Without {', '.join(left_out)}: read as" if left_out else "With all steps: read as", answer)


def _worth(measured: Measured) -> None:
    shares = {name: measured.share(name) for name in measured.right}
    intervals = [measured.interval(name) for name in shares]
    charts.plot(
        inside_figures.shares(shares, intervals),
        "ink-worth",
        "The share of drawn test images read right, with and without each step: "
        + ", ".join(
            f"{name} {share:.1%} ({low:.1%} to {high:.1%})"
            for (name, share), (low, high) in zip(shares.items(), intervals, strict=True)
        ),
    )
    every, *others = shares
    costs = [_cost(name, shares[every] - shares[name], measured.is_chance(name)) for name in others]
    st.markdown(f"Of {measured.images:,} images, **{shares[every]:.1%}** are read right. {' '.join(costs)}")


def _cost(variant: str, cost: float, is_chance: bool) -> str:
    """What leaving steps out costs, in a sentence."""
    if is_chance:
        return f"{variant.capitalize()}: no more than chance makes of it."
    return f"{variant.capitalize()}: {100 * cost:.1f} points less."
