"""Plain data made into pictures: Plotly figures, and ECharts options where a chart is redrawn while it is watched.

A Plotly chart is built anew at each refresh and blinks; an ECharts one keeps its place. No colours are set here beyond
what tells two curves apart: light and dark come from the page's theme.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

MOST_POINTS = 1_000  # of one curve; more cannot be seen and only cost time

Record = dict[str, Any]


def probabilities(values: Sequence[float]) -> go.Figure:
    """Bars of the ten digits' probabilities, the likeliest one strong."""
    best = max(range(10), key=lambda digit: values[digit])
    bars = go.Bar(
        x=[str(digit) for digit in range(10)],
        y=list(values),
        text=[f"{value:.0%}" if value >= 0.01 else "" for value in values],
        hovertemplate="%{x}: %{y:.2%}<extra></extra>",
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


def loss_curves(records: Sequence[Record]) -> dict[str, Any]:
    """ECharts options: the training's loss by step, and the validation's at each epoch's end."""
    start = [(0, record["first_loss"]) for record in records if "first_loss" in record]
    return _curves(
        "loss", start + _points(records, "step", "loss"), _points(records, "epoch", "val_loss"), value_format="%.3f"
    )


def accuracy_curves(records: Sequence[Record]) -> dict[str, Any]:
    """ECharts options: the training's accuracy by step, and the validation's at each epoch's end."""
    return _curves(
        "accuracy",
        _points(records, "step", "accuracy"),
        _points(records, "epoch", "val_accuracy"),
        value_format="percent",
    )


def _points(records: Sequence[Record], event: str, name: str) -> list[tuple[int, float]]:
    return [(record["step"], record[name]) for record in records if record["event"] == event]


def thinned(points: Sequence[tuple[int, float]], most: int = MOST_POINTS) -> list[tuple[int, float]]:
    """At most `most` of the points: each a mean over as many neighbours as that takes."""
    group = -(-len(points) // most)
    if group <= 1:
        return list(points)
    groups = [points[i : i + group] for i in range(0, len(points), group)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in groups]


def _curves(
    name: str, train: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]], value_format: str
) -> dict[str, Any]:
    def line(label: str, points: Sequence[tuple[int, float]], symbol: bool) -> dict[str, Any]:
        return {
            "name": label,
            "type": "line",
            "data": [[step, round(value, 5)] for step, value in thinned(points)],
            "showSymbol": symbol,
            "symbolSize": 8,
        }

    return {
        "animation": False,
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis", "valueFormatter": value_format},
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 28, "containLabel": True},
        "xAxis": {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 26},
        "yAxis": {"type": "value", "name": name, "nameTextStyle": {"align": "left"}, "scale": True},
        "series": [line("training", train, symbol=False), line("validation", validation, symbol=True)],
    }
