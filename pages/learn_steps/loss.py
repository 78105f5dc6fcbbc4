"""Step: the loss, and what it is before anything is learned."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.course import trainings
from mnist_core.figures import course as course_figures
from pages.learn_steps import carried, guess, links, maths, progress
from pages.shared import answers, charts, data

if TYPE_CHECKING:
    from mnist_core.config import TrainConfig
    from mnist_core.dataset import Dataset
    from pages.learn_steps.carried import Carried

BATCH = 128  # images


def show() -> None:
    st.markdown(
        "To get better, a network needs to know how wrong it is, in one number. The **cross-entropy** looks at the "
        "probability that it gave to the *true* digit, and nothing else: sure and right costs nothing, sure and wrong "
        "costs a lot."
    )
    st.markdown("**Try it:** move the probability. Then look at networks that have learned nothing yet.")
    probability: float = st.slider("Probability given to the true digit", 0.01, 1.0, 0.5, 0.01, key="learn-probability")
    picture, number = st.columns([3, 1], vertical_alignment="center")
    with picture:
        charts.plot(
            course_figures.surprise(probability),
            "learn-surprise",
            f"The loss by the probability of the true digit; at {probability:g} it is {-math.log(probability):.3f}",
        )
    number.metric("Loss", f"{-math.log(probability) + 0.0:.3f}")
    kind = data.data_at_hand("mnist")
    batch = data.splits(kind, None, 0).train[:BATCH]
    digit = carried.digit()
    seed = st.session_state.setdefault("learn-seed", 0)
    config = dataclasses.replace(trainings.trainings("hidden", kind)["ReLU"], seed=seed)
    st.subheader("The first loss")
    st.markdown("An untrained network knows nothing and gives every digit about a tenth.")
    if guess.ask("loss", is_open=progress.guess("loss") is None):
        _first_loss(config, batch, digit)
    maths.show(
        r"L = -\ln p_{\mathrm{true}}",
        words=rf"Of ten digits that are all as likely: $-\ln \frac{{1}}{{10}} = \ln 10 = {math.log(10):.3f}$."
        if progress.guess("loss") is not None
        else "",
    )
    links.inside("See a trained network's logits and softmax", "layers", "mlp", "learn-to-inside")


def _first_loss(config: TrainConfig, batch: Dataset, digit: Carried) -> None:
    from mnist_core.course import first_steps

    found = first_steps.untrained(config, batch, digit.image)
    guess.judge("loss", [found.loss])
    st.markdown(
        f"A tenth for the true digit costs {math.log(10):.3f}. If your first loss is far from it, look for the mistake "
        "before you train."
    )
    figures, thought = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    with figures, st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.metric(f"First loss, {len(batch.labels)} images", f"{found.loss:.3f}", width="content")
        st.metric("ln 10", f"{math.log(10):.3f}", width="content")
        st.metric("Read right", f"{found.accuracy:.0%}", width="content")
        st.button("Another network", key="learn-seed-next", icon=":material/casino:", on_click=_another)
    with thought:
        st.caption(f"What the untrained network thinks of {digit.title}:{_cost(found.probabilities, digit.label)}")
        answers.probabilities(
            found.probabilities, "learn-untrained", "The probability of each digit, all near a tenth", 170
        )


def _cost(probabilities: list[float], label: int | None) -> str:
    """What the answer costs, in words, where the truth is known."""
    if label is None:
        return ""
    given = probabilities[label]
    return f" it gives the {label} {given:.1%}, which is a loss of {-math.log(given):.3f}."


def _another() -> None:
    st.session_state["learn-seed"] += 1
