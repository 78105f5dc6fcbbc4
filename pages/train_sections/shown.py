"""Which run the page shows, and the ways to the others."""

import contextlib
import math
import time

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from pages.shared import address
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, history_of, titles

LISTED = 30  # runs to choose from, the newest


def find() -> Run | None:
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


def before(run: Run) -> History | None:
    """What is known of the run that was made last before this one, where it learnt the same data."""
    with contextlib.suppress(LabError):  # what cannot be read is not needed
        earlier = next((one for one in RUNS.runs() if one.id < run.id), None)
        if earlier and earlier.config().data == run.config().data:
            return history_of(earlier)
    return None


def show_from_now(run_id: str) -> None:
    st.query_params["run"] = run_id
    st.session_state["train-chosen"] = run_id, time.monotonic()


def choose(run: Run | None) -> None:
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
        on_change=lambda: show_from_now(st.session_state["train-run"]),
        placeholder="none",
    )


def others(run: Run | None) -> None:
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
