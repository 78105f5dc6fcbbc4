"""Plotly figures of a search, from its trials."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.config import label_of
from mnist_core.figures.style import TRAINING, VALIDATION, laid_out
from mnist_core.search.settings import Goal
from mnist_core.search.space import Dimension, Value

if TYPE_CHECKING:
    from mnist_core.search.study import Trial

GREY = "#888888"
LINES = {"finished": TRAINING, "running": "#2ec27e", "pruned": GREY, "diverged": "#c64600", "stopped": GREY}
HEIGHT = 280
PLACES = 40  # of a map's grid, in each direction
LEAST_ERROR = 5e-5  # so that a logarithmic axis has a place for no error at all


def curves(trials: "Sequence[Trial]", best: int | None) -> go.Figure:
    """What each trial read wrong epoch by epoch, in a thin line; that of the trial number `best` is strong."""
    longest = max((max(trial.reported, default=0) for trial in trials), default=0)
    epochs = {"title": "epoch"} | ({"dtick": 1} if longest <= 12 else {})
    drawn = laid_out([], HEIGHT, epochs, _errors(_joined(trials)[1]), legend=_LEGEND)
    for state, color in LINES.items():
        chosen = [trial for trial in trials if trial.state == state and trial.reported and trial.number != best]
        if chosen:
            x, y, runs = _joined(chosen)
            mode = "lines+markers"
            drawn.add_scatter(
                x=x,
                y=y,
                customdata=runs,
                name=state,
                mode=mode,
                line={"color": color, "width": 1},
                marker={"size": 4},
                hovertemplate=_HOVER,
            )
    for trial in trials:
        if trial.number == best:
            x, y, runs = _joined([trial])
            line = {"color": VALIDATION, "width": 3}
            drawn.add_scatter(
                x=x, y=y, customdata=runs, name="best", mode="lines+markers", line=line, hovertemplate=_HOVER
            )
    return drawn


def _joined(trials: "Sequence[Trial]") -> tuple[list[int | None], list[float | None], list[str]]:
    """The curves as one, with gaps between, so that a search of hundreds is as quick to draw as one of ten."""
    x: list[int | None] = []
    y: list[float | None] = []
    runs: list[str] = []
    for trial in trials:
        epochs = sorted(trial.reported)
        x += [*epochs, None]
        y += [*(_error(trial.reported[epoch]) for epoch in epochs), None]
        runs += [trial.run] * (len(epochs) + 1)
    return x, y, runs


def history(trials: "Sequence[Trial]", best_so_far: Sequence[tuple[int, float]]) -> go.Figure:
    """The first figure of each finished trial, and the best of them so far."""
    finished = [trial for trial in trials if trial.values]
    drawn = laid_out([], HEIGHT, {"title": "trial"}, _errors(map(_missed, finished)), showlegend=False)
    drawn.add_scatter(
        x=[trial.number for trial in finished],
        y=list(map(_missed, finished)),
        customdata=[trial.run for trial in finished],
        text=[words(trial.params) for trial in finished],
        hovertemplate="%{y:.2%} wrong<br>%{text}<extra></extra>",
        mode="markers",
        marker={"color": TRAINING, "opacity": 0.7},
    )
    x, y = [number for number, _ in best_so_far], [_error(value) for _, value in best_so_far]
    drawn.add_scatter(x=x, y=y, mode="lines", line={"color": VALIDATION, "shape": "hv"}, hoverinfo="skip")
    return drawn


def front(trials: "Sequence[Trial]", best: "Sequence[Trial]", goal: Goal) -> go.Figure:
    """All finished trials by their two figures, and the line of those that no other beats in both."""
    finished = [trial for trial in trials if trial.values]
    cost = goal.figures[1]
    drawn = laid_out([], HEIGHT, {"title": cost, "type": "log"}, _errors(map(_missed, finished)), showlegend=False)
    drawn.add_scatter(
        x=[trial.values[1] for trial in finished if trial.values],
        y=list(map(_missed, finished)),
        customdata=[trial.run for trial in finished],
        text=[words(trial.params) for trial in finished],
        hovertemplate="%{y:.2%} wrong, %{x:,.4~g} " + cost + "<br>%{text}<extra></extra>",
        mode="markers",
        marker={"color": TRAINING, "opacity": 0.7},
    )
    ends = sorted(trial.values[::-1] for trial in best if trial.values)
    line = {"color": VALIDATION, "shape": "hv"}
    drawn.add_scatter(x=[x for x, _ in ends], y=[_error(y) for _, y in ends], mode="lines", line=line, hoverinfo="skip")
    return drawn


def importances(shares: Mapping[str, float]) -> go.Figure:
    """A bar for each setting, the longest on top."""
    names = list(shares)[::-1]
    bars = go.Bar(
        x=[shares[name] for name in names],
        y=list(map(label_of, names)),
        orientation="h",
        marker_color=TRAINING,
        text=[f"{shares[name]:.0%}" for name in names],
        hoverinfo="skip",
    )
    return laid_out(bars, HEIGHT, {"range": [0, 1], "tickformat": ".0%"}, {"type": "category"})


def parallel(trials: "Sequence[Trial]", space: Sequence[Dimension]) -> go.Figure:
    """A line for each trial through its settings to what it reached, in that colour."""
    shown = [trial for trial in trials if trial.value is not None and all(one.field in trial.params for one in space)]
    values = [-math.log10(_missed(trial)) for trial in shown]
    axes: list[dict[str, Any]] = [_axis(one, [trial.params[one.field] for trial in shown]) for one in space]
    places = [min(values) + (max(values) - min(values)) * i / 4 for i in range(5)] if values else []
    ticks = {"tickvals": places, "ticktext": [f"{1 - 10**-place:.2%}" for place in places]}
    axes.append({"label": "reached", "values": values, **ticks})
    lines = go.Parcoords(dimensions=axes, line={"color": values, "colorscale": "Viridis"})
    drawn = laid_out(lines, 320, {}, {}, top=40)
    return drawn.update_layout(margin={"l": 60, "r": 60, "b": 20})


def _axis(dimension: Dimension, values: "Sequence[Value]") -> dict[str, Any]:
    label = label_of(dimension.field)
    if dimension.choices:
        named = {"tickvals": list(range(len(dimension.choices))), "ticktext": list(dimension.choices)}
        return {"label": label, "values": [dimension.choices.index(str(value)) for value in values], **named}
    ends = [float(dimension.low), float(dimension.high)]
    if not dimension.log:
        return {"label": label, "values": [float(value) for value in values], "range": ends}
    ticks = _ticks(dimension)
    return {
        "label": label,
        "values": [math.log10(float(value)) for value in values],
        "range": list(map(math.log10, ends)),
        "tickvals": list(map(math.log10, ticks)),
        "ticktext": list(map(_short_number, ticks)),
    }


def contour(trials: "Sequence[Trial]", x: Dimension, y: Dimension) -> go.Figure:
    """What was reached over two settings that are ranges: the trials, and between them what they let expect.

    Between three neighbouring trials the figure is interpolated linearly; outside of all there is none.
    """
    from scipy.interpolate import griddata
    from scipy.spatial import QhullError

    shown = [t for t in trials if t.value is not None and x.field in t.params and y.field in t.params]
    values = np.array([-math.log10(_missed(trial)) for trial in shown])
    points = np.array([[_place(t, x), _place(t, y)] for t in shown], dtype=float).reshape(-1, 2)
    drawn = laid_out(
        [], HEIGHT + 40, {"title": label_of(x.field), **_scale(x)}, {"title": label_of(y.field), **_scale(y)}
    )
    if len(shown) > 3:
        edges = [np.linspace(points[:, i].min(), points[:, i].max(), PLACES) for i in (0, 1)]
        try:
            surface = griddata(points, values, tuple(np.meshgrid(*edges)), rescale=True)
        except QhullError:  # all in one line
            surface = None
        if surface is not None:
            xs, ys = (10**edge if one.log else edge for edge, one in zip(edges, (x, y), strict=True))
            ends = [values.min(), values.max()]
            bar = {"tickvals": ends, "ticktext": [f"{1 - 10**-end:.1%}" for end in ends]}
            colors = {"colorscale": "Viridis", "zmin": ends[0], "zmax": ends[1], "colorbar": bar}
            drawn.add_contour(x=xs, y=ys, z=surface, hoverinfo="skip", contours_coloring="heatmap", **colors)
    drawn.add_scatter(
        x=[trial.params[x.field] for trial in shown],
        y=[trial.params[y.field] for trial in shown],
        customdata=[trial.run for trial in shown],
        text=[f"{trial.value:.2%}" for trial in shown],
        hovertemplate="%{text}<br>%{x:.3g}, %{y:.3g}<extra></extra>",
        mode="markers",
        marker={"color": "white", "size": 7, "line": {"color": "black", "width": 1}},
        showlegend=False,
    )
    return drawn


def _place(trial: "Trial", dimension: Dimension) -> float:
    value = float(trial.params[dimension.field])
    return math.log10(value) if dimension.log else value


def _scale(dimension: Dimension) -> dict[str, Any]:
    ticks = _ticks(dimension)
    return {"type": "log", "tickvals": ticks, "ticktext": list(map(_short_number, ticks))} if dimension.log else {}


def _ticks(dimension: Dimension) -> list[float]:
    """Five places from end to end, by equal factors."""
    return [dimension.low * (dimension.high / dimension.low) ** (i / 4) for i in range(5)] if dimension.log else []


def _short_number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def words(params: "Mapping[str, Value]") -> str:
    """Settings in one line: "lr 0.0141, hidden 64 64"."""
    return ", ".join(
        f"{field} {value:.3g}" if isinstance(value, float) else f"{field} {str(value).replace(',', ' ')}"
        for field, value in params.items()
    )


def _missed(trial: "Trial") -> float:
    return _error(trial.value)


def _error(share: float | None) -> float:
    """The share that is not right, as a logarithmic axis can show it."""
    return max(1 - (share or 0.0), LEAST_ERROR)


def _errors(errors: Iterable[float | None]) -> dict[str, Any]:
    """The axis of what is read wrong: logarithmic where the errors are of several sizes."""
    shown = [error for error in errors if error is not None]
    axis: dict[str, Any] = {"title": "read wrong", "tickformat": ".2~%"}
    if not shown or max(shown) < 3 * min(shown):
        return axis
    return axis | {"type": "log", "tickvals": [digit * 10.0**power for power in range(-5, 0) for digit in (1, 2, 5)]}


_HOVER = "epoch %{x}: %{y:.2%} wrong<extra></extra>"
_LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}
