"""Plain data made into pictures: Plotly figures, and ECharts options where a chart is redrawn while it is watched.

A Plotly chart is built anew at each refresh and blinks; an ECharts one keeps its place. The few colours set here are
seen on light and on dark; everything else comes from the page's theme.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.history import Curve

# Seen well on light and on dark.
TRAINING, VALIDATION, RATE = "#3584e4", "#e66100", "#9141ac"
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


def loss_curves(curves: Mapping[str, Curve]) -> dict[str, Any]:
    """ECharts options for a History's `curves`: the training's loss, raw and smoothed, and the validation's."""
    return _of_both("loss", curves, value_format="%.4f")


def accuracy_curves(curves: Mapping[str, Curve]) -> dict[str, Any]:
    """ECharts options for a History's `curves`: the training's accuracy, raw and smoothed, and the validation's."""
    return _of_both("accuracy", curves, value_format="percent")


def together(name: str, curves: Mapping[str, Curve], value_format: str, highest: float | None = None) -> dict[str, Any]:
    """ECharts options for up to three curves of one kind by what they are called; values above `highest` are cut."""
    colors = (TRAINING, VALIDATION, RATE)
    lines = [_line(label, curve, color) for (label, curve), color in zip(curves.items(), colors, strict=False)]
    options = _options(name, lines, value_format)
    options["legend"]["show"] = True
    if highest is not None:
        options["yAxis"]["max"] = highest
    return options


def _of_both(name: str, curves: Mapping[str, Curve], value_format: str) -> dict[str, Any]:
    lines = [
        _line("each report", curves[name], TRAINING, faint=True),
        _line("training", curves[f"{name}_smoothed"], TRAINING),
        _line("validation", curves[f"val_{name}"], VALIDATION, symbols=True),
    ]
    return _options(name, lines, value_format)


def lr_curve(curves: Mapping[str, Curve]) -> dict[str, Any]:
    """ECharts options for a History's `curves`: the learning rate by step."""
    return _options("learning rate", [_line("learning rate", curves["lr"], RATE)], value_format="%.5f")


def _line(label: str, curve: Curve, color: str, faint: bool = False, symbols: bool = False) -> dict[str, Any]:
    return {
        "name": label,
        "type": "line",
        "data": [[round(x), float(f"{y:.4g}")] for x, y in curve.points],
        "showSymbol": symbols,
        "symbolSize": 7,
        "color": color,
        "lineStyle": {"width": 1 if faint else 2, "opacity": 0.4 if faint else 1},
    }


def _options(name: str, lines: list[dict[str, Any]], value_format: str) -> dict[str, Any]:
    return {
        "animation": False,
        "title": {"text": name, "top": 2, "left": 0, "padding": [5, 0], "textStyle": {"fontSize": 14}},
        "legend": {"top": 0, "right": 0, "show": len(lines) > 1},
        "tooltip": {"trigger": "axis", "valueFormatter": value_format},
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 28, "containLabel": True},
        "xAxis": {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 26, "minInterval": 1},
        "yAxis": {"type": "value", "scale": True},
        "series": lines,
    }


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
