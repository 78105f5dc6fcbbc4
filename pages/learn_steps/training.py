"""A step's own trainings: real runs, started and watched where they are spoken of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.course import trainings
from mnist_core.errors import LabError, RunError
from mnist_core.figures import training as training_figures
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row
from pages.learn_steps import guess, progress
from pages.shared import data
from pages.shared.live import COLORS
from pages.shared.runs import by_name, get_table, get_workers, history_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnist_core.config import TrainConfig
    from mnist_core.runs.curves import History

LOOK = 1.0 if (os.cpu_count() or 1) < 4 else 0.5  # seconds between two looks at a run

Histories = Mapping[str, "History"]


def of(step: str) -> dict[str, Row]:
    """The visitor's own runs of the step's trainings by their short names, as far as there are any.

    Those of others would give away what is to be found out here.
    """
    own = [row for row in get_table().rows() if row.run in progress.runs()]
    configs = trainings.trainings(step, data.data_at_hand("mnist"))
    return {name: row for name, config in configs.items() if (row := trainings.newest(own, config))}


def finished(step: str) -> dict[str, Row]:
    """The step's runs if all its trainings have ended, else none."""
    rows = of(step)
    whole = len(rows) == len(trainings.TRAININGS[step]) and all(row.state.is_over for row in rows.values())
    return rows if whole else {}


def all_finished() -> dict[str, Row]:
    """All networks that the visitor has trained to their end in this course, by their short names, in its order."""
    rows = {name: row for step in trainings.TRAININGS for name, row in finished(step).items()}
    return {name: row for name, row in rows.items() if row.state is RunState.FINISHED}


def is_to_come(step: str) -> bool:
    """Whether the step's trainings are yet to be made or to end."""
    try:
        return not finished(step)
    except RunError:  # the step itself says so
        return False


def show(
    step: str,
    words: str,
    picture: Callable[[Histories], None],
    result: Callable[[str, Mapping[str, Row]], None],
) -> dict[str, Row]:
    """The step's question, a button to start its trainings, and `picture` of what they report, beside it.

    Once all have ended, `result` is shown of the step's rows, which are returned; else none are.
    """
    rows = of(step)
    active = any(row.state.is_active for row in rows.values())
    ended = finished(step)
    left, right = st.columns([2, 3], gap="large")
    with left:
        has_guessed = guess.ask(step, is_open=not rows)
        st.button(
            f"{words} again" if ended else words,
            key=f"learn-train-{step}",
            type="secondary" if ended else "primary",
            icon=":material/play_arrow:",
            disabled=active or not (has_guessed or rows),
            on_click=_start,
            args=(step,),
        )
        if problem := st.session_state.pop("learn-train-problem", None):
            st.error(problem)
        if ended:
            result(step, ended)
    if rows:
        with right:
            st.fragment(_follow, run_every=LOOK if active else None)(step, picture, active)
    return ended


def _start(step: str) -> None:
    before: list[str] = []
    started: list[str] = []
    try:
        before += [row.run for row in of(step).values()]
        for name, config in trainings.trainings(step, data.data_at_hand("mnist")).items():
            run = RUNS.create(config)
            run.set_about(name=f"{step}: {name}", group=trainings.GROUP)
            get_workers().submit(run)
            started.append(run.id)
    except LabError as error:
        st.session_state["learn-train-problem"] = by_name(error)
    progress.replace_runs(before, started)


def _follow(step: str, picture: Callable[[Histories], None], was_active: bool) -> None:
    """The runs as they stand now; `was_active` is what the rest of the page was made for."""
    try:
        runs = {name: RUNS.open(row.run) for name, row in of(step).items()}
        states = {name: run.status() for name, run in runs.items()}
        histories = {name: history_of(run) for name, run in runs.items()}
    except LabError as error:
        st.error(by_name(error))
        return
    if any(state.state.is_active for state in states.values()) != was_active:
        st.rerun()
    with st.container(key=f"learn-runs-{step}", horizontal=True, vertical_alignment="center", gap="small"):
        for name, state in states.items():
            words = _so_far(runs[name], histories[name], state.state)
            st.badge(f"{name}: {words}" if len(runs) > 1 else words, color=COLORS.get(state.state, "gray"))
    for state in states.values():
        if state.message and state.state is not RunState.DIVERGED:
            st.warning(by_name(state.message))
    picture(histories)


def _so_far(run: Run, history: History, state: RunState) -> str:
    if state is RunState.RUNNING and history.start:
        return f"{(history.step['step'] if history.step else 0) / history.start['steps']:.0%}"
    place = get_workers().place(run)
    return f"number {place} in line" if state is RunState.WAITING and place else state


def accuracies(histories: Histories) -> None:
    """Accuracy on the training images by step, smoothed, of all runs together."""
    curves = {name: history.curves["accuracy_smoothed"] for name, history in histories.items()}
    st.echarts_chart(
        training_figures.together("training accuracy", curves, "percent"),
        height=220,
        key="learn-accuracies",
        alt=f"Accuracy on the training images by step: {', '.join(curves)}",
    )


def losses(highest: float) -> Callable[[Histories], None]:
    """Loss by step, smoothed, of all runs together, up to `highest`."""

    def picture(histories: Histories) -> None:
        curves = {name: history.curves["loss_smoothed"] for name, history in histories.items()}
        st.echarts_chart(
            training_figures.together("training loss", curves, "%.3f", highest),
            height=250,
            key="learn-losses",
            alt=f"Loss by step: {', '.join(curves)}",
        )

    return picture


def reached(step: str, rows: Mapping[str, Row]) -> None:
    """The share of the test images that each run reads right, and whether that was the guess."""
    guess.judge(step, [row.test_accuracy for row in rows.values()])
    with st.container(horizontal=True, gap="medium"):
        for name, row in rows.items():
            value = "diverged" if row.test_accuracy is None else f"{row.test_accuracy:.1%}"
            st.metric(f"Test accuracy, {name}", value, width="content")


def images(config: TrainConfig) -> str:
    """How much the config's training sees, in words."""
    return f"{config.epochs} passes over {config.training_images:,} images"
