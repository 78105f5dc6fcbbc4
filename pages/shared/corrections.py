"""On Draw: whether an answer was right or wrong, the drawing kept for it, and a network taught that one drawing."""

import contextlib

import streamlit as st

from mnist_core import metrics, teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from pages.shared import canvas, models, own, pictures
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, history_of, named

REFRESH = 0.25  # seconds between looks at a training of one drawing


def keep(digit: int) -> None:
    """Keep the drawing as that digit, and say so on the page."""
    try:
        kept = own.keep(digit, canvas.ink())
    except LabError as error:
        st.session_state["draw-kept"] = {"problem": str(error)}
    else:
        st.session_state["draw-kept"] = {"name": kept, "digit": digit}


@st.dialog("What is it?")
def ask(name: str, answered: int) -> None:
    """Ask for the right digit of what the network `name` has answered; one click keeps the drawing as that."""
    try:
        seen = canvas.current()
    except LabError as error:
        st.error(str(error))
        return
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.image(pictures.enlarged(seen, 3), alt="The drawing as it is seen")
    with right, st.container(horizontal=True, gap="small"):
        for digit in range(10):
            if st.button(str(digit), key=f"truth-{digit}", type="primary", width=44):
                keep(digit)
                st.rerun()
    st.caption(f"The drawing is kept in {own.where(own.set_name())}, and nowhere else.")
    if st.button(f"What else is read as {answered}?", key="draw-alike", type="tertiary"):
        st.session_state.update({"browse-model": name, "browse-go-to": str(answered)})
        st.switch_page("browse.py")


def said(name: str) -> None:
    """What was kept last, with a way back, and the network `name` taught it; nothing where nothing was kept."""
    if run_id := st.session_state.get("draw-taught"):
        try:
            run = RUNS.open(run_id)
            is_active = run.status().state.is_active
        except LabError:
            del st.session_state["draw-taught"]
        else:
            st.fragment(_taught, run_every=REFRESH if is_active else None)(run, is_active)
            return
    kept = st.session_state.get("draw-kept")
    if not kept:
        return
    if "problem" in kept:
        st.error(kept["problem"])
        return
    with st.container(key="kept", border=True):
        st.markdown(f"Kept as a **{kept['digit']}** in {own.where(kept['name'])}.")
        with st.container(horizontal=True):
            st.button("Teach it this one", key="teach-one", type="primary", on_click=_teach, args=(name, kept["name"]))
            st.button("Undo", key="kept-undo", on_click=_forget, args=(kept["name"],))
            if st.button("Write more", key="kept-more", type="tertiary"):
                _write_more()


def _write_more() -> None:
    """To Handwriting, where the canvas is to be empty for the digit that is asked for."""
    canvas.clear()
    st.switch_page("handwriting.py")


def _forget(name: str) -> None:
    st.session_state["draw-kept"] = None
    try:
        own.remove(name)
    except LabError as error:
        st.session_state["draw-kept"] = {"problem": str(error)}


def _teach(name: str, image: str) -> None:
    """Train a copy of the network with the one drawing, and have Draw answer by it."""
    st.session_state["draw-kept"] = None
    try:
        run = teaching.create_run(TrainConfig(**teaching.settings(name, (image,))))
        get_workers().submit(run)
    except LabError as error:
        st.session_state["draw-kept"] = {"problem": str(error)}
        return
    st.session_state.setdefault("draw-before", name)
    st.session_state.update({"draw-taught": run.id, "draw-switch": True})


def switch() -> None:
    """Choose the network that was taught as soon as it can answer; before the control for networks is made."""
    run_id = st.session_state.get("draw-taught")
    if not run_id or not st.session_state.get("draw-switch"):
        return
    with contextlib.suppress(LabError):
        if _has_learnt(RUNS.open(run_id)):
            st.session_state.update({"draw-model": run_id, "draw-switch": False})


def _has_learnt(run: Run) -> bool:
    """Whether the run's weights are those behind its last step; it may still be reading the test images by them."""
    history = history_of(run)
    if history.end or not history.epoch:
        return history.epoch is not None
    try:
        return run.weights.stat().st_mtime_ns >= run.state.stat().st_mtime_ns  # which is written first
    except FileNotFoundError:
        return False


def _taught(run: Run, made_while_active: bool) -> None:
    """Whether the one drawing is learnt, and what that cost."""
    if st.session_state.get("draw-taught") != run.id:  # a button has just been pressed
        st.rerun()
    try:
        status, has_learnt = run.status(), _has_learnt(run)
        if status.state.is_active != made_while_active or (st.session_state.get("draw-switch") and has_learnt):
            st.rerun()
        words = "Learning this drawing beside a few hundred others."
        if has_learnt:
            words = f"{_learnt(run)} {_cost(run, status.state.is_active)}"
        image = run.config().digits[0]
    except LabError as error:
        st.error(by_name(error))
        return
    with st.container(key="taught", border=True):
        if status.state.is_active or status.state is RunState.FINISHED:
            st.markdown(words)
        else:
            st.error(plain(named(status.message)) or "The training has ended too early: try again.")
        with st.container(horizontal=True):
            if status.state is RunState.FINISHED:
                st.button("Teach it again", key="teach-again", on_click=_teach, args=(run.id, image))
            st.button("Back to the network from before", key="taught-undo", on_click=_untaught)
            if st.button("Teach it all my digits", key="taught-more", type="tertiary"):
                _write_more()


def _learnt(run: Run) -> str:
    """Whether the one drawing is read right since."""
    from mnist_core.runs import inputs

    own = inputs.read_own(run.path)
    if own is None or not len(own.learnt):
        return ""
    label = int(own.learnt.labels[0])
    read = models.get_predictor(run.id).predict_one(own.learnt.images[0]).digit
    return f"Your {label} is read right now." if read == label else f"Your {label} is still read as {read}."


def _cost(run: Run, is_active: bool) -> str:
    """What is read right of everybody's digits, before and since: by a sample, until the test images are read."""
    history = history_of(run)
    if not is_active and (end := history.end) and "test_accuracy" in end:
        before = f"**{end['test_accuracy_before']:.2%}** before, " if "test_accuracy_before" in end else ""
        return f"Of the test images it reads {before}**{end['test_accuracy']:.2%}** now."
    (_, earlier), *_, (_, now) = history.curves["val_accuracy"].points  # before the first step, behind the last
    images = run.config().validation_images
    low, high = metrics.interval(round(now * images), images)
    return (
        f"Of {images:,} others it reads **{earlier:.2%}** before, **{now:.2%}** now (95 % interval {low:.2%} to "
        f"{high:.2%}); the test images follow."
    )


def _untaught() -> None:
    st.session_state.update({"draw-model": st.session_state.pop("draw-before"), "draw-taught": None})
