"""Step: what this machine computes on, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.course import trainings
from pages.learn_steps import guess, links, maths
from pages.shared import background_work, data

if TYPE_CHECKING:
    from mnist_core.course.speed import Speed


def show() -> None:
    from mnist_core import device
    from mnist_core.course import speed

    kind = data.data_at_hand("mnist")
    config = trainings.trainings("classic", kind)["the classic"]
    names = device.available()
    st.markdown(
        "Nearly all of a training is one thing: multiplying matrices, millions of numbers that do not have to wait for "
        "each other. A **CPU** does a few at once, a **GPU** thousands. That pays off when there is enough to do at "
        "once; a small network on small images leaves most of a GPU idle."
    )
    here = ", ".join(device.describe(device.pick(name)) for name in names)
    st.markdown(
        f"This machine has: **{here}**."
        + (" No GPU that PyTorch can use, and none is needed for this course." if names == ["cpu"] else "")
    )
    st.markdown(
        f"**Try it:** measure it: products of two {speed.SIZE:,} x {speed.SIZE:,} matrices, and training steps of the "
        "classic."
    )
    count = st.session_state.setdefault("learn-speed", 0)
    has_guessed = guess.ask("speed", is_open=not count)
    st.button(
        "Measure again" if count else "Measure",
        key="learn-measure",
        type="primary",
        icon=":material/speed:",
        on_click=_measure,
        disabled=not (has_guessed or count),
    )
    if count:
        background_work.follow(("speed", kind, count), lambda: _measured(kind), "Measuring", _table)
    pixels = data.test(kind).images[0].numel()
    maths.show(
        rf"\underbrace{{X}}_{{{config.batch_size} \times {pixels}}} \cdot "
        rf"\underbrace{{W}}_{{{pixels} \times {config.hidden[0]}}}",
        words=f"What the first layer of the classic multiplies in each step: {config.batch_size} images by "
        f"{config.hidden[0]} units.",
    )
    if len(names) > 1:
        links.train(
            "Choose the device on Train", config, ("device", "hidden", "batch_size", "epochs"), "learn-to-train"
        )


def _measure() -> None:
    st.session_state["learn-speed"] += 1


def _measured(kind: str) -> Iterator[tuple[float, list[Speed]]]:
    from mnist_core.course import speed

    return speed.measure(trainings.trainings("classic", kind)["the classic"], data.splits(kind, None, 0).train)


def _table(found: list[Speed]) -> None:
    if not found:
        return
    guess.judge("speed", [max(one.multiply_adds_per_s for one in found)])
    with st.container(key="learn-speeds"):
        for one in found:
            with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
                st.metric(
                    f"{one.device}: multiply-adds a second",
                    f"{one.multiply_adds_per_s / 1e9:,.1f} billion",
                    width="content",
                )
                st.metric("Training images a second", f"{one.images_per_s:,.0f}", width="content")
    st.caption("Measured in the app's own process. A training is a process of its own, with all threads it can get.")
    if len(found) > 1:
        first, last = found[0], found[-1]
        st.markdown(
            f"The first multiplies {first.multiply_adds_per_s / last.multiply_adds_per_s:,.1f} times as fast as the "
            f"last, and trains this small network {first.images_per_s / last.images_per_s:,.1f} times as fast."
        )
