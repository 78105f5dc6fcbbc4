"""Plotly figures of the first course."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mnist_core.figures.style import TRAINING, VALIDATION, digit_bars, laid_out


def counts(values: Sequence[int], digit: int | None) -> go.Figure:
    """How many images of each of the ten digits there are, the bar of `digit` strong, if there is one."""
    bars = digit_bars(values, digit, hovertemplate="%{x}: %{y:,} images<extra></extra>")
    return laid_out(bars, 200, {"type": "category"}, {"title": "images", "nticks": 4})


def surprise(probability: float) -> go.Figure:
    """The cross-entropy by the probability that the true digit was given, with that of `probability` marked."""
    x = np.geomspace(0.001, 1, 80)
    figure = _lines("probability given to the true digit", "loss", 240)
    figure.add_scatter(x=x, y=-np.log(x), mode="lines", line={"color": TRAINING}, hovertemplate="%{x:.3f}: %{y:.3f}")
    figure.add_scatter(
        x=[probability],
        y=[-math.log(probability)],
        mode="markers",
        marker={"color": VALIDATION, "size": 12},
        hovertemplate="%{x:.3f}: %{y:.3f}",
    )
    figure.update_xaxes(range=[0, 1.02])
    return figure


def one_step(rates: Sequence[float], losses: Sequence[float], before: float) -> go.Figure:
    """The loss after one step by its learning rate, on a logarithmic axis, and a line at the loss before it."""
    figure = _lines("learning rate", "loss after one step", 280)
    figure.add_scatter(
        x=list(rates),
        y=list(losses),
        mode="lines+markers",
        line={"color": TRAINING},
        marker={"size": 5},
        hovertemplate="%{x:.4g}: %{y:.3f}<extra></extra>",
    )
    figure.add_hline(y=before, line={"color": VALIDATION, "dash": "dot"})
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(range=[0, 2 * before])
    return figure


def _lines(x: str, y: str, height: int) -> go.Figure:
    return laid_out([], height, {"title": x, "zeroline": False}, {"title": y, "zeroline": False}, showlegend=False)


def units(sums: Sequence[float], bends: bool) -> go.Figure:
    """The sum of each of a layer's units as a bar; where a ReLU `bends` them, those that become 0 are grey."""
    below = "#8a8a8a" if bends else TRAINING
    bars = go.Bar(
        x=[str(number) for number in range(len(sums))],
        y=list(sums),
        marker_color=[VALIDATION if value > 0 else below for value in sums],
        marker_opacity=[1.0 if value > 0 or not bends else 0.5 for value in sums],
        hovertemplate="unit %{x}: %{y:.2f}<extra></extra>",
    )
    return laid_out(bars, 170, {"type": "category", "nticks": 12}, {"nticks": 4})
