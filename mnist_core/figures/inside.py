"""Plotly figures of a network's inside."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from mnist_core.figures.style import TRAINING, VALIDATION, Options, digit_bars, laid_out

# One for each digit, told apart on light and on dark.
DIGITS = (
    *("#3584e4", "#e66100", "#2ec27e", "#e01b24", "#9141ac"),
    *("#a0704b", "#f66fb2", "#8a8a8a", "#c8a800", "#17a2b8"),
)


def worths(names: Sequence[str], values: Sequence[float]) -> go.Figure:
    """Bars of what units add to a logit, the first on the left: orange above 0, blue below."""
    bars = go.Bar(
        x=list(names),
        y=list(values),
        marker_color=[VALIDATION if value > 0 else TRAINING for value in values],
        hovertemplate="unit %{x}: %{y:.3f}<extra></extra>",
    )
    return laid_out(bars, 240, {"type": "category", "title": "unit", "nticks": 16}, {})


def logits_to_probabilities(logits: Sequence[float], probabilities: Sequence[float]) -> go.Figure:
    """The ten logits above, and below them the probabilities that the softmax makes of them."""
    best = int(np.argmax(logits))
    hover = "%{x}: %{y:.4f}<extra></extra>"
    options: Options = {"textposition": "outside", "cliponaxis": False, "hovertemplate": hover}
    words = [f"{value:.0%}" if value >= 0.01 else "" for value in probabilities]
    bars = [
        digit_bars(logits, best, VALIDATION, text=[f"{value:.1f}" for value in logits], yaxis="y2", **options),
        digit_bars(probabilities, best, text=words, yaxis="y", **options),
    ]
    low, high = min(0.0, *logits), max(0.0, *logits)
    reach = (high - low) * 0.18
    return laid_out(
        bars,
        320,
        {"type": "category", "anchor": "y"},
        {"range": [0, 1.15], "domain": [0, 0.42], "title": "probability", "nticks": 3},
        top=20,
        showlegend=False,
        yaxis2={"range": [low - reach, high + reach], "domain": [0.56, 1], "title": "logit", "fixedrange": True},
    )


def accuracy_by_strength(
    curve: Sequence[tuple[float, float]], reach: tuple[float, float], unit: str, strength: float
) -> go.Figure:
    """Accuracy against the strength of a damage, over all of its `reach`, with the strength that is set marked."""
    line = go.Scatter(
        x=[x for x, _ in curve],
        y=[y for _, y in curve],
        mode="lines+markers",
        line={"color": TRAINING},
        hovertemplate="%{x:g}: %{y:.2%}<extra></extra>",
    )
    low, high = reach
    margin = (high - low) / 50
    x = {"title": unit, "range": [low - margin, high + margin]}
    figure = laid_out(line, 280, x, {"title": "accuracy", "range": [0, 1.03], "tickformat": ".0%"})
    return figure.add_vline(x=strength, line={"color": VALIDATION, "dash": "dot"})


def space(
    places: npt.NDArray[np.floating],
    truth: npt.NDArray[np.integer],
    read: npt.NDArray[np.integer],
    numbers: npt.NDArray[np.integer],
    yours: Sequence[float],
    nearest: npt.NDArray[np.floating],
) -> go.Figure:
    """Images as points: `places` (N, 2), coloured by the true digit, those read wrong as crosses.

    `numbers` (N,), an image's index in its split, go with each point; `yours` is where the chosen image lies, `nearest`
    (K, 2) where its neighbours do.
    """
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    figure = laid_out(
        [],
        480,
        hidden,
        hidden | {"scaleanchor": "x"},
        top=0,
        zoom=True,
        legend={"orientation": "h", "itemsizing": "constant", "y": -0.02, "yanchor": "top"},
        clickmode="event+select",
        dragmode="pan",
    )
    for digit in range(10):
        chosen = truth == digit
        wrong = read[chosen] != digit
        figure.add_scatter(
            x=places[chosen, 0],
            y=places[chosen, 1],
            mode="markers",
            name=str(digit),
            customdata=numbers[chosen],
            text=read[chosen],
            marker={
                "color": DIGITS[digit],
                "size": np.where(wrong, 10, 4),
                "symbol": np.where(wrong, "x", "circle"),
                "opacity": np.where(wrong, 1.0, 0.55),
            },
            hovertemplate=f"image %{{customdata}}, a true {digit}, read as %{{text}}<extra></extra>",
        )
    figure.add_scatter(
        x=nearest[:, 0],
        y=nearest[:, 1],
        mode="markers",
        name="nearest",
        hoverinfo="skip",
        marker={"size": 12, "symbol": "circle-open", "color": "#888", "line": {"width": 2}},
    )
    figure.add_scatter(
        x=[yours[0]],
        y=[yours[1]],
        mode="markers",
        name="this image",
        hovertemplate="this image<extra></extra>",
        marker={"size": 18, "symbol": "star", "color": "#000", "line": {"width": 2, "color": "#fff"}},
    )
    return figure


def shares(values: Mapping[str, float], intervals: Sequence[tuple[float, float]]) -> go.Figure:
    """Lying bars of shares by name, the first at the top, each with a line along its interval."""
    bars = go.Bar(
        x=list(values.values()),
        y=list(values),
        orientation="h",
        text=[f"{value:.1%}" for value in values.values()],
        textposition="inside",
        insidetextanchor="start",
        error_x={
            "type": "data",
            "array": [high - value for value, (_, high) in zip(values.values(), intervals, strict=True)],
            "arrayminus": [value - low for value, (low, _) in zip(values.values(), intervals, strict=True)],
            "color": "#888",
        },
        marker_color=[TRAINING, *[VALIDATION] * (len(values) - 1)],
        hovertemplate="%{y}: %{x:.2%}<extra></extra>",
    )
    return laid_out(bars, 60 + 34 * len(values), {"range": [0, 1], "tickformat": ".0%"}, {"autorange": "reversed"})
