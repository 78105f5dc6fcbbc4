"""Plotly figures of what a model reads: the ten probabilities, and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures.style import TRAINING

ERRORS = [[0, "rgba(230, 97, 0, 0)"], [0.02, "rgba(230, 97, 0, 0.15)"], [1, "rgba(230, 97, 0, 0.9)"]]


def probabilities(values: Sequence[float]) -> go.Figure:
    """Bars of the ten digits' probabilities, the likeliest one strong."""
    best = max(range(10), key=lambda digit: values[digit])
    bars = go.Bar(
        x=[str(digit) for digit in range(10)],
        y=list(values),
        text=[f"{value:.0%}" if value >= 0.01 else "" for value in values],
        hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        textposition="outside",
        cliponaxis=False,
        marker_color=TRAINING,
        marker_opacity=[1.0 if digit == best else 0.5 for digit in range(10)],
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=240,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        yaxis={"range": [0, 1.1], "visible": False, "fixedrange": True},
        xaxis={"type": "category", "fixedrange": True},
    )
    return figure


def confusion(matrix: npt.NDArray[np.int64]) -> go.Figure:
    """A heat map of a confusion matrix (10, 10), rows true. What was read right has no colour: errors are what counts.

    A heat map cannot be clicked on for a selection: markers that cannot be seen lie on its cells, in the order of the
    flattened matrix.
    """
    digits = [str(digit) for digit in range(10)]
    errors = np.where(np.eye(10, dtype=bool), 0, matrix)
    heat = go.Heatmap(
        z=np.where(np.eye(10, dtype=bool), np.nan, matrix),
        x=digits,
        y=digits,
        zmin=0,
        zmax=max(1, int(errors.max())),
        xgap=1,
        ygap=1,
        showscale=False,
        hoverinfo="skip",
        colorscale=ERRORS,
    )
    counts = go.Scatter(
        x=digits * 10,
        y=[digit for digit in digits for _ in digits],
        mode="text",
        text=[f"{count:,}" if count else "" for count in matrix.ravel()],
        hoverinfo="skip",
        textfont={"color": ["#fff" if count > errors.max() / 2 else "#888" for count in errors.ravel()]},
        unselected={"textfont": {"color": "#888"}},
    )
    cells = go.Scatter(
        x=digits * 10,
        y=[digit for digit in digits for _ in digits],
        mode="markers",
        customdata=matrix.ravel(),
        marker={"opacity": 0, "size": 32, "symbol": "square"},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="a true %{y}, read as %{x}: %{customdata:,}<extra></extra>",
    )
    figure = go.Figure([heat, counts, cells])
    figure.update_layout(
        height=440,
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
        dragmode=False,
        clickmode="event+select",
        showlegend=False,
        xaxis={"type": "category", "title": "read as", "side": "top", "fixedrange": True, "showgrid": False},
        yaxis={
            "type": "category",
            "title": "true digit",
            "autorange": "reversed",
            "fixedrange": True,
            "showgrid": False,
        },
    )
    return figure
