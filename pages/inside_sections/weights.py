"""Weights: what the first layer looks for, and how it came to."""

from __future__ import annotations

import streamlit as st

from mnist_core.inside import colormap
from mnist_core.reading import catalog
from pages.shared.inspected import Subject

COLUMNS, TILE = 8, 84  # of the sheet, and pixels of a picture in it


def show(subject: Subject) -> None:
    from mnist_core.inside import first_layer
    from mnist_core.runs import weight_history

    name = subject.state[0]
    kept = weight_history.read(catalog.weights_path(name).parent)
    st.markdown(
        "What each unit of the first layer looks for in the pixels: where it is orange, ink speaks for the unit, where "
        "it is blue, against it."
    )
    if len(kept.epochs) > 1:
        epoch = st.select_slider("Epoch", kept.epochs, value=kept.epochs[-1], key=f"weights-epoch-{name}")
        since = st.toggle("What has changed since the start", key="weights-since")
        weights = kept.weights[kept.epochs.index(epoch)]
        pictures = first_layer.pictures(subject.model.network, weights - kept.weights[0] if since else weights)
        words = f"after epoch {epoch}" if epoch else "before the first step"
    else:
        pictures, words = first_layer.pictures(subject.model.network), "as they are"
    units, height, width = pictures.shape
    most = float(abs(pictures).max())
    with st.container(key="weights"):
        st.image(
            colormap.sheet(pictures, COLUMNS, max(1, TILE // width)),
            caption=f"{units} units, {height} x {width} pixels each, {words}; full colour is a weight of {most:.2f}",
            alt=f"The weights of the first layer's {units} units as pictures, {words}",
        )
    if len(kept.epochs) < 2:
        st.caption("To see how weights come about, train a network on the Train page and choose its run here.")
