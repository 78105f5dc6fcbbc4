"""Step: the classic, and all that was trained on the way to it."""

from __future__ import annotations

import itertools

import streamlit as st

from mnist_core.course import trainings
from mnist_core.runs.summary import Row
from pages.learn_steps import links, maths, training, way
from pages.shared import data

LADDER = ("linear", "hidden", "split", "classic")  # steps whose networks are set side by side


def show() -> None:
    kind = data.data_at_hand("mnist")
    config = trainings.trainings("classic", kind)["the classic"]
    height, width = data.test(kind).images.shape[1:]
    sizes = [height * width, *config.hidden, 10]
    parameters = sum(inputs * outputs + outputs for inputs, outputs in itertools.pairwise(sizes))
    st.markdown(
        f"Now all together, as most first courses do: {sizes[0]} pixels, **{sizes[1]} hidden units** with ReLU, "
        f"{sizes[2]} digits. {parameters:,} numbers to learn, by plain gradient descent with a learning rate of "
        f"{config.lr:g}, {config.batch_size} images at a step."
    )
    st.markdown(f"**Try it:** train it, {training.images(config)}, and look back at where you came from.")
    rows = training.show("classic", "Train", training.accuracies, training.reached)
    if rows:
        way.show(rows["the classic"].run)
        _ladder()
    maths.show(
        r" \;\to\; ".join(rf"{name} \in \mathbb{{R}}^{{{size}}}" for name, size in zip("xhz", sizes, strict=True))
    )
    with st.container(horizontal=True):
        if rows:
            ids = [row.run for row in _ladder_rows().values()]
            links.compare("Compare them on Runs", ids, "learn-to-runs")
            links.inside("See the units' weights", "weights", rows["the classic"].run, "learn-to-weights")
        links.train(
            "Is a larger one better? Try on Train", config, ("hidden", "lr", "epochs", "batch_size"), "learn-to-train"
        )


def _ladder() -> None:
    st.dataframe(
        [
            {
                "network": name,
                "parameters": row.parameters,
                "test images read right": None if row.test_accuracy is None else 100 * row.test_accuracy,
                "seconds of training": row.seconds,
            }
            for name, row in _ladder_rows().items()
        ],
        hide_index=True,
        width="content",
        column_config={
            "parameters": st.column_config.NumberColumn(format="localized"),
            "test images read right": st.column_config.NumberColumn(format="%.1f %%"),
            "seconds of training": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="What each network of the course has reached",
    )


def _ladder_rows() -> dict[str, Row]:
    """The networks that the visitor has trained, in the order of the steps."""
    return {name: row for step in LADDER for name, row in training.finished(step).items()}
