"""Step: why images are held out, and what learning by heart looks like."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from mnist_core.config import TEST_IMAGES, TRAINING_IMAGES
from mnist_core.course import trainings
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.summary import Row
from pages.learn_steps import guess, links, training
from pages.learn_steps.training import Histories
from pages.shared import data, live
from pages.shared.runs import history_of


def show() -> None:
    kind = data.data_at_hand("mnist")
    config = trainings.trainings("split", kind)["by heart"]
    usual = trainings.trainings("classic", kind)["the classic"]
    few = config.training_images
    st.markdown(
        f"A network that has seen an image may have **learned it by heart**. So the images are split: of "
        f"{TRAINING_IMAGES[kind]:,}, it trains on {usual.training_images:,}; the other "
        f"{usual.validation_images:,} are for **validation**: by them you choose learning rate, size and passes. The "
        f"{TEST_IMAGES[kind]:,} **test** images are read once, at the very end."
    )
    st.markdown("With few images, that is easy. Watch **training** and **validation** part: the gap is *overfitting*.")
    st.markdown(f"**Try it:** train {config.hidden[0]} hidden units on {few:,} images only, {config.epochs} passes.")
    rows = training.show("split", "Train", _curves, lambda _, rows: _gap(rows["by heart"], few))
    with st.container(horizontal=True):
        if rows:
            links.browse("Browse its mistakes", rows["by heart"].run, "learn-to-browse")
        links.train(
            "With more or fewer images, on Train", config, ("validation_size", "epochs", "hidden"), "learn-to-train"
        )


def _curves(histories: Histories) -> None:
    for history in histories.values():
        live.curves(history)


def gap(rows: Mapping[str, Row]) -> float | None:
    """By how much more of its own images the network reads right than of others, 0 to 1. Raises RunError."""
    last = history_of(RUNS.open(rows["by heart"].run)).epoch
    return last["train_accuracy"] - last["val_accuracy"] if last else None


def _gap(row: Row, few: int) -> None:
    last = history_of(RUNS.open(row.run)).epoch
    if not last:
        return
    guess.judge("split", [gap({"by heart": row})])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Training accuracy", f"{last['train_accuracy']:.1%}", width="content")
        st.metric("Validation accuracy", f"{last['val_accuracy']:.1%}", width="content")
        st.metric("The gap", f"{100 * (last['train_accuracy'] - last['val_accuracy']):.1f} points", width="content")
    st.markdown(
        f"It knows its {few:,} images and is not nearly as good with others. What helps most are more images: the next "
        "step has them."
    )
