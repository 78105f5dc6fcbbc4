"""Colours and the layout that all figures share. Colours are seen well on light and on dark; all else is the page's."""

from collections.abc import Sequence
from typing import Any

import pandas  # noqa: F401  # whole, before Plotly asks for it: it takes one that another thread is still importing
import plotly.graph_objects as go

TRAINING, VALIDATION, RATE = "#3584e4", "#e66100", "#9141ac"
EARLIER = "#808890"  # another run, and lines to compare with
# Of text on light and on dark, for numbers on a coloured ground.
INK = {"light": "#1b2733", "dark": "#e6ebf0"}

Options = dict[str, Any]


def laid_out(
    traces: Any, height: int, x: Options, y: Options, top: int = 10, zoom: bool = False, **layout: Any
) -> go.Figure:
    """The traces as a figure `height` pixels high with no margin but `top`; `x` and `y` are options of its axes.

    Only with `zoom` can a part of it be enlarged. `layout` are other options of Plotly's layout.
    """
    axis: Options = {} if zoom else {"fixedrange": True}
    margin = {"l": 0, "r": 0, "t": top, "b": 0}
    return go.Figure(traces, {"height": height, "margin": margin, "xaxis": axis | x, "yaxis": axis | y, **layout})


def digit_bars(values: Sequence[float], strong: int | None, color: str = TRAINING, **options: Any) -> go.Bar:
    """A bar for each of the ten digits, that of `strong` in full colour, if there is one."""
    return go.Bar(
        x=[str(digit) for digit in range(10)],
        y=list(values),
        marker_color=color,
        marker_opacity=[1.0 if digit == strong else 0.5 for digit in range(10)],
        **options,
    )
