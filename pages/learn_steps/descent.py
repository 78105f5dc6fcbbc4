"""Step: gradient descent, with a learning rate too small, right and too high."""

from __future__ import annotations

import functools
import math

import streamlit as st

from mnist_core.course import trainings
from mnist_core.figures import course as course_figures
from pages.learn_steps import links, maths, training
from pages.shared import charts, data

BATCH = 128  # images


def show() -> None:
    kind = data.data_at_hand("mnist")
    configs = trainings.trainings("descent", kind)
    st.markdown(
        "For every weight, the **gradient** says how the loss would change if the weight grew a little. So each step "
        "moves every weight the other way, as far as the **learning rate** says."
    )
    rates, losses, before = _one_step(kind)
    best = min(range(len(rates)), key=losses.__getitem__)
    worse = next((rate for rate, loss in zip(rates[best:], losses[best:], strict=True) if loss > before), None)
    st.markdown(
        f"One such step of an untrained network on {BATCH} images, with every learning rate. The loss before it is the "
        f"dotted line, {before:.3f}."
    )
    charts.plot(
        course_figures.one_step(rates, losses, before),
        "learn-one-step",
        f"The loss after one step by learning rate: lowest at {rates[best]:g}",
    )
    st.markdown(
        f"Too small, and hardly anything happens. At {rates[best]:.2g} it falls to {losses[best]:.2f}."
        + (f" From {worse:.2g} on, the step jumps across the valley and lands higher than it began." if worse else "")
    )
    st.markdown(
        f"**Try it:** train with each of the rates {', '.join(f'{config.lr:g}' for config in configs.values())}; "
        f"each makes {training.images(next(iter(configs.values())))}."
    )
    rows = training.show("descent", "Train all three", training.losses(math.ceil(2 * math.log(10))), training.reached)
    maths.show(
        r"w \leftarrow w - \eta\, \frac{\partial L}{\partial w}",
        words=r"$w$ is a weight, $L$ the loss of a batch, $\eta$ the learning rate.",
    )
    config = list(configs.values())[1]
    with st.container(horizontal=True):
        if rows:
            links.compare("Compare them on Runs", [row.run for row in rows.values()], "learn-to-runs")
        links.train("Other learning rates, on Train", config, ("lr", "schedule", "epochs"), "learn-to-train")


@functools.lru_cache(maxsize=2)
def _one_step(kind: str) -> tuple[list[float], list[float], float]:
    """Learning rates, the loss after one step with each, and before it."""
    from mnist_core.course import first_steps

    config = next(iter(trainings.trainings("descent", kind).values()))
    batch, rates = data.splits(kind, None, 0).train[:BATCH], first_steps.rates()
    before, *losses = first_steps.after_one_step(config, batch, [0.0, *rates])
    return rates, losses, before
