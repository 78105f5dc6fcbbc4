"""On Draw: whether an answer was right or wrong, the drawing kept for it, and a network taught that one drawing."""

import streamlit as st

from mnist_core import teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from pages.shared import canvas, models, own, pictures
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, history_of, named

REFRESH = 0.5  # seconds between looks at a training of one drawing


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
        st.switch_page("pages/browse.py")


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
                st.switch_page("pages/handwriting.py")


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
    """Choose the network that is being taught as soon as it can answer; before the control for networks is made."""
    run_id = st.session_state.get("draw-taught")
    if run_id and st.session_state.get("draw-switch") and _can_answer(run_id):
        st.session_state.update({"draw-model": run_id, "draw-switch": False})


def _can_answer(run_id: str) -> bool:
    """Whether the run has learnt something: before its first step it answers as the network that it started from."""
    try:
        run = RUNS.open(run_id)
        return run.weights.exists() and history_of(run).step is not None
    except LabError:
        return False


def _taught(run: Run, made_while_active: bool) -> None:
    """What it cost to learn the one drawing."""
    if st.session_state.get("draw-taught") != run.id:  # a button has just been pressed
        st.rerun()
    try:
        status, end = run.status(), history_of(run).end
    except LabError as error:
        st.error(by_name(error))
        return
    if status.state.is_active != made_while_active or (st.session_state.get("draw-switch") and _can_answer(run.id)):
        st.rerun()
    with st.container(key="taught", border=True):
        if status.state.is_active:
            st.markdown("Learning this drawing beside a few hundred others.")
        elif status.state is not RunState.FINISHED or not end:
            st.error(plain(named(status.message)) or "The training has ended too early: try again.")
        else:
            before, after = end.get("test_accuracy_before"), end["test_accuracy"]
            was = f"**{before:.2%}** before, " if before is not None else ""
            st.markdown(f"{_learnt(run)} Of the test images it reads {was}**{after:.2%}** now.")
        with st.container(horizontal=True):
            if status.state is RunState.FINISHED:
                image = run.config().digits[0]
                st.button("Teach it again", key="teach-again", on_click=_teach, args=(run.id, image))
            st.button("Back to the network from before", key="taught-undo", on_click=_untaught)
            if st.button("Teach it all my digits", key="taught-more", type="tertiary"):
                st.switch_page("pages/handwriting.py")


def _learnt(run: Run) -> str:
    """Whether the one drawing is read right since."""
    from mnist_core.runs import inputs

    own = inputs.read_own(run.path)
    if own is None or not len(own.learnt):
        return ""
    label = int(own.learnt.labels[0])
    read = models.get_predictor(run.id).predict_one(own.learnt.images[0]).digit
    return f"Your {label} is read right now." if read == label else f"Your {label} is still read as {read}."


def _untaught() -> None:
    st.session_state.update({"draw-model": st.session_state.pop("draw-before"), "draw-taught": None})
