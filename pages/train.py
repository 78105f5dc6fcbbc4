"""Train a network and watch it learn."""

import contextlib
import math
import os
from collections.abc import Mapping

import streamlit as st

from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState, Status
from pages.shared import canvas, data, hints, live, live_network, models, preview, settings
from pages.shared.controls import config_controls
from pages.shared.runs import by_name, history_of
from pages.train_sections import buttons, shown

# Seconds between looks at a run that is younger than so many seconds. A look costs the browser and this server about
# a seventh of a second of a core: on a small machine, where the training lacks it, looks come less often in the end.
SMALL = (os.cpu_count() or 1) < 4
REFRESH = {5.0: 0.5, 10.0: 1.0, math.inf: 4.0} if SMALL else {5.0: 0.5, math.inf: 1.0}
# The same for the weights that answer on the canvas, at most four a second; fewer once the eye can no longer tell.
WATCH = {20.0: 0.25, 60.0: 1.0, math.inf: 4.0} if SMALL else {60.0: 0.25, math.inf: 1.0}
PEN, PICTURE = 30, 180  # pixels: the pen, and the height of the network's picture


def _refresh(run: Run, status: Status, pauses: Mapping[float, float] = REFRESH) -> float | None:
    """Seconds until the next look at the run, None for never; `pauses` by the run's age."""
    if not status.state.is_active:
        return None
    if status.state is not RunState.RUNNING or run.pause_requested() or run.stop_requested():
        return min(REFRESH.values())  # a change is waited for
    return next(seconds for age, seconds in pauses.items() if status.age < age)


def _headline(run: Run) -> None:
    with contextlib.suppress(LabError):  # said where the curves are
        live.headline(run, run.status(), history_of(run))


def _show(run: Run, made_for: tuple[str, float | None], before: History | None) -> None:
    """The run as it stands now, and that of `before` behind its curves.

    `made_for` are its stage and the refreshing when the rest of the page was made.
    """
    try:
        status, history, trained = run.status(), history_of(run), run.config()
    except LabError as error:
        st.error(by_name(error))
        return
    if (buttons.stage(status), _refresh(run, status)) != made_for:
        st.rerun()  # the buttons change with the stage, and the refreshing with both
    live.show(run, status, history, trained, before)


def _draw() -> None:
    """The canvas, in a fragment: a stroke is kept without the rest of the page."""
    try:
        with st.container(key="train-canvas"):
            canvas.draw(PEN, "train")
    except LabError as error:
        st.error(by_name(error))


def _watch(run: Run | None, chosen: TrainConfig | None, every: float | None) -> None:
    """What the network reads on the canvas, live, as its weights come in: those of `run`, or blank before Start.

    `every` is the seconds between looks at them for which the page was made.
    """
    opened = canvas.opened()
    image = opened.image if opened else None
    try:
        if run and _refresh(run, run.status(), WATCH) != every:
            st.rerun()
        config = run.config() if run else chosen
        if run and run.weights.exists():
            network, at = models.get_program_and_step(run.id)
            if at is None:  # an earlier version saved the weights, or the training diverged
                newest = history_of(run).step
                at = newest["step"] if newest else 0
        elif config:
            network, at = models.get_blank(config), 0
        else:
            return
        label = "Your digit now" if run else "Before training"
        live_network.show(
            network, "train-live", opened=image, run=run.id if run else "", step=at, label=label, height=PICTURE
        )
    except LabError as error:
        st.caption(by_name(error))


def _send_states(run: Run) -> None:
    """What the network was along its training, for the curve of the visitor's digit."""
    with contextlib.suppress(LabError):  # said where the curves are
        live_network.send_states(run.id, models.get_snapshots(run))


top = st.container(key="train-top", horizontal=True, vertical_alignment="center", gap="medium")
top.title("Train a network", width="content")
with st.sidebar:
    chosen = config_controls()
    settings.listen()
data.offer_download()
run = shown.find()
status = run.status() if run else None
refresh = _refresh(run, status) if run and status else None
with top:
    if run:
        st.fragment(_headline, run_every=refresh)(run)
    else:
        st.caption("Draw a digit, press Start, and see a blank network learn to read it.", width="content")
with st.container(horizontal=True, vertical_alignment="bottom"):
    try:
        buttons.show(chosen, run, status)
    except LabError as error:
        st.error(by_name(error))
    if run and status:
        buttons.lr_control(run, status.state.is_active)
    shown.choose(run)
with st.container():  # there in any case, so that the canvas keeps its place
    shown.others(run)
left, right = st.columns([270, 650], gap="medium")
with left:
    st.fragment(_draw)()
    if run and status and status.state is RunState.FINISHED:
        live.go_on_with(run)
with right:
    watch = _refresh(run, status, WATCH) if run and status else None
    st.fragment(_watch, run_every=watch)(run, chosen, watch)
    if run:
        st.fragment(_send_states, run_every=refresh)(run)
if run and status:
    st.fragment(hints.show, run_every=refresh)(run)
    st.fragment(_show, run_every=refresh)(run, (buttons.stage(status), refresh), shown.before(run))
if chosen:
    with st.expander("What Start trains", expanded=not run, icon=":material/network_node:"):
        preview.show(chosen)
models.warm_up()
