"""Train a network and watch it learn."""

from typing import Literal

import streamlit as st

from mnist_core import config, figures, mnist_files, run
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.run import Record, Run, Status
from pages.shared.controls import config_controls
from pages.shared.models import warm_up
from pages.shared.workers import start

REFRESH = 0.5  # seconds
COLORS: dict[str, Literal["blue", "green", "gray", "orange", "red"]] = {
    "waiting": "blue",
    "running": "blue",
    "finished": "green",
    "stopped": "gray",
    "interrupted": "orange",
    "diverged": "red",
    "failed": "red",
}


def _show(this: Run) -> None:
    """The run as it stands now."""
    try:
        status, records = this.status(), this.records()
    except LabError as error:
        st.error(str(error))
        return
    if not status.is_active and st.session_state.get("watching") == this.id:
        st.session_state["watching"] = None
        st.rerun()  # once, to end the refreshing and to put the buttons right
    _headline(this, status, records)
    left, right = st.columns(2)
    with left, st.container(key="curves"):
        st.echarts_chart(figures.loss_curves(records), height=320, key="loss-curves", alt="Loss by step")
    with right:
        st.echarts_chart(figures.accuracy_curves(records), height=320, key="accuracy-curves", alt="Accuracy by step")


def _headline(this: Run, status: Status, records: list[Record]) -> None:
    with st.container(key="run-status", horizontal=True, vertical_alignment="center"):
        st.badge(status.state, color=COLORS[status.state])
        st.caption(this.id)
    if status.message:
        (st.error if status.state in ("failed", "diverged") else st.warning)(status.message)
    start, step, epoch, end = (
        next((record for record in reversed(records) if record["event"] in events), {})
        for events in (("start", "resume"), ("step",), ("epoch",), ("end",))
    )
    if status.is_active and not start:
        st.caption("Starting a process for the training and loading the data: a few seconds.")
    if start:
        st.progress(min(1.0, step.get("step", 0) / start["steps"]))
        st.caption(
            f"{start['model']}, {start['parameters']:,} parameters, on {start['device']}"
            + (f", {config.SAMPLE_IN_WORDS}" if start["data"] == "sample" else "")
        )
    figures_now = {
        "Epoch": f"{epoch.get('epoch', 0)} of {start['epochs']}" if start else "-",
        "Training loss": f"{step['loss']:.4f}" if step else "-",
        "Validation accuracy": f"{epoch['val_accuracy']:.2%}" if epoch else "-",
        "Images/s": f"{step['images_per_s']:,.0f}" if step else "-",
        "Test accuracy": f"{end['test_accuracy']:.2%}" if "test_accuracy" in end else "-",
    }
    with st.container(horizontal=True):
        for label, value in figures_now.items():
            st.metric(label, value, width=150)


def _linked_run() -> Run | None:
    """The run that the page's address names; None, with a message, if it cannot be shown."""
    if "run" not in st.query_params:
        return None
    try:
        this = run.open_run(st.query_params["run"])
        this.status()
    except LabError as error:
        st.error(str(error))
        return None
    return this


def _buttons(chosen: TrainConfig | None, this: Run | None) -> None:
    state = this.status().state if this else ""
    active = state in ("waiting", "running")
    with st.container(horizontal=True):
        if st.button("Start", key="train-start", type="primary", disabled=active or chosen is None) and chosen:
            _train(run.create(chosen))
        if st.button("Stop", key="train-stop", disabled=not active) and this:
            this.request_stop()
            st.toast("Stopping at the next report.")
        resumable = state in ("stopped", "interrupted")
        if resumable and st.button("Resume", key="train-resume") and this:
            _train(this)


def _train(this: Run) -> None:
    start(this)
    st.query_params["run"] = this.id
    st.rerun()


st.title("Train a network")
with st.sidebar:
    chosen = config_controls()
if chosen and chosen.data == "mnist" and mnist_files.missing():
    st.info(
        "MNIST is not on this machine yet: Start downloads it (11 MB). Without a network, choose the data `sample`.",
        icon=":material/download:",
    )
this = _linked_run()
try:
    _buttons(chosen, this)
    active = this is not None and this.status().is_active
except LabError as error:
    st.error(str(error))
    st.stop()
if this:
    st.session_state["watching"] = this.id if active else None
    st.fragment(_show, run_every=REFRESH if active else None)(this)
else:
    st.caption("Choose hyperparameters on the left, press Start, and watch loss and accuracy move.")
warm_up()
