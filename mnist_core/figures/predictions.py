"""Plotly figures of what a model reads: the ten probabilities, and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures.style import digit_bars, laid_out

ERRORS = [[0, "rgba(230, 97, 0, 0)"], [0.02, "rgba(230, 97, 0, 0.15)"], [1, "rgba(230, 97, 0, 0.9)"]]


def probabilities(values: Sequence[float], height: int = 240) -> go.Figure:
    """Bars of the ten digits' probabilities, the likeliest one strong."""
    best = max(range(10), key=lambda digit: values[digit])
    bars = digit_bars(
        values,
        best,
        text=[f"{value:.0%}" if value >= 0.01 else "" for value in values],
        hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        textposition="outside",
        cliponaxis=False,
    )
    return laid_out(bars, height, {"type": "category"}, {"range": [0, 1.1], "visible": False})


def confusion(matrix: npt.NDArray[np.int64]) -> go.Figure:
    """A heat map of a confusion matrix (10, 10), rows true. What was read right has no colour: errors are what counts.

    A heat map cannot be clicked on for a selection: markers that cannot be seen lie on its cells, in the order of the
    flattened matrix.
    """
    digits = [str(digit) for digit in range(10)]
    places = {"x": digits * 10, "y": [digit for digit in digits for _ in digits]}
    errors = np.where(np.eye(10), 0, matrix)
    heat = go.Heatmap(
        z=np.where(np.eye(10), np.nan, matrix),
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
        **places,
        mode="text",
        text=[f"{count:,}" if count else "" for count in matrix.ravel()],
        hoverinfo="skip",
        textfont={"color": ["#fff" if count > errors.max() / 2 else "#888" for count in errors.ravel()]},
        unselected={"textfont": {"color": "#888"}},
    )
    cells = go.Scatter(
        **places,
        mode="markers",
        customdata=matrix.ravel(),
        marker={"opacity": 0, "size": 32, "symbol": "square"},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="a true %{y}, read as %{x}: %{customdata:,}<extra></extra>",
    )
    return laid_out(
        [heat, counts, cells],
        440,
        {"type": "category", "title": "read as", "side": "top", "showgrid": False},
        {"type": "category", "title": "true digit", "autorange": "reversed", "showgrid": False},
        top=30,
        dragmode=False,
        clickmode="event+select",
        showlegend=False,
    )
