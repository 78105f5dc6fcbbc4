"""ECharts options of the curves that are redrawn while they are watched.

A Plotly chart is rebuilt at each refresh and blinks; an ECharts one keeps its place.
"""

import math
from collections.abc import Mapping
from typing import Any

from mnist_core.figures.style import EARLIER, RATE, TRAINING, VALIDATION
from mnist_core.runs.curves import Curve


def loss_curves(
    curves: Mapping[str, Curve], steps: int | None = None, before: Mapping[str, Curve] | None = None
) -> dict[str, Any]:
    """ECharts options for a History's `curves`: the training's loss, raw and smoothed, and the validation's.

    The axis is as long as the training's `steps`, where they are known. The curve of a run `before` stands behind.
    """
    options = _of_both("loss", curves, steps, before, value_format="%.4f")
    options["yAxis"]["min"] = 0
    _mark(options, {math.log(10): "guessing"})
    return options


def accuracy_curves(
    curves: Mapping[str, Curve],
    steps: int | None = None,
    before: Mapping[str, Curve] | None = None,
    goals: Mapping[float, str] | None = None,
) -> dict[str, Any]:
    """ECharts options for a History's `curves`: the training's accuracy, raw and smoothed, and the validation's.

    As `loss_curves`. `goals` are accuracies to compare it with, and what they are.
    """
    options = _of_both("accuracy", curves, steps, before, value_format="percent")
    options["yAxis"] |= {"min": 0, "max": 1}
    _mark(options, {0.1: "guessing: 10 %", **(goals or {})})
    return options


def own_curves(curves: Mapping[str, Curve], steps: int, judges: str) -> dict[str, Any]:
    """ECharts options for a History's `curves`: own digits that are not learnt and validation images, read right.

    `steps` are those of the whole training, and `judges` says whose the own digits are.
    """
    shown = {judges: curves["own_accuracy"], "everybody's": curves["val_accuracy"]}
    options = together("read right", {name: curve for name, curve in shown.items() if curve.points}, "percent")
    for line in options["series"]:
        line["showSymbol"] = True
    lowest = min((y for curve in shown.values() for _, y in curve.points), default=0.0)
    options["xAxis"] |= {"max": steps, "name": ""}
    options["yAxis"] |= {"max": 1, "min": max(0.0, math.floor(lowest * 20 - 1) / 20)}
    return options


def together(name: str, curves: Mapping[str, Curve], value_format: str, highest: float | None = None) -> dict[str, Any]:
    """ECharts options for up to three curves of one kind by what they are called; values above `highest` are cut."""
    colors = (TRAINING, VALIDATION, RATE)
    lines = [_line(label, curve, color) for (label, curve), color in zip(curves.items(), colors, strict=False)]
    options = _options(name, lines, value_format)
    options["legend"]["show"] = True
    if highest is not None:
        options["yAxis"]["max"] = highest
    return options


def _of_both(
    name: str, curves: Mapping[str, Curve], steps: int | None, before: Mapping[str, Curve] | None, value_format: str
) -> dict[str, Any]:
    lines = [
        _line("unsmoothed", curves[name], TRAINING, faint=True),
        _line("training", curves[f"{name}_smoothed"], TRAINING),
        _line("validation", curves[f"val_{name}"], VALIDATION, symbols=True),
    ]
    if before:
        lines.insert(0, _line("training, last run", before[f"{name}_smoothed"], EARLIER))
    options = _options(name, lines, value_format)
    options["legend"]["data"] = [line["name"] for line in lines if line["name"] != "unsmoothed"]
    if steps:
        options["xAxis"]["max"] = steps
    return options


def _mark(options: dict[str, Any], levels: Mapping[float, str]) -> None:
    """Dashed lines at these heights, with words."""
    options["series"][-1]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "animation": False,
        "lineStyle": {"type": "dashed", "color": EARLIER, "width": 1},
        "label": {"position": "insideEndTop", "color": EARLIER, "fontSize": 11},
        "data": [{"yAxis": level, "label": {"formatter": words}} for level, words in levels.items()],
    }


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
