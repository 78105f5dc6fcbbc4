"""Plotly figures of runs side by side, from plain data."""

import dataclasses
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from mnist_core.figures.style import TRAINING, VALIDATION, laid_out
from mnist_core.runs.comparison import Line, pareto_front

# Seen well on light and on dark, and by most people with a colour vision deficiency told apart.
COLORS = ("#3584e4", "#e66100", "#2ec27e", "#9141ac", "#c64600", "#1a9ba1", "#d4a017", "#b5438f")
AXIS_TITLES = {"step": "step", "epoch": "epoch", "seconds": "seconds of training"}
FIGURE_TITLES = {
    "val_accuracy": "validation accuracy",
    "val_loss": "validation loss",
    "accuracy": "training accuracy",
    "loss": "training loss",
    "lr": "learning rate",
}


def curves(lines: Mapping[str, Line], figure: str, axis: str) -> go.Figure:
    """A line for each run, by what it is called, or for several that differ in their seed alone.

    Several are drawn as their mean, in a band one standard deviation wide on either side. For `figure` and `axis` see
    comparison.curve.
    """
    drawn = _laid_out(AXIS_TITLES[axis], FIGURE_TITLES[figure], 300)
    for index, (title, line) in enumerate(lines.items()):
        color = COLORS[index % len(COLORS)]
        if line.deviation.any():
            edge = {"x": line.x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            drawn.add_scatter(y=line.y - line.deviation, **edge)
            drawn.add_scatter(y=line.y + line.deviation, fill="tonexty", fillcolor=color + "33", **edge)
        drawn.add_scatter(
            x=line.x,
            y=line.y,
            name=_shortened(title),
            mode="lines+markers" if figure.startswith("val_") else "lines",
            line={"color": color, "dash": "solid" if index < len(COLORS) else "dot"},
            customdata=line.deviation,
            hovertemplate=f"{_escaped(title)}<br>%{{x:.4g}}: %{{y:{_format(figure)}}}"
            + (f" ± %{{customdata:{_format(figure)}}}" if line.deviation.any() else "")
            + "<extra></extra>",
        )
    if axis == "epoch" and max((line.x.max(initial=0) for line in lines.values()), default=0) <= 12:
        drawn.update_xaxes(dtick=1)
    if figure.endswith("accuracy"):
        drawn.update_yaxes(tickformat=".4~%")
    return drawn


@dataclasses.dataclass(frozen=True)
class Point:
    """A model on the board: the share that it reads right with its 95 % interval, what it costs, and whether it came
    with the app."""

    title: str
    accuracy: float
    interval: tuple[float, float]
    parameters: int
    seconds: float
    is_shipped: bool


def board(points: Sequence[Point], cost: str = "parameters") -> go.Figure:
    """Accuracy, as the share of errors, against `cost`, "parameters" or "seconds"; both axes are logarithmic.

    The larger a mark, the more of the other cost; a bar through it is the interval. A line joins those that no other
    beats in both.
    """
    other = "seconds" if cost == "parameters" else "parameters"
    costs = [max(1e-3, float(getattr(point, cost))) for point in points]
    drawn = _laid_out(AXIS_TITLES.get(cost, cost), "test images read wrong", 410)
    front = pareto_front(costs, [point.accuracy for point in points])
    drawn.add_scatter(
        x=[costs[i] for i in front],
        y=[_errors(points[i].accuracy) for i in front],
        name="best for the cost",
        mode="lines",
        line={"color": "#888", "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
    )
    most = max((float(getattr(point, other)) for point in points), default=1.0) or 1.0
    for is_shipped, name, color in ((True, "shipped", TRAINING), (False, "your runs", VALIDATION)):
        chosen = [i for i, point in enumerate(points) if point.is_shipped == is_shipped]
        if not chosen:
            continue
        drawn.add_scatter(
            x=[costs[i] for i in chosen],
            y=[_errors(points[i].accuracy) for i in chosen],
            name=name,
            mode="markers+text" if is_shipped else "markers",
            text=[_shortened(points[i].title) for i in chosen],
            textposition=[f"top {'left' if costs[i] == max(costs) else 'right'}" for i in chosen],  # beside the bar
            customdata=[
                [
                    _escaped(points[i].title),
                    f"{points[i].parameters:,}",
                    f"{points[i].seconds:,.1f}",
                    f"{points[i].accuracy:.2%}",
                    "{:.2%} to {:.2%}".format(*points[i].interval),
                ]
                for i in chosen
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[3]} of the test images read right<br>"
            "95 % interval %{customdata[4]}<br>"
            "%{customdata[1]} parameters, %{customdata[2]} s of training<extra></extra>",
            error_y={
                "type": "data",
                "array": [_errors(points[i].interval[0]) - _errors(points[i].accuracy) for i in chosen],
                "arrayminus": [_errors(points[i].accuracy) - _errors(points[i].interval[1]) for i in chosen],
                "thickness": 1.5,
                "width": 4,
            },
            marker={
                "color": color,
                "size": [8 + 22 * (float(getattr(points[i], other)) / most) ** 0.5 for i in chosen],
                "opacity": 0.75,
            },
        )
    drawn.update_xaxes(type="log", dtick=1)
    drawn.update_yaxes(type="log", autorange="reversed", tickformat=".3~%", dtick="D2")
    return drawn


def _errors(accuracy: float) -> float:
    """The share of errors, on an axis that has no 0: half an error among MNIST's 10,000 test images at least."""
    return max(1 - accuracy, 0.00005)


def _laid_out(x: str, y: str, height: int) -> go.Figure:
    axes = {"title": x, "zeroline": False}, {"title": y, "zeroline": False}
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    return laid_out([], height, *axes, zoom=True, legend=legend, showlegend=True)


def _format(figure: str) -> str:
    return ".2%" if figure.endswith("accuracy") else ".4g"


def _escaped(text: str) -> str:
    """Plotly reads some tags in what it shows: a name of a run is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(title: str, most: int = 28) -> str:
    return _escaped(title if len(title) <= most else title[: most - 1] + "…")
