"""Plotly figures of what a model reads: the ten probabilities, and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures.style import TRAINING, digit_bars, laid_out

# Never so strong that the ink of either theme cannot be read on it.
ERRORS = [[0, "rgba(230, 97, 0, 0)"], [0.02, "rgba(230, 97, 0, 0.15)"], [1, "rgba(230, 97, 0, 0.6)"]]
OUTLINE = {"color": TRAINING, "width": 3}


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


def confusion(
    matrix: npt.NDArray[np.int64], ink: str, outlined: tuple[int | None, int | None] = (None, None), height: int = 440
) -> go.Figure:
    """A heat map of a confusion matrix (10, 10), rows true. What was read right has no colour: errors are what counts.

    Numbers are in the colour `ink`. `outlined` is a true digit and what it is read as, around whose cell there is a
    frame; around a whole row or column where one of them is None.

    A heat map cannot be clicked on for a selection: markers that cannot be seen lie on its cells, in the order of the
    flattened matrix.
    """
    digits = [str(digit) for digit in range(10)]
    places = {"x": digits * 10, "y": [digit for digit in digits for _ in digits]}
    errors = np.where(np.eye(10), 0, matrix)
    numbers = {"textfont": {"color": ink}}
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
        **numbers,
        selected=numbers,
        unselected=numbers,
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
    axis = {"type": "category", "showgrid": False, "tickfont": {"color": ink}, "ticks": ""}
    figure = laid_out(
        [heat, counts, cells],
        height,
        axis | {"title": {"text": "read as", "font": {"color": ink}}, "side": "top", "range": [-0.5, 9.5]},
        axis | {"title": {"text": "true digit", "font": {"color": ink}}, "range": [9.5, -0.5]},
        top=30,
        dragmode=False,
        clickmode="event+select",
        showlegend=False,
    )
    true, read = outlined
    if outlined != (None, None):
        left, right = (-0.5, 9.5) if read is None else (read - 0.5, read + 0.5)
        top, bottom = (-0.5, 9.5) if true is None else (true - 0.5, true + 0.5)
        figure.add_shape(type="rect", x0=left, x1=right, y0=top, y1=bottom, line=OUTLINE)
    return figure
