"""Step: a hidden layer, and why it needs to bend."""

from __future__ import annotations

import functools

import streamlit as st

from mnist_core.course import trainings
from mnist_core.runs.summary import Row
from pages.learn_steps import links, maths, training, way
from pages.shared import data, models

WITHOUT = r"""\begin{aligned}
z &= W_2 (W_1 x + b_1) + b_2 \\
  &= (W_2 W_1)\, x + (W_2 b_1 + b_2)
\end{aligned}"""


def show() -> None:
    kind = data.data_at_hand("mnist")
    config = trainings.trainings("hidden", kind)["ReLU"]
    st.markdown(
        f"Put a layer in between: {config.hidden[0]} **hidden units**, each a weighted sum of all pixels. Behind each "
        "sum comes a bend, the **ReLU**: what is below 0 becomes 0. Then ten sums over the units, as before."
    )
    st.markdown(
        "The bend looks too simple to matter. **Try it:** train the same network with and without it, "
        f"{training.images(config)} each."
    )
    rows = training.show("hidden", "Train both", training.accuracies, training.reached)
    if rows:
        way.show(rows["ReLU"].run)
        _multiplied_out(rows["no ReLU"], kind)
    maths.show(
        r"h = \max(0,\; W_1 x + b_1) \qquad z = W_2 h + b_2",
        *([WITHOUT] if rows else []),
        words="Without the bend, two layers multiply out to one." if rows else "",
    )
    with st.container(horizontal=True):
        if rows:
            links.compare("Compare them on Runs", [row.run for row in rows.values()], "learn-to-runs")
        links.train("Other sizes and bends, on Train", config, ("hidden", "activation", "epochs"), "learn-to-train")


def _multiplied_out(row: Row, kind: str) -> None:
    numbers, apart, images = _collapsed(row.run, models.written(row.run), kind)
    st.markdown(
        "Without the bend the two layers are one, however many units there are. So we multiplied the trained network "
        f"out: its {row.parameters or 0:,} numbers became the {numbers:,} of a "
        f"linear model, and on {images:,} test images no logit moved by more than {apart:.6f}. **The bend is what "
        "makes a second layer worth having.**"
    )


@functools.lru_cache(maxsize=8)
def _collapsed(name: str, _written: int, kind: str) -> tuple[int, float, int]:
    """How many numbers the network has multiplied out, and how far its logits are then off, on how many test images."""
    from mnist_core import dataset, evaluation
    from mnist_core.course.collapse import collapse

    network, test = models.get_predictor(name).network, data.test(kind)
    one = collapse(network)
    logits = evaluation.logits(network, test.images)
    apart = (one(dataset.normalise(test.images).flatten(1)) - logits).abs().max().item()
    return sum(parameter.numel() for parameter in one.parameters()), apart, len(test)
