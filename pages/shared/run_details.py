"""The page of one run: what it reached, its curves, and all that is needed to repeat it or take it along."""

from typing import Any

import streamlit as st

from mnist_core import config, presets
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row, in_words, row, title_of
from pages.shared import live, run_actions, run_comparison, run_ways
from pages.shared.markdown import plain
from pages.shared.runs import by_name, history_of, records_of, titles

REFRESH = 2.0  # seconds between looks at a run that is active


def show(run_id: str) -> None:
    """The run of that id, or a sentence why it cannot be shown."""
    if st.button("All runs", key="runs-back", icon=":material/arrow_back:", type="tertiary"):
        run_actions.go_to(None)
    try:
        run = RUNS.open(run_id)
    except LabError as error:
        st.error(by_name(error))
        return
    summary = row(run)
    if summary.state is RunState.DAMAGED:
        st.error(by_name(summary.message))
        run_actions.buttons([summary])
        return
    st.header(plain(titles().get(run.id, summary.title)))
    run_ways.show(summary)
    run_actions.buttons([summary], on_its_page=True)
    active = summary.state.is_active
    st.fragment(_progress, run_every=REFRESH if active else None)(run, summary.state)
    _about(summary, run)
    _how(summary, run)


def show_beside(summary: Row) -> None:
    """The run in short, beside the table in which it is the only one that is chosen."""
    if summary.state is RunState.DAMAGED:
        st.error(by_name(summary.message))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(summary.state, color=live.COLORS.get(summary.state, "gray"))
        st.markdown(f"**{plain(summary.title)}**", width="content")
    if summary.message:
        st.warning(by_name(summary.message))
    if summary.test_accuracy is not None and summary.test_interval:
        low, high = summary.test_interval
        st.markdown(
            f"Reads **{summary.test_accuracy:.2%}** of the test images right (95 % interval {low:.2%} to {high:.2%})."
        )
    run_comparison.show_curve(summary)
    run_ways.show(summary)
    st.info("Click on a second run to compare the two.", icon=":material/compare_arrows:")


def _progress(run: Run, made_for: str) -> None:
    """What the run has reached by now, and its curves."""
    summary = row(run)
    if summary.state != made_for:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(summary.state, color=live.COLORS.get(summary.state, "gray"))
        st.caption(f"{summary.run} · {plain(summary.differs)} · seed {summary.config.seed}")
    if summary.message:
        st.warning(by_name(summary.message))
    low, high = summary.test_interval or (0.0, 0.0)
    figures = {
        "Epochs": f"{summary.epochs} of {summary.config.epochs}",
        "Best validation": _or_dash("{:.2%}", summary.val_accuracy),
        "Test": _or_dash("{:.2%}", summary.test_accuracy),
        "Parameters": _or_dash("{:,}", summary.parameters),
        "Seconds": _or_dash("{:,.1f}", summary.seconds),
        "Images/s": _or_dash("{:,.0f}", summary.images_per_s),
    }
    with st.grid(6, min_column_width=150, key="run-figures"):
        for label, value in figures.items():
            interval = f"{low:.2%} to {high:.2%}" if label == "Test" and summary.test_interval else None
            help = "Below: the 95 % interval, by how many images there are." if interval else None
            st.metric(label, value, interval, delta_color="off", delta_arrow="off", help=help)
    try:
        history = history_of(run)
    except LabError as error:
        st.error(by_name(error))
        return
    if history.step or history.epoch:
        live.curves(history)


def _or_dash(form: str, value: float | None) -> str:
    return "-" if value is None else form.format(value)


def _about(summary: Row, run: Run) -> None:
    """Its name and note, to be changed."""
    with (
        st.expander("Name and note", icon=":material/edit:", expanded=bool(summary.note)),
        st.form("about", border=False),
    ):
        name = st.text_input(
            "Name", summary.name, max_chars=80, placeholder=title_of(summary.config), key=f"name-{run.id}"
        )
        note = st.text_area("Note", summary.note, max_chars=2_000, key=f"note-{run.id}")
        if st.form_submit_button("Save", key="about-save"):
            try:
                run.set_about(name=name.strip(), note=note.strip())
            except LabError as error:
                st.error(by_name(error))
            else:
                st.rerun()


def _how(summary: Row, run: Run) -> None:
    """Its config, what it ran on, and how to repeat it."""
    st.subheader("How it was made")
    st.caption("In a shell, this trains it again; with the same versions on the same device, to the bit:")
    st.code(presets.command(summary.config), language=None, wrap_lines=True)
    with st.expander("Hyperparameters and environment", icon=":material/list:"):
        left, right = st.columns(2, gap="large")
    with left:
        st.caption("Hyperparameters")
        st.dataframe(_hyperparameters(summary.config), hide_index=True, height="content", alt="The run's config")
    with right:
        st.caption("Environment")
        st.dataframe(_environment(run, summary), hide_index=True, height="content", alt="What the run was trained on")


def _hyperparameters(trained: TrainConfig) -> list[dict[str, str]]:
    return [
        {
            "hyperparameter": config.label_of(name),
            "value": in_words(getattr(trained, name)),
            "by default": in_words(config.DEFAULTS[name]),
        }
        for name in trained.fields
    ]


def _environment(run: Run, summary: Row) -> list[dict[str, str]]:
    """What the newest start or resumption noted."""
    noted: dict[str, Any] = {}
    try:
        for record in records_of(run):
            if record["event"] in ("start", "resume"):
                noted = record.get("environment", {})
    except LabError:  # said above
        pass
    return [{"": name, "value": str(value)} for name, value in {"device": summary.device, **noted}.items()]
