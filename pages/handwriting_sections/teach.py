"""A network taught the digits of sets, watched while it learns, and what came of it."""

from collections.abc import Sequence

import streamlit as st

from mnist_core import teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.figures import training as training_figures
from mnist_core.own_digits.digit_store import DIGITS
from mnist_core.reading.predictions import Indices
from mnist_core.records import End
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from mnist_core.teaching import Outcome
from pages.shared import live, live_network, models, own, pictures
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, history_of, named, titles

REFRESH = 0.5  # seconds between looks at a network that is taught
FEWEST = 10  # digits, from which there is something to learn
SHOWN = 12  # digits of each kind in before and after


def choose(taught: Sequence[str], judged_by: Sequence[str], words: str) -> str:
    """The network to teach, the button that teaches it these sets, and the name of the one that answers on the page."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width=300):
            model = models.choose_model("own-model", "Network")
        wanted = st.button(words, key="teach", type="primary", icon=":material/school:", disabled=not taught)
    if wanted:
        _start(taught, judged_by, model)
    return model


def _start(taught: Sequence[str], judged_by: Sequence[str], model: str) -> None:
    try:
        count = sum(map(own.count, taught))
        if count < FEWEST:
            have = f"The set {taught[0]} has" if len(taught) == 1 else "These sets have"
            st.warning(f"{have} {count} of the {FEWEST} digits that it takes to learn from.")
            return
        own.with_bar("Reading the digits", DIGITS.preparing([*taught, *judged_by]))
        run = teaching.create_run(TrainConfig(**teaching.settings(model, taught), judged_by=tuple(judged_by)))
        get_workers().submit(run)
    except LabError as error:
        st.error(by_name(error))
        return
    st.session_state["own-taught"] = run.id
    st.rerun()


def answer(model: str) -> None:
    """What the network that was taught last in this visit reads on the canvas, live; before that, what `model` does."""
    run = _taught()
    is_active = bool(run and run.status().state.is_active)
    st.fragment(_answer, run_every=REFRESH if is_active else None)(model, run, is_active)


def _answer(model: str, run: Run | None, made_while_active: bool) -> None:
    try:
        if run and run.status().state.is_active != made_while_active:
            st.rerun()
        name = run.id if run and run.weights.exists() else model
        label = "Taught yours" if name != model else ""
        live_network.show(models.get_program(name), "own-live", label=label, height=130)
    except LabError as error:
        st.error(by_name(error))


def show() -> None:
    """The run that was started last in this visit: while it learns, then before and after."""
    if run := _taught():
        is_active = run.status().state.is_active
        st.fragment(_learning, run_every=REFRESH if is_active else None)(run, is_active)


def _taught() -> Run | None:
    try:
        run = RUNS.open(st.session_state.get("own-taught") or "")
        run.status()
    except LabError:  # there is none, or it was deleted
        return None
    return run


def _learning(run: Run, made_while_active: bool) -> None:
    if st.session_state.get("own-taught") != run.id:  # undone
        st.rerun()
    try:
        status, history, config = run.status(), history_of(run), run.config()
        if status.state.is_active != made_while_active:
            st.rerun()
        judges = _judges(config)
        with st.container(key="taught"):
            left, right = st.columns([3, 2])
            with left:
                if status.state.is_active:
                    live.headline(run, status, history)
                elif status.state is not RunState.FINISHED or not history.end:
                    st.error(plain(named(status.message)) or "The training has ended too early: teach it again.")
                else:
                    _figures(history.end, judges)
            if history.curves["val_accuracy"].points:
                steps = history.start["steps"] if history.start else 1
                options = training_figures.own_curves(history.curves, steps, judges)
                alt = "Own digits and everybody's, read right"
                right.echarts_chart(options, height=130, key="own-curves", alt=alt)
            if status.state is RunState.FINISHED and history.end:
                _before_and_after(run, history.end, config)
    except LabError as error:
        st.error(by_name(error))


def _judges(config: TrainConfig) -> str:
    """What to call the own digits that judge what was learnt."""
    if config.judged_by:
        return f"digits of {', '.join(config.judged_by)}"
    return "yours, held back" if len(config.digits) == 1 else "theirs, held back"


def _figures(end: End, judges: str) -> None:
    """How many of the own digits that were held back, and how much of the test images, are read right since."""
    yours, test = st.columns(2)
    if "own_held_back" in end:
        count = end["own_held_back"]
        right, before = round(count * end["own_accuracy"]), round(count * end.get("own_accuracy_before", 0.0))
        label = plain(judges[0].upper() + judges[1:])
        if right == before:
            yours.metric(label, f"{right:,} of {count:,}", "as before", delta_color="off", delta_arrow="off")
        else:
            yours.metric(label, f"{right:,} of {count:,}", f"{right - before:+d}")
    after, earlier = end["test_accuracy"], end.get("test_accuracy_before")
    change = f"{100 * (after - earlier):+.2f} points" if earlier is not None else None
    test.metric("MNIST's test images", f"{after:.2%}", change)


def _before_and_after(run: Run, end: End, config: TrainConfig) -> None:
    """Which of the own digits that were held back changed sides, and ways to go on."""
    outcome = _outcome(run)
    if outcome:
        _pictures("Read right now", outcome, outcome.won)
        _pictures("Lost", outcome, outcome.lost)
    with st.container(horizontal=True):
        if st.button("Draw with it", key="own-draw", icon=":material/draw:"):
            st.session_state["draw-model"] = run.id
            st.switch_page("draw.py")
        title, writers = titles().get(run.id, run.id), ", ".join(config.digits)
        st.download_button(
            "Take it along as one page",
            lambda: _web_page(run, end["test_accuracy"], title, writers),
            file_name=f"{config.digits[0] if len(config.digits) == 1 else 'several'}.html",
            mime="text/html",
            key="own-page",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Undo", key="own-undo", type="tertiary", on_click=_undo, help="Back to the network from before.")


def _web_page(run: Run, accuracy: float, title: str, writers: str) -> str:
    from mnist_core.exchange import web_page  # with torch

    return web_page.page(models.get_predictor(run.id), accuracy, title, writers)


def _outcome(run: Run) -> Outcome | None:
    kept: dict[str, Outcome | None] = st.session_state.setdefault("own-outcomes", {})
    if run.id not in kept:
        kept[run.id] = teaching.outcome(run)
    return kept[run.id]


def _pictures(title: str, outcome: Outcome, numbers: Indices) -> None:
    """Digits with what was read in them before and what is read now."""
    if not len(numbers):
        return
    cells = []
    for number in numbers[:SHOWN]:
        before, after = outcome.before.digits[number], outcome.after.digits[number]
        cells.append(f"{pictures.in_markdown(outcome.before.images[number], 'own digit')} {before} → **{after}**")
    st.markdown(f"{title}: " + " ".join(cells))


def _undo() -> None:
    """Go back to the network from before; the run stays among the others."""
    del st.session_state["own-taught"]
