"""A first course, from pixels to convolution: twelve steps, each with something to do."""

import streamlit as st

from mnist_core.errors import LabError
from pages.learn_steps import (
    convolution,
    descent,
    flat,
    hidden,
    images,
    linear,
    loss,
    own,
    progress,
    single,
    sixty_four,
    speed,
    split,
)
from pages.shared import data, models
from pages.shared.entry import through_app

STEPS = (
    ("Look at the images", images.show),
    ("From picture to row", flat.show),
    ("A linear model", linear.show),
    ("A hidden layer", hidden.show),
    ("The loss", loss.show),
    ("Gradient descent", descent.show),
    ("Learning by heart", split.show),
    ("The classic", sixty_four.show),
    ("CPU and GPU", speed.show),
    ("One image at a time", single.show),
    ("Convolution", convolution.show),
    ("Your own digit", own.show),
)


def _choose() -> None:
    """How far the visitor is, and a control for the step."""
    count, done = len(STEPS), progress.done()
    st.progress(len(done) / count, text=f"{len(done)} of {count} done")
    st.session_state["learn-step"] = progress.now()
    st.segmented_control(
        "Step",
        range(1, count + 1),
        format_func=lambda step: f"{step} :material/check:" if step in done else str(step),
        key="learn-step",
        on_change=lambda: progress.go(st.session_state["learn-step"]),
        required=True,
        label_visibility="collapsed",
    )


def _onward() -> None:
    step, done = progress.now(), progress.done()
    st.space("small")
    with st.container(key="learn-onward", horizontal=True, vertical_alignment="center"):
        st.button(
            "Back",
            key="learn-back",
            icon=":material/arrow_back:",
            on_click=progress.go,
            args=(step - 1,),
            disabled=step == 1,
        )
        if step in done:
            st.badge("Done", icon=":material/check:", color="green")
        else:
            st.button("Mark as done", key="learn-mark", icon=":material/check:", on_click=progress.mark)
        if step < len(STEPS):
            st.button(
                f"Next: {STEPS[step][0]}",
                key="learn-next",
                type="primary" if step in done else "secondary",
                icon=":material/arrow_forward:",
                on_click=progress.go,
                args=(step + 1,),
            )
        if len(done) == len(STEPS):
            st.button("Start over", key="learn-over", type="tertiary", on_click=progress.start_over)


def _begin_at_the_top() -> None:
    """Have the browser show a step from its beginning: Streamlit leaves the page where Next was pressed."""
    st.html(
        f"<script>/* {progress.now()} */ document.querySelector('[data-testid=stMain]').scrollTo(0, 0)</script>",
        unsafe_allow_javascript=True,
    )


through_app()
st.title("Learn")
progress.follow_link(len(STEPS))
_begin_at_the_top()  # above all that comes and goes: where it stands elsewhere, it is run again
data.offer_download()
_choose()
progress.say_problem()
title, show = STEPS[progress.now() - 1]
st.header(f"{progress.now()}. {title}")
try:
    show()
except LabError as error:
    st.error(str(error))
progress.set_link()
_onward()
models.warm_up()
