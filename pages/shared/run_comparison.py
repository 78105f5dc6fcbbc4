"""Chosen runs side by side: curves, what differs, and the test images that only one of two reads right."""

import dataclasses
from typing import Any

import numpy as np
import streamlit as st

from mnist_core import config, metrics
from mnist_core.errors import LabError
from mnist_core.figures import comparison as comparison_figures
from mnist_core.figures import predictions as prediction_figures
from mnist_core.reading.predictions import Predictions
from mnist_core.runs import comparison
from mnist_core.runs.comparison import Difference
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row, differing, over_seeds, same_but_for_seed, setting, title_of
from pages.shared import charts, models
from pages.shared.markdown import plain
from pages.shared.pictures import in_markdown
from pages.shared.runs import by_name, records_of

SMOOTHING = (0, 10, 20, 50, 100, 200, 500, 1_000)  # steps
REACHED = {"test": ("{:.2%}", "test_accuracy"), "best validation": ("{:.2%}", "val_accuracy")}
COSTS = {"parameters": ("{:,}", "parameters"), "seconds of training": ("{:,.1f}", "seconds")}
SHOWN = 24  # images that only one reads right
MOST = 12  # runs compared at a time


def show(rows: list[Row]) -> None:
    """The curves of the chosen runs, two or more, and what differs."""
    compared = _compared(rows)
    if len(compared) < 2:
        st.caption("A damaged run cannot be compared: choose two others.")
        return
    if len(rows) > MOST:
        st.caption(f"{MOST} runs are compared at a time: of the {len(rows)} chosen, the newest.")
    names = {row.run: row.title for row in compared}
    _curves(compared, names)
    _differences(compared, names)
    _seeds(compared)


def show_test_images(rows: list[Row]) -> None:
    """What two of the chosen runs that have finished read in the same test images."""
    compared = _compared(rows)
    if len(compared) < 2:
        return
    with st.container(key="compared-images"):
        st.subheader("On the same test images")
        names = {row.run: row.title for row in compared}
        _test_images([row for row in compared if row.state is RunState.FINISHED], names)


def _compared(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.state is not RunState.DAMAGED][:MOST]


def show_curve(row: Row) -> None:
    """The validation accuracy of one run by epoch, where there is any yet."""
    try:
        line = comparison.together([_curve(row, "val_accuracy", "epoch", 0)])
    except LabError as error:
        st.caption(by_name(error))
        return
    if len(line.x):
        figure = comparison_figures.curves({row.title: line}, "val_accuracy", "epoch")
        charts.plot(figure.update_layout(height=220, showlegend=False), "chosen-chart", "Validation accuracy by epoch")


def _curves(rows: list[Row], names: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        figure: Any = st.selectbox(
            "Curve",
            comparison.FIGURES,
            format_func=lambda name: comparison_figures.FIGURE_TITLES[name].capitalize(),
            key="compare-figure",
            width=200,
            label_visibility="collapsed",
        )
        axis: Any = st.segmented_control(
            "By",
            comparison.AXES,
            default="epoch",
            key="compare-axis",
            required=True,
            format_func=lambda axis: f"by {axis}",
            label_visibility="collapsed",
        )
        with st.popover("More", key="compare-more", icon=":material/tune:"):
            smoothing: Any = st.select_slider(
                "Smoothing (steps)",
                SMOOTHING,
                value=50,
                key="compare-smoothing",
                disabled=figure.startswith("val_"),
                help="The steps over which a curve of the training is averaged.",
                width=260,
            )
            together = st.toggle(
                "Seeds together",
                value=True,
                key="compare-together",
                help="Runs that differ in their seed alone as their mean, with the standard deviation around it.",
            )
    lines = {}
    for group in same_but_for_seed(rows) if together else [[row] for row in rows]:
        title = (
            names[group[0].run]
            if len(group) == 1
            else f"{title_of(dataclasses.replace(group[0].config, seed=0))}, {len(group)} seeds"
        )
        try:
            lines[title] = comparison.together([_curve(row, figure, axis or "epoch", smoothing) for row in group])
        except LabError as error:
            st.caption(by_name(error))
    if not any(len(line.x) for line in lines.values()):
        st.caption("There is nothing to draw yet: none of these runs has reported this figure.")
        return
    charts.plot(
        comparison_figures.curves(lines, figure, axis or "epoch"),
        "compare-chart",
        f"{comparison_figures.FIGURE_TITLES[figure]} of the chosen runs by {axis}",
    )


def _curve(row: Row, figure: str, axis: str, smoothing: float) -> list[tuple[float, float]]:
    return comparison.curve(row.config, records_of(RUNS.open(row.run)), figure, axis, smoothing)


def _differences(rows: list[Row], names: dict[str, str]) -> None:
    fields = differing(row.config for row in rows)
    if not fields:
        st.caption("Nothing differs: the same config and the same seed.")
    settings = [
        {"": config.label_of(field)} | {names[row.run]: setting(row.config, field) for row in rows} for field in fields
    ]
    st.dataframe(
        [*_figures(rows, names, REACHED), *settings, *_figures(rows, names, COSTS)],
        hide_index=True,
        height="content",
        column_config={"": st.column_config.TextColumn(pinned=True)},
        alt="Hyperparameters that differ, and what came of it",
    )


def _figures(rows: list[Row], names: dict[str, str], figures: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
    table = []
    for label, (form, figure) in figures.items():
        values = {row.run: getattr(row, figure) for row in rows}
        table.append(
            {"": label} | {names[run]: "-" if value is None else form.format(value) for run, value in values.items()}
        )
    return table


def _seeds(rows: list[Row]) -> None:
    """The mean and deviation of runs that differ in their seed alone."""
    for repeated in over_seeds(rows):
        if repeated.deviation is not None:
            st.markdown(
                f"**{plain(repeated.rows[0].differs)}** with {len(repeated.rows)} seeds: "
                f"**{repeated.mean:.2%}** of the test images on the average, standard deviation "
                f"**{100 * repeated.deviation:.2f}** points."
            )


def _test_images(rows: list[Row], names: dict[str, str]) -> None:
    if len(rows) < 2:
        st.caption("Choose two runs that have finished.")
        return
    ids = [row.run for row in rows]
    with st.container(horizontal=True):
        one: Any = _choose_one("One", ids, names, "compare-one")
        data = {row.run: row.config.data for row in rows}
        alike = [run for run in ids if run != one and data[run] == data[one]] or [run for run in ids if run != one]
        other: Any = _choose_one("Other", alike, names, "compare-other")
    if data[one] != data[other]:
        st.caption("Choose two runs of the same data.")
        return
    try:
        with st.spinner("Reading every test image"):
            tables = [models.get_predictions(run, data[run], "test") for run in (one, other)]
    except LabError as error:
        st.error(by_name(error))
        return
    difference = comparison.mcnemar(tables[0].right, tables[1].right)
    st.markdown(_in_words(names[one], names[other], tables, difference))
    for column, run, mine, theirs in zip(st.columns(2, gap="large"), (one, other), tables, tables[::-1], strict=True):
        with column:
            _only_right(names[run], mine, theirs, f"only-right-{run}")
    with st.expander("What each read each digit as", icon=":material/grid_on:"):
        columns = st.columns(2, gap="large")
    for column, run, table in zip(columns, (one, other), tables, strict=True):
        with column:
            st.caption(f"{plain(names[run])}: {table.right.mean():.2%}")
            charts.plot(
                prediction_figures.confusion(metrics.confusion_matrix(table.labels, table.digits), charts.ink()),
                f"compare-confusion-{run}",
                f"How often {names[run]} read each digit as which",
            )


def _choose_one(label: str, ids: list[str], names: dict[str, str], key: str) -> str | None:
    if st.session_state.get(key) not in ids:
        st.session_state[key] = ids[0]
    return st.selectbox(label, ids, key=key, format_func=names.__getitem__, width=320)


def _in_words(one: str, other: str, tables: list[Predictions], difference: Difference) -> str:
    first, second = plain(one), plain(other)
    verdict = (
        "**No difference to speak of**: chance alone makes one as large"
        if difference.is_chance
        else "**More than chance**: that alone would make a difference as large"
    )
    return (
        f"{first} reads {tables[0].right.mean():.2%} of the {len(tables[0]):,} test images right, "
        f"{second} {tables[1].right.mean():.2%}. Only {first} reads {difference.only_one:,} of them right, only "
        f"{second} {difference.only_other:,}. {verdict} in {_share(difference.p_value)} of cases (McNemar's test)."
    )


def _share(p_value: float) -> str:
    return f"{p_value:.1%}" if p_value >= 0.001 else "fewer than 0.1 %"


def _only_right(name: str, mine: Predictions, theirs: Predictions, key: str) -> None:
    chosen = np.flatnonzero(mine.right & ~theirs.right)
    shown = f", the first {SHOWN}" if len(chosen) > SHOWN else ""
    st.caption(f"Only {plain(name)} reads these {len(chosen):,} right{shown}; below each, what the other took it for:")
    with st.container(key=key, horizontal=True, gap="small"):
        for index in chosen[:SHOWN].tolist():
            with st.container(width=64, gap=None, horizontal_alignment="center"):
                st.markdown(in_markdown(mine.images[index], f"test image {index}, a true {mine.labels[index]}"))
                st.caption(f"{mine.labels[index]} → {theirs.digits[index]}")
