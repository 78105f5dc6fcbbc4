"""What a run's state says about its hyperparameters, with buttons that train with others."""

import dataclasses
import functools
import time

import streamlit as st

from mnist_core import teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs import hints, metrics_file
from mnist_core.runs.hints import Hint, Way
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from pages.shared import address, data, models
from pages.shared.runs import by_name, get_workers, history_of


def show(run: Run) -> None:
    """A hint on the run, if there is one."""
    try:
        trained, status = run.config(), run.status()
        diverged = status.state is RunState.DIVERGED
        hint = hints.loss_grows(trained, history_of(run).curves["loss_smoothed"].points, diverged)
        if not hint and status.state is RunState.FINISHED:
            hint = _at_the_end(run.id, models.written(run.id))
    except LabError:  # said where the run is shown
        return
    if not hint:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="hint"):
        st.markdown(f":material/lightbulb: {hint.seen} Try:", width="content")
        for number, way in enumerate(hint.ways):
            if st.button(way.words, key=f"hint-{number}"):
                _go(run, trained, way, is_active=status.state.is_active)


@functools.lru_cache(maxsize=64)
def _at_the_end(run_id: str, _written: int) -> Hint | None:
    from mnist_core.inside import firing

    run = RUNS.open(run_id)
    trained = run.config()
    records = metrics_file.read(run.metrics, steps=False)[0]
    images = data.test(data.data_at_hand(trained.data)).images
    dead = firing.dead_units(models.get_predictor(run_id).network, images)
    return hints.at_the_end(trained, [record for record in records if record["event"] == "epoch"], dead)


def _go(run: Run, trained: TrainConfig, way: Way, is_active: bool) -> None:
    """Train with the change, in place of a run that still trains, and show it."""
    try:
        config = dataclasses.replace(trained, **way.changes)
        new = teaching.create_run(config)
        if is_active:
            get_workers().stop(run)
        get_workers().submit(new)
    except LabError as error:
        st.error(by_name(error))
        return
    st.session_state["train-chosen"] = new.id, time.monotonic()
    address.forget("train")  # the controls follow the link
    st.switch_page("train.py", query_params={**config.to_query(), "run": new.id})
