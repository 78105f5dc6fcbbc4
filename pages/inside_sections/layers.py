"""Through the layers: what each gives, from the pixels to the ten probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.figures import inside as inside_figures
from mnist_core.inside import colormap
from pages.shared import charts
from pages.shared.inspected import Subject

if TYPE_CHECKING:
    from torch import Tensor

    from mnist_core.inside.layers import Layer, Trace

MAPS, UNITS = 16, 64  # of a layer, that are shown
SHEET = 880  # pixels, width of a sheet of maps


def show(subject: Subject) -> None:
    from mnist_core.inside import layers

    digit = subject.answer.digit
    st.markdown(
        f"The image passes these layers, from top to bottom. What adds to the **{digit}** comes first: orange is above "
        "0, blue below."
    )
    apart = st.toggle("Each layer by itself", key="layers-apart", help="Else a layer and what only reshapes its values")
    trace = layers.trace(subject.model.network, subject.image)
    for block in [[layer] for layer in trace.layers] if apart else trace.blocks():
        if block[-1].number == trace.last_with_weights.number:
            _reasons(trace, block[-1])
        _title(block)
        last = block[-1]
        if last.number < trace.last_with_weights.number and not last.given.flatten().equal(block[0].taken.flatten()):
            _values(last, digit)
    _softmax(subject, trace)


def in_words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _title(block: list[Layer]) -> None:
    parameters = sum(layer.parameters for layer in block)
    st.markdown(
        f"**{' → '.join(layer.kind for layer in block)}** :gray[{in_words(tuple(block[0].taken.shape))} → "
        f"{in_words(tuple(block[-1].given.shape))}{f', {parameters:,} parameters' if parameters else ''}]"
    )


def _values(layer: Layer, digit: int) -> None:
    """What a layer gives: a picture of its maps, or bars of its units, those first that add most to the digit."""
    given, worth = layer.given, layer.worth
    if given.dim() == 3 and given[0].numel() > 1:
        order = worth.sum((1, 2)).argsort(descending=True)
        chosen = order[:MAPS]
        times = max(2, SHEET // (8 * given.shape[2]) - 1)
        words = f"{len(chosen)} of {len(order)} maps" if len(order) > MAPS else f"All {len(order)} maps"
        st.image(
            colormap.sheet(given[chosen].numpy(), 8, times),
            caption=f"{words}, the first is number {int(chosen[0])}, which adds {float(worth[chosen[0]].sum()):+.2f}",
            alt=f"{words} that {layer.kind} gives, those first that add most to the {digit}",
        )
        return
    _bars(worth.flatten(), f"layers-{layer.number}", digit, layer.kind)


def _bars(worth: Tensor, key: str, digit: int, kind: str) -> None:
    order = worth.argsort(descending=True)
    if len(order) > UNITS:  # both ends
        order = order[np.r_[: UNITS // 2, len(order) - UNITS // 2 : len(order)]]
    words = f"What {len(order)} of {len(worth)} units add to the {digit}" if len(order) < len(worth) else ""
    st.caption(words or f"What each of {len(worth)} units adds to the {digit}")
    charts.plot(
        inside_figures.worths([str(int(unit)) for unit in order], worth[order].tolist()),
        key,
        f"What the units of {kind} add to the logit of the {digit}, the most first",
    )


def _reasons(trace: Trace, last: Layer) -> None:
    """What the last layer with weights adds up, where its units have not been shown as bars."""
    shape = trace.shape_before(last)
    if len(shape) < 3 or shape[1] * shape[2] == 1:
        return
    st.caption(f"Values times weights: what each adds to the {trace.digit}")
    maps = trace.reasons().reshape(shape)
    chosen = maps.abs().sum((1, 2)).argsort(descending=True)[:MAPS]
    times = max(2, SHEET // (min(8, len(chosen)) * shape[2]) // (4 if len(chosen) == 1 else 1))
    st.image(
        colormap.sheet(maps[chosen].numpy(), 8, times),
        alt=f"What each value adds to the logit of the {trace.digit}",
    )


def _softmax(subject: Subject, trace: Trace) -> None:
    temperature = subject.model.calibration.temperature
    digit, logits = trace.digit, trace.logits.tolist()
    st.markdown("**Softmax** :gray[10 logits → 10 probabilities]")
    divided = f" / {temperature:.2f}" if temperature != 1 else ""
    st.latex(
        rf"p({digit}) = \frac{{e^{{{logits[digit]:.2f}{divided}}}}}{{\sum_d e^{{z_d{divided}}}}}"
        rf" = {subject.answer.probabilities[digit]:.4f}"
    )
    if divided:
        st.caption(f"{temperature:.2f} is the model's temperature, with which its confidence can be trusted.")
    charts.plot(
        inside_figures.logits_to_probabilities(logits, subject.answer.probabilities),
        "layers-softmax",
        "The ten logits, and the probabilities made of them",
    )
