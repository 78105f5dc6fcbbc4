"""What a training would be, before it is started."""

import functools
from typing import Any

import streamlit as st

from mnist_core import config
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs import footprint
from mnist_core.runs.run_store import RUNS
from mnist_core.text import data_size


def show(chosen: TrainConfig) -> None:
    """What Start would train, on what, and what loss to expect at first."""
    from mnist_core import device

    rows = _summary(chosen.model, tuple(chosen.hyperparameters.items()))
    try:
        place = device.pick(chosen.device)
    except LabError as error:
        st.error(str(error))
        return
    try:
        footprint.check(chosen, RUNS.folder)
    except LabError as error:
        st.warning(str(error))
    where = "the CPU" if place.type == "cpu" else device.describe(place)
    name = "MNIST" if chosen.data == "mnist" else config.SAMPLE_IN_WORDS
    no_digits = f", {chosen.background_images:,} of them no digits," if chosen.background_images else ""
    needed = footprint.predict(chosen)
    st.markdown(
        f"**{chosen.model}**, {sum(row['parameters'] for row in rows):,} parameters, on **{where}**. Data: {name}, "
        f"{chosen.training_images:,} images to train on{no_digits} and {chosen.validation_images:,} to validate: "
        f"{chosen.steps_per_epoch:,} steps in each of {chosen.epochs:,} passes. "
        f"It takes about **{data_size(needed.memory)}** of memory and {data_size(needed.disk)} of disk. "
        "The first loss should be near **2.303**: what guessing one of ten digits costs."
    )
    st.dataframe(rows, hide_index=True, width="stretch")
    st.caption("Multiply-adds: multiplications, each with an addition, that one image takes.")


@functools.lru_cache(maxsize=64)
def _summary(name: str, hyperparameters: tuple[tuple[str, Any], ...]) -> list[dict[str, Any]]:
    """A table's rows: the network layer by layer."""
    from mnist_core import model

    return [
        {
            "layer": row.layer,
            "output": " x ".join(map(str, row.output_shape)),
            "parameters": row.parameters,
            "multiply-adds": row.multiply_adds,
        }
        for row in model.summary(model.skeleton(name, **dict(hyperparameters)))
    ]
