"""Step: a linear model, and where it ends."""

from __future__ import annotations

import streamlit as st

from mnist_core.course import trainings
from mnist_core.inside import colormap
from mnist_core.reading import catalog
from mnist_core.runs.summary import Row
from pages.learn_steps import links, maths, training, way
from pages.shared import data, models


def show() -> None:
    kind = data.data_at_hand("mnist")
    config = trainings.trainings("linear", kind)["linear"]
    height, width = data.test(kind).images.shape[1:]
    pixels = height * width
    st.markdown(
        "The simplest network: each pixel votes for each digit, with a **weight**. That makes ten sums, the *logits*, "
        f"and the **softmax** makes probabilities of them. {10 * pixels + 10:,} numbers are learned: they begin at "
        "random, and each training step makes the right digits a little likelier."
    )
    st.markdown(f"**Try it:** train it, {training.images(config)}.")
    rows = training.show("linear", "Train", training.accuracies, training.reached)
    if rows:
        _where_it_ends(rows["linear"], kind)
    maths.show(
        r"z = W x + b \qquad p_d = \frac{e^{z_d}}{\sum_k e^{z_k}}",
        words=f"$x$ are the pixels, $z$ the logits, $p$ the probabilities, which add up to 1. $W$ has 10 x {pixels} "
        "weights and $b$ has 10.",
    )
    with st.container(horizontal=True):
        if rows:
            links.browse("Browse its mistakes", rows["linear"].run, "learn-to-browse")
            links.inside("Look inside", "layers", rows["linear"].run, "learn-to-inside")
        links.train("More passes, on Train", config, ("epochs", "lr", "schedule", "batch_size"), "learn-to-train")


def _where_it_ends(row: Row, kind: str) -> None:
    from mnist_core.inside import first_layer

    way.show(row.run)
    network = models.get_predictor(row.run).network
    st.image(
        colormap.sheet(first_layer.pictures(network), 5, 4),
        caption="The weights of 0 to 4, and of 5 to 9: where they are orange, ink speaks for the digit, where blue, "
        "against it",
        alt="The ten digits' weights as pictures",
    )
    words = "One picture for each digit is all it has: every way to write a 7 must share one."
    if kind == "mnist":
        card = catalog.card("softmax")
        words += (
            f" The same model trained for {card['config']['epochs']} passes reads {card['test_accuracy']:.1%}: more "
            "training does not help, more *network* would."
        )
    st.markdown(words)
