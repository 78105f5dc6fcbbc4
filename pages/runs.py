"""All runs: find, compare, keep and delete them; and each run's own page."""

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.figures import comparison as comparison_figures
from mnist_core.figures.comparison import Point
from mnist_core.reading import catalog
from mnist_core.runs.summary import Row, test_interval
from pages.shared import charts, models, run_actions, run_comparison, run_details, run_table
from pages.shared.runs import get_table

REFRESH = 3.0  # seconds between looks at the table while a run is active
VIEWS = ("Table", "Board")


def _all_runs(refreshed: bool) -> None:
    """The list of all runs; `refreshed` says whether it was made to look again by itself."""
    rows = get_table().rows()
    if any(row.state.is_active for row in rows) != refreshed:
        st.rerun()
    run_actions.offer_undo()
    if not rows:
        st.markdown("There are no runs yet: train a network, and it is kept here, beside those that came with the app.")
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Train a network", key="runs-train", type="primary", icon=":material/model_training:"):
                st.switch_page("train.py")
            run_actions.offer_import()
        _board(rows)
        return
    shown = rows
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "View", VIEWS, default="Table", key="runs-view", required=True, label_visibility="collapsed"
        )
        if view != "Board":
            shown = run_table.filtered(rows)
        run_actions.offer_import()
    if view == "Board":
        _board(rows)
    else:
        _table(rows, shown)


def _table(rows: list[Row], shown: list[Row]) -> None:
    """The table, and beside it what is chosen in it."""
    table, beside = st.columns([10, 11], gap="medium")
    with table:
        with st.container(key="runs-list"):
            chosen = run_table.choose(rows, shown)
        run_actions.buttons(chosen)
    with beside, st.container(key="chosen-runs"):
        if len(chosen) > 1:
            run_comparison.show(chosen)
        elif chosen:
            run_details.show_beside(chosen[0])
        else:
            st.info("Click on a run to see it, and on a second one to compare them.", icon=":material/left_click:")
    if len(chosen) > 1:
        run_comparison.show_test_images(chosen)


def _board(rows: list[Row]) -> None:
    """Accuracy against cost, the shipped models among the visitor's own."""
    cost = st.segmented_control(
        "Cost",
        ("parameters", "seconds"),
        default="parameters",
        key="board-cost",
        required=True,
        help="Seconds of training. The larger a mark, the more of the other.",
    )
    points = []
    for name in catalog.shipped():
        card = catalog.card(name)
        accuracy = card["test_accuracy"]
        interval = test_interval(catalog.config_of(name), accuracy)
        points.append(Point(name, accuracy, interval, card["parameters"], card["seconds"], True))
    for row in rows:
        if row.test_accuracy is not None and row.test_interval and row.config.data == "mnist":
            cost_of_row = row.parameters or 0, row.seconds or 0.0
            points.append(Point(row.title, row.test_accuracy, row.test_interval, *cost_of_row, False))
    charts.plot(
        comparison_figures.board(points, cost or "parameters"),
        "board",
        f"Test accuracy against {cost} of the shipped models and of the runs that have finished on MNIST",
    )
    which = "Runs on MNIST that have finished. " if rows else ""
    st.caption(
        f"{which}Bars are 95 % intervals: where two of them overlap far, which is better is not certain. No model on "
        "the dotted line is beaten in both."
    )


st.title("Runs")
if shown := st.query_params.get("run"):
    run_details.show(shown)
else:
    try:
        active = any(row.state.is_active for row in get_table().rows())
    except LabError as error:
        st.error(str(error))
        st.stop()
    st.fragment(_all_runs, run_every=REFRESH if active else None)(active)
models.warm_up()
