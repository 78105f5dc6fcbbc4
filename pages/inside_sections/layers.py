"""Through the layers: what each gives, from the pixels to the ten probabilities."""

from __future__ import annotations

import math
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
# What the values of a stage can stand for.
STAGES = {
    "pixels": "The image as it is, only arranged in another way.",
    "edges": "Each value sees {0} x {0} pixels: enough for an edge, a dot or a line's end.",
    "strokes": "Each value sees {0} x {0} pixels: enough for a stroke, a corner or a bow.",
    "shapes": "Each value sees {0} x {0} pixels of 28 x 28: loops, and how strokes lie to each other.",
    "digits": "One value for each digit, its logit: all that was found, weighed and added up.",
}
# What a kind of layer does; of these, a STRANGE one is explained wherever it stands.
KINDS = {
    "PixelUnshuffle": "makes 4 small images of one: each takes every second pixel of every second row. Nothing is "
    "lost, and the layers behind have a quarter of the places to work on",
    "Conv2d": "slides kernels over the maps: at each place, a weighted sum of what is around it",
    "BatchNorm2d": "shifts and scales each map by what was usual in training",
    "ReLU": "keeps what is above 0, and makes all else 0",
    "MaxPool2d": "keeps the largest of each 2 x 2 values",
    "AdaptiveAvgPool2d": "takes the mean of each map",
    "Flatten": "writes all values in one row",
    "Linear": "makes a weighted sum of all values for each unit",
    "Dropout": "does something in training alone: it sets some of the values to 0",
    "Sum": "adds what came into the block to what the block made of it",
}
STRANGE = ("PixelUnshuffle", "Sum")


def show(subject: Subject) -> None:
    from mnist_core.inside import layers

    digit = subject.answer.digit
    st.markdown(
        f"The image passes these layers, from top to bottom. What adds to the **{digit}** comes first: orange is above "
        "0, blue below."
    )
    apart = st.toggle("Each layer by itself", key="layers-apart", help="With what it does, and what it gives.")
    trace = layers.trace(subject.model.network, subject.image)
    for stage in trace.stages():
        st.subheader(stage.name.capitalize())
        st.caption(STAGES[stage.name].format(stage.sees))
        for block in [[layer] for layer in stage.layers] if apart else [stage.layers]:
            _block(trace, block, digit, apart)
    _softmax(subject, trace)


def _block(trace: Trace, block: list[Layer], digit: int, apart: bool) -> None:
    """Layers one behind the other: what they are, what they take and give, and a picture of what they give."""
    explained = [kind for kind in dict.fromkeys(layer.kind for layer in block) if apart or kind in STRANGE]
    if any(layer.number == trace.last_with_weights.number for layer in block):
        _reasons(trace, trace.last_with_weights)
    _title(block)
    for kind in explained:
        if kind in KINDS:
            st.caption(f"{kind} {KINDS[kind]}.")
    # maps rather than the same values in a row
    last = next((layer for layer in reversed(block) if _has_maps(layer.given)), block[-1])
    if last.number < trace.last_with_weights.number and not last.given.flatten().equal(block[0].taken.flatten()):
        _values(last, digit)


def _has_maps(given: Tensor) -> bool:
    return given.dim() == 3 and given[0].numel() > 1


def in_words(shape: tuple[int, ...]) -> str:
    """What values of that shape are: "16 maps of 14 x 14", "64 values"."""
    if len(shape) == 3 and shape[1] * shape[2] > 1:
        return f"{shape[0]} {'map' if shape[0] == 1 else 'maps'} of {shape[1]} x {shape[2]}"
    return f"{math.prod(shape)} values"


def _title(block: list[Layer]) -> None:
    parameters = sum(layer.parameters for layer in block)
    st.markdown(
        f"{in_words(tuple(block[0].taken.shape))} → **{in_words(tuple(block[-1].given.shape))}** "
        f":gray[{' → '.join(layer.kind for layer in block)}{f', {parameters:,} parameters' if parameters else ''}]"
    )


def _values(layer: Layer, digit: int) -> None:
    """What a layer gives: a picture of its maps, or bars of its units, those first that add most to the digit."""
    given, worth = layer.given, layer.worth
    if _has_maps(given):
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
