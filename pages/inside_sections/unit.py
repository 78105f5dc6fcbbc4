"""One unit's arithmetic: how one value comes about, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.figures import inside as inside_figures
from mnist_core.inside import colormap
from mnist_core.model import is_weighted_sum
from pages.inside_sections.layers import in_words
from pages.shared import charts
from pages.shared.inspected import Subject

if TYPE_CHECKING:
    from mnist_core.inside.arithmetic import Effect, Place, WeightedSum
    from mnist_core.inside.layers import Layer, Trace

AXES = {1: ("Unit",), 3: ("Map", "Row", "Column")}
CHANNELS, PRODUCTS = 8, 8  # that are shown, the largest first
SIDE = 224  # pixels of a picture


def show(subject: Subject) -> None:
    from mnist_core.inside import arithmetic, layers

    trace = layers.trace(subject.model.network, subject.image)
    st.markdown("Any value in the network is made of a few numbers. Choose a layer, and one of the values it gives.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _choose_layer(subject, trace)
        place = _choose_place(subject, layer)
    if is_weighted_sum(layer.module):
        worked_out = arithmetic.weighted_sum(trace, layer, place)
        _pictures(worked_out)
        _sum(worked_out, arithmetic.onward(trace, layer, place))
        _products(worked_out)
    else:
        effect = arithmetic.effect(layer, place)
        with st.container(key="unit-sum"):
            if len(effect.taken) > 1:
                st.markdown(f"It takes {', '.join(f'{value:.4g}' for value in effect.taken)}.")
            elif effect.taken:
                st.markdown(f"It takes {effect.taken[0]:.4g}.")
            _effects([effect])


def _choose_layer(subject: Subject, trace: Trace) -> Layer:
    first = next(layer.number for layer in trace.layers if is_weighted_sum(layer.module))
    key = f"unit-layer-{subject.state[0]}"
    st.session_state.setdefault(key, first)
    number: int = st.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
        "Layer",
        range(len(trace.layers)),
        format_func=lambda number: (
            f"{number + 1}. {trace.layers[number].kind}, gives {in_words(tuple(trace.layers[number].given.shape))}"
        ),
        key=key,
        width=320,
    )
    return trace.layers[number]


def _choose_place(subject: Subject, layer: Layer) -> Place:
    """A number for each axis; at first those of the value that adds most to the answer."""
    shape = tuple(layer.given.shape)
    most = np.unravel_index(int(layer.worth.abs().argmax()), shape)
    prefix = f"unit-{subject.state[0]}-{layer.number}"
    names = AXES.get(len(shape), tuple(f"Axis {axis + 1}" for axis in range(len(shape))))
    keys = [f"{prefix}-{name}" for name in names]
    for key, start in zip(keys, most, strict=True):
        st.session_state.setdefault(key, int(start))
    place = tuple(
        int(st.number_input(name, 0, size - 1, step=1, key=key, width=120) or 0)
        for name, key, size in zip(names, keys, shape, strict=True)
    )
    st.button(
        "The one that counts most",
        key="unit-most",
        on_click=lambda: st.session_state.update(zip(keys, map(int, most), strict=True)),
        help="The one whose value times its slope is largest for the digit that is read.",
    )
    return place


def _pictures(worked_out: WeightedSum) -> None:
    if worked_out.inputs.ndim != 3 or worked_out.inputs[0].size == 1:
        order = np.argsort(-np.abs(worked_out.products.ravel()))[:32]
        st.caption(f"Inputs times weights, the {len(order)} largest of {worked_out.products.size}")
        charts.plot(
            inside_figures.worths([str(unit) for unit in order], worked_out.products.ravel()[order].tolist()),
            "unit-bars",
            "Inputs times weights, the largest first",
        )
        return
    channels = np.argsort(-np.abs(worked_out.products).sum((1, 2)), kind="stable")[:CHANNELS]
    columns = 1 if len(channels) == 1 else 2 if len(channels) <= 4 else 4
    times = max(2, SIDE // (columns * worked_out.inputs.shape[2]))
    of_all = f", {len(channels)} of {len(worked_out.inputs)} channels" if len(worked_out.inputs) > len(channels) else ""
    with st.container(key="unit-pictures", horizontal=True, gap="large"):
        for words, values in (
            ("Inputs", worked_out.inputs),
            ("Weights", worked_out.weights),
            ("Inputs times weights", worked_out.products),
        ):
            picture = colormap.sheet(values[channels], columns, times)
            st.image(picture, caption=words + of_all, alt=f"{words} as a picture")


def _sum(worked_out: WeightedSum, effects: list[Effect]) -> None:
    count = worked_out.products.size
    with st.container(key="unit-sum"):
        st.markdown(
            f"{count:,} inputs times weights add up to **{worked_out.total - worked_out.bias:.4f}**. "
            + (f"With the bias {worked_out.bias:.4f} that makes **{worked_out.total:.4f}**." if worked_out.bias else "")
        )
        _effects(effects)


def _effects(effects: list[Effect]) -> None:
    for effect in effects:
        st.markdown(f"- **{effect.kind}** {effect.words}")


def _products(worked_out: WeightedSum) -> None:
    products = worked_out.products
    largest = np.argsort(-np.abs(products), axis=None, kind="stable")[:PRODUCTS]
    places = [np.unravel_index(index, products.shape) for index in largest]
    st.caption(f"The {len(places)} largest products")
    st.dataframe(
        [
            {
                "at": ", ".join(map(str, map(int, place))),
                "input": float(worked_out.inputs[place]),
                "weight": float(worked_out.weights[place]),
                "input x weight": float(products[place]),
            }
            for place in places
        ],
        hide_index=True,
        height="content",
        width="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.4f") for name in ("input", "weight", "input x weight")
        },
    )
