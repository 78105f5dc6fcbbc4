"""Train a network and watch it learn."""

import contextlib
import math
import os
import time
from collections.abc import Mapping

import streamlit as st

from mnist_core import config, teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState, Status
from pages.shared import address, canvas, data, hints, live, live_network, models, preview, searches, settings
from pages.shared.controls import config_controls
from pages.shared.markdown import plain
from pages.shared.run_actions import start_several
from pages.shared.runs import by_name, get_workers, history_of, titles

# Seconds between looks at a run that is younger than so many seconds. A look costs the browser and this server about
# a seventh of a second of a core: on a small machine, where the training lacks it, looks come less often in the end.
SMALL = (os.cpu_count() or 1) < 4
REFRESH = {5.0: 0.5, 10.0: 1.0, math.inf: 4.0} if SMALL else {5.0: 0.5, math.inf: 1.0}
# The same for the weights that answer on the canvas, at most four a second; fewer once the eye can no longer tell.
WATCH = {20.0: 0.25, 60.0: 1.0, math.inf: 4.0} if SMALL else {60.0: 0.25, math.inf: 1.0}
PEN, PICTURE = 30, 180  # pixels: the pen, and the height of the network's picture
LISTED = 30  # runs to choose from, the newest


def _shown_run() -> Run | None:
    """The run that the page's address names, else the one last shown; None, with a message, if it cannot be shown."""
    run_id, moment = st.session_state.get("train-chosen", ("", -math.inf))
    # a stroke that was sent together with the click still brings the address from before it
    if time.monotonic() - moment > address.SETTLED:
        run_id = st.query_params.get("run") or st.session_state.get("train-shown")
    run_id = run_id or _trained_now()
    if not run_id:
        return None
    try:
        run = RUNS.open(run_id)
        run.status()
    except LabError as error:
        st.error(by_name(error))
        st.session_state["train-shown"] = None
        st.session_state.pop("train-chosen", None)
        return None
    st.session_state["train-shown"] = run.id  # the address forgets it when the page is left
    if st.query_params.get("run") != run.id:
        st.query_params["run"] = run.id
    return run


def _trained_now() -> str | None:
    """The run that this server trains, the first of several."""
    for run_id in get_workers().ids():
        with contextlib.suppress(LabError):  # it has just been deleted
            if RUNS.open(run_id).status().state is RunState.RUNNING:
                return run_id
    return None


def _run_before(run: Run) -> History | None:
    """What is known of the run that was made last before this one, where it learnt the same data."""
    with contextlib.suppress(LabError):  # what cannot be read is not needed
        earlier = next((one for one in RUNS.runs() if one.id < run.id), None)
        if earlier and earlier.config().data == run.config().data:
            return history_of(earlier)
    return None


def _show_from_now(run_id: str) -> None:
    st.query_params["run"] = run_id
    st.session_state["train-chosen"] = run_id, time.monotonic()


def _choose_run(run: Run | None) -> None:
    """A control for the run that is shown; the page's address is what counts."""
    try:
        ids = [listed.id for listed in RUNS.runs()[:LISTED]]
    except LabError as error:
        st.error(by_name(error))
        return
    if run and run.id not in ids:
        ids.append(run.id)
    if not ids:
        return
    st.session_state["train-run"] = run.id if run else None
    called = titles()
    st.selectbox(
        "Run shown",
        ids,
        key="train-run",
        format_func=lambda name: called.get(name, name),
        on_change=lambda: _show_from_now(st.session_state["train-run"]),
        placeholder="none",
    )


def _others(run: Run | None) -> None:
    """Ways to the other runs that this server trains, has in line, or keeps paused."""
    workers, called = get_workers(), titles()
    groups: dict[str, list[str]] = {"Also training:": [], "In line:": [], "Paused:": []}
    for run_id in workers.ids():
        if run and run_id == run.id:
            continue
        with contextlib.suppress(LabError):  # it has just been deleted
            other = RUNS.open(run_id)
            is_paused = other.status().state is RunState.PAUSED
            groups["In line:" if workers.place(other) else "Paused:" if is_paused else "Also training:"].append(run_id)
    if any(groups.values()):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="other-runs"):
            for words, ids in groups.items():
                if ids:
                    st.caption(words, width="content")
                for run_id in ids:
                    st.page_link("train.py", label=plain(called.get(run_id, run_id)), query_params={"run": run_id})


def _buttons(chosen: TrainConfig | None, run: Run | None, status: Status | None) -> None:
    """Start, Stop, and Pause or Resume, each answered at once; the process follows at its next report."""
    active = bool(status and status.state.is_active)
    going = bool(status and _stage(status) == "going")
    resumable = bool(status and (status.state is RunState.PAUSED or status.state.is_resumable))
    workers = get_workers()
    if st.button("Start", key="train-start", type="primary", icon=":material/play_arrow:", disabled=not chosen):
        new = teaching.create_run(chosen or TrainConfig())
        workers.submit(new)
        _show_from_now(new.id)
        st.rerun()
    settings.button()
    if chosen:
        start_several(chosen)
        if st.button("Search", key="train-search", icon=":material/travel_explore:"):
            searches.begin_from(chosen)
    if not run:
        return
    if resumable:
        if st.button("Resume", key="train-resume", icon=":material/resume:"):
            workers.resume(run)
            st.rerun()
    elif st.button("Pause", key="train-pause", icon=":material/pause:", disabled=not going):
        workers.pause(run)
        st.rerun()
    if st.button("Stop", key="train-stop", icon=":material/stop:", disabled=not active):
        workers.stop(run)
        st.rerun()


def _lr_control(run: Run, active: bool) -> None:
    """The learning rate of the run shown, which may be changed while it trains."""
    key = f"train-lr-{run.id}"
    try:
        asked = run.lr_requested() if active else None  # before the records, to which it goes when it is met
        st.session_state[key] = asked or history_of(run).lr or run.config().lr
    except LabError:  # said where the run is shown
        return
    st.number_input(
        "Peak learning rate",
        min_value=config.RULES["lr"].minimum,
        max_value=config.RULES["lr"].maximum,
        step=None,
        format="%g",
        key=key,
        on_change=_change_lr,
        args=(run,),
        disabled=not active,
        help="The highest of the schedule, for the run shown: it may be changed while it trains. What it is now stands "
        "below the curves.",
        width=160,
    )


def _change_lr(run: Run) -> None:
    try:
        run.request_lr(st.session_state[f"train-lr-{run.id}"])
    except LabError as error:
        st.toast(by_name(error), icon=":material/error:")
    else:
        st.toast("The learning rate changes in a moment.")


def _stage(status: Status) -> str:
    """The state as the buttons know it: to wait and to run are the same to them."""
    return "going" if status.state in (RunState.WAITING, RunState.RUNNING) else status.state


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
    if (_stage(status), _refresh(run, status)) != made_for:
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
run = _shown_run()
status = run.status() if run else None
refresh = _refresh(run, status) if run and status else None
with top:
    if run:
        st.fragment(_headline, run_every=refresh)(run)
    else:
        st.caption("Draw a digit, press Start, and see a blank network learn to read it.", width="content")
with st.container(horizontal=True, vertical_alignment="bottom"):
    try:
        _buttons(chosen, run, status)
    except LabError as error:
        st.error(by_name(error))
    if run and status:
        _lr_control(run, status.state.is_active)
    _choose_run(run)
with st.container():  # there in any case, so that the canvas keeps its place
    _others(run)
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
    st.fragment(_show, run_every=refresh)(run, (_stage(status), refresh), _run_before(run))
if chosen:
    with st.expander("What Start trains", expanded=not run, icon=":material/network_node:"):
        preview.show(chosen)
models.warm_up()
