"""Break it: change the image or the weights more and more, and see how long the answer stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from mnist_core.drawing import Pixels
from mnist_core.figures import inside as inside_figures
from pages.shared import answers, background_work, charts
from pages.shared.inspected import Subject
from pages.shared.pictures import enlarged

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.inside.damage import Curve, Damage, ImageDamage, WeightDamage

D = TypeVar("D", bound="Damage")

IMAGE, WEIGHTS, STEP = "the image", "the weights", "by the smallest step"
ALL_LAYERS = "all layers"
TIMES = 6  # pixels that a pixel is wide


def show(subject: Subject) -> None:
    what = st.segmented_control("Change", [IMAGE, WEIGHTS, STEP], default=IMAGE, key="damage-what", required=True)
    if what == IMAGE:
        _break_image(subject)
    elif what == WEIGHTS:
        _break_weights(subject)
    else:
        _flip(subject)


def _break_image(subject: Subject) -> None:
    from mnist_core.inside.damage import IMAGE_DAMAGES

    name, damage, strength = _choose(IMAGE_DAMAGES, "image")
    changed = damage.apply_to_one(subject.image, strength)
    _before_and_after(subject, subject.model.network, changed, f"{name}: {strength:g} {damage.unit}")
    _curve(subject, name, damage, strength, None)


def _break_weights(subject: Subject) -> None:
    from mnist_core.inside import damage as damages

    name, damage, strength = _choose(damages.WEIGHT_DAMAGES, "weights")
    layers = [ALL_LAYERS, *damages.with_weights(subject.model.network)]
    layer = st.selectbox("In", layers, key=f"damage-layer-{subject.state[0]}", width=220)
    path = None if layer == ALL_LAYERS else layer
    network = damage.apply(subject.model.network, strength, path)
    _before_and_after(subject, network, subject.image, f"{name} in {layer}: {strength:g} {damage.unit}")
    _curve(subject, name, damage, strength, path)


def _choose(damages: Mapping[str, D], kind: str) -> tuple[str, D, float]:
    name = st.segmented_control("How", list(damages), default=next(iter(damages)), key=f"damage-{kind}", required=True)
    name = name or next(iter(damages))  # one is required
    damage = damages[name]
    strength = st.slider(
        f"{damage.sentence[:-1]} ({damage.unit})",
        float(damage.least),
        float(damage.most),
        float(damage.neutral),
        float(damage.step),
        format="%g",
        key=f"damage-strength-{name}",
    )
    return name, damage, strength


def _before_and_after(subject: Subject, network: nn.Module, image: Pixels, words: str) -> None:
    answer = dataclasses.replace(subject.model, network=network).predict_one(image)
    stands = answer.digit == subject.answer.digit
    with st.container(key="damage-answer", horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(enlarged(image, TIMES), alt=f"The image, {words}")
        with st.container(width=150):
            answers.digit("Read as", answer)
            st.badge("It stands" if stands else "It has flipped", color="green" if stands else "red")
        with st.container(width=360):
            answers.probabilities(answer.probabilities, "damage-probabilities")


def _curve(subject: Subject, name: str, damage: ImageDamage | WeightDamage, strength: float, path: str | None) -> None:
    st.subheader("All test images")
    background_work.show(
        subject,
        f"damage-{name}-{path}",
        lambda: _measure(subject, damage, path),
        "Reading all test images at each strength",
        lambda curve: _chart(curve, damage, strength),
    )


def _measure(subject: Subject, damage: ImageDamage | WeightDamage, path: str | None) -> Iterator[tuple[float, Curve]]:
    from mnist_core.inside.damage import accuracy_by_strength

    return accuracy_by_strength(subject.model.network, subject.test, damage, path)


def _chart(curve: Curve, damage: Damage, strength: float) -> None:
    charts.plot(
        inside_figures.accuracy_by_strength(curve, (damage.least, damage.most), damage.unit, strength),
        "damage-curve",
        "Accuracy on the test images by strength: "
        + ", ".join(f"{strength:g}: {accuracy:.1%}" for strength, accuracy in curve),
    )


def _flip(subject: Subject) -> None:
    from mnist_core.inside import adversary

    st.markdown(
        "All pixels go by the same few grey levels, each the way that makes the answer worse (the fast gradient sign "
        "method: Goodfellow, Shlens and Szegedy, 2015). The smallest step of this kind that changes the answer:"
    )
    answer = subject.answer
    others = [digit for digit in range(10) if digit != answer.digit]
    towards: str | int = st.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
        "Towards",
        ["any digit", *others],
        index=1 + others.index(answer.second),
        key=f"damage-to-{answer.digit}",
        width=130,
    )
    flip = adversary.smallest_flip(
        subject.model.network, subject.image, None if towards == "any digit" else int(towards)
    )
    if flip is None:
        st.info(f"No step of this kind, however large, makes it {towards}.")
        return
    difference = (flip.image.astype(int) - subject.image) * 127 // flip.step + 128
    with st.container(key="damage-flip", horizontal=True, gap="medium"):
        st.image(enlarged(subject.image, TIMES), caption=f"Read as {flip.was}", alt="The image as it is")
        st.image(
            enlarged(difference.astype("uint8"), TIMES),
            caption=f"{flip.step} of 255 grey levels, enlarged",
            alt=f"The step of {flip.step} grey levels, brighter where a pixel gets brighter",
        )
        st.image(enlarged(flip.image, TIMES), caption=f"Read as {flip.digit}", alt="The image with the step")
