"""A run as it is trained: what it does, its curves, and what it reads by now."""

import functools
from typing import Literal

import numpy as np
import streamlit as st

from mnist_core.config import TrainConfig
from mnist_core.errors import EmptyDrawing, LabError
from mnist_core.figures import training as training_figures
from mnist_core.reading import catalog
from mnist_core.runs.curves import History
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState, Status
from pages.shared import canvas, data, models, pictures
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, titles

COLORS: dict[RunState, Literal["blue", "green", "gray", "orange", "red"]] = {
    RunState.RUNNING: "blue",
    RunState.PAUSED: "orange",
    RunState.FINISHED: "green",
    RunState.INTERRUPTED: "orange",
    RunState.DIVERGED: "red",
    RunState.FAILED: "red",
}  # others are grey


def headline(run: Run, status: Status, history: History) -> None:
    """The run's state and how far it is, in one line."""
    asked = ", stopping" if run.stop_requested() else ", pausing" if run.pause_requested() else ""
    if not status.state.is_active or status.state is RunState.PAUSED:
        asked = ""
    place = get_workers().place(run)
    start, step = history.start, history.step
    steps, done = start["steps"] if start else 0, step["step"] if step else 0
    title = plain(titles().get(run.id, run.id))
    if start:
        words = f"step {done:,} of {steps:,}"
    elif status.state is RunState.WAITING and place:
        words = f"Waiting: number {place} in line."
    else:
        words = "Getting a process ready: a few seconds." if status.state.is_active else "It has not begun."
    with st.container(key="run-status", horizontal=True, vertical_alignment="center"):
        st.badge(status.state + asked, color=COLORS.get(status.state, "gray"))
        st.caption(title, width="content")
        st.progress(min(1.0, done / steps) if steps else 0.0, text=words, width=260)
    if status.message:
        (st.error if status.state in (RunState.FAILED, RunState.DIVERGED) else st.warning)(by_name(status.message))
    if history.damage:
        st.warning(history.damage)


def show(run: Run, status: Status, history: History, trained: TrainConfig, before: History | None) -> None:
    """The run's curves, figures and newest readings; the curves of the run `before` stand behind."""
    curves(history, before)
    _figures(status, history, trained)
    try:
        _judged(run, trained)
    except LabError as error:
        st.caption(str(error))
    with st.expander("Learning rate, step by step", icon=":material/show_chart:"):
        st.echarts_chart(
            training_figures.lr_curve(history.curves), height=180, key="lr-curve", alt="Learning rate by step"
        )


def curves(history: History, before: History | None = None) -> None:
    """Loss and accuracy by step, with the curves of a run `before` behind."""
    start = history.start
    steps, earlier = start["steps"] if start else None, before.curves if before else None
    goals = _goals() if start and start["data"] == "mnist" else None
    with st.container(key="curves"):
        left, right = st.columns(2)
        left.echarts_chart(
            training_figures.loss_curves(history.curves, steps, earlier),
            height=180,
            key="loss-curves",
            alt="Loss by step",
        )
        right.echarts_chart(
            training_figures.accuracy_curves(history.curves, steps, earlier, goals),
            height=180,
            key="accuracy-curves",
            alt="Accuracy by step",
        )


@functools.cache
def _goals() -> dict[float, str]:
    """What the model that answers on Draw at first reads of MNIST, to compare with."""
    accuracy = float(catalog.card(catalog.DEFAULT_MODEL)["test_accuracy"])
    return {accuracy: f"{catalog.DEFAULT_MODEL}, on Draw: {accuracy:.1%}"}


def go_on_with(run: Run) -> None:
    """Ways to see what a finished run is good for."""
    with st.container(horizontal=True, gap="xsmall"):
        for words, icon, page in (
            ("Draw with it", ":material/draw:", "draw"),
            ("Its mistakes", ":material/grid_view:", "browse"),
        ):
            if st.button(words, key=f"to-{page}", icon=icon):
                st.session_state[f"{page}-model"] = run.id
                st.switch_page(f"{page}.py")


def _figures(status: Status, history: History, trained: TrainConfig) -> None:
    start, step, epoch, end = history.start, history.step, history.epoch, history.end
    steps, done = start["steps"] if start else 0, step["step"] if step else 0
    left = (steps - done) * trained.batch_size / history.images_per_s if history.images_per_s else 0.0
    now = {
        "Epoch": f"{step['epoch']} of {start['epochs']}" if step and start else "-",
        "Training loss": f"{step['loss']:.4f}" if step else "-",
        "Training accuracy": f"{step['accuracy']:.1%}" if step else "-",
        "Validation accuracy": f"{epoch['val_accuracy']:.2%}" if epoch else "-",
        "Learning rate now": f"{step['lr']:.2g}" if step else "-",
        "Images/s": f"{history.images_per_s:,.0f}" if step else "-",
    }
    if end and "test_accuracy" in end:
        now["Test accuracy"] = f"{end['test_accuracy']:.2%}"
    else:
        now["Time left"] = f"{left // 60:.0f}:{left % 60:02.0f}" if step and status.state.is_active else "-"
    with st.grid(7, min_column_width=100):
        for label, value in now.items():
            st.metric(label, value)


def _judged(run: Run, trained: TrainConfig) -> None:
    """One test image of each digit, and the visitor's last drawing, as the newest weights read them."""
    loaded = models.get_predictor(run.id)
    images = list(data.one_of_each(data.data_at_hand(trained.data)))
    titles = [f"test image of a {digit}" for digit in range(10)]
    try:
        images.append(canvas.current())
        titles.append("your drawing")
    except EmptyDrawing:
        pass
    probabilities = loaded.predict(np.stack(images))[0]
    cells = []
    for truth, row in enumerate(probabilities):
        digit = int(row.argmax())
        color = "blue" if truth == 10 else "green" if digit == truth else "red"
        cells.append(f":{color}-background[**{digit}** {row[digit]:.0%}]")
    table = [[pictures.in_markdown(image, title) for image, title in zip(images, titles, strict=True)], cells]
    with st.container(key="judged"):
        if len(images) > 10:
            st.caption("Test images and your last drawing, as the newest weights read them:")
        else:
            st.caption("Test images as the newest weights read them. Draw a digit, and it joins them.")
        st.markdown(_markdown_table(table))


def _markdown_table(rows: list[list[str]]) -> str:
    head, *body = ["|" + "|".join(row) + "|" for row in rows]
    return "\n".join([head, "|" + ":-:|" * len(rows[0]), *body])
