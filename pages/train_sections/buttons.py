"""What a click does with a training: begin one, pause it, go on, stop it, change its learning rate."""

import streamlit as st

from mnist_core import config, teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState, Status
from pages.shared import searches, settings
from pages.shared.run_actions import start_several
from pages.shared.runs import by_name, get_workers, history_of
from pages.train_sections import shown


def show(chosen: TrainConfig | None, run: Run | None, status: Status | None) -> None:
    """Start, Stop, and Pause or Resume, each answered at once; the process follows at its next report."""
    active = bool(status and status.state.is_active)
    going = bool(status and stage(status) == "going")
    resumable = bool(status and (status.state is RunState.PAUSED or status.state.is_resumable))
    workers = get_workers()
    if st.button("Start", key="train-start", type="primary", icon=":material/play_arrow:", disabled=not chosen):
        new = teaching.create_run(chosen or TrainConfig())
        workers.submit(new)
        shown.show_from_now(new.id)
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


def lr_control(run: Run, active: bool) -> None:
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


def stage(status: Status) -> str:
    """The state as the buttons know it: to wait and to run are the same to them."""
    return "going" if status.state in (RunState.WAITING, RunState.RUNNING) else status.state
