"""A first course, from pixels to convolution: steps with something to do, and at the end something to keep."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from mnist_core.errors import LabError
from pages.learn_steps import (
    convolution,
    descent,
    flat,
    hidden,
    images,
    keep,
    linear,
    loss,
    own,
    progress,
    single,
    sixty_four,
    speed,
    split,
    training,
)
from pages.shared import data, models


class Step(NamedTuple):
    title: str
    show: Callable[[], None]
    trains: str = ""  # the name of its trainings
    leave: Callable[[], None] = lambda: None  # what Next does before it leads on


STEPS = (
    Step("Look at the images", images.show, leave=images.carry),
    Step("From picture to row", flat.show),
    Step("A linear model", linear.show, "linear"),
    Step("A hidden layer", hidden.show, "hidden"),
    Step("The loss", loss.show),
    Step("Gradient descent", descent.show, "descent"),
    Step("Learning by heart", split.show, "split"),
    Step("The classic", sixty_four.show, "classic"),
    Step("CPU and GPU", speed.show),
    Step("One image at a time", single.show),
    Step("Convolution", convolution.show, "convolution"),
    Step("Your own digit", own.show),
    Step("Yours to keep", keep.show),
)


def _choose() -> None:
    """A list of the steps, and how far the visitor is."""
    count, done = len(STEPS), progress.done()
    # A list for each step: what the browser sends of one that it still shows takes nobody back who has pressed Next.
    key = f"learn-step-{progress.now()}"
    st.selectbox(
        "Step",
        range(1, count + 1),
        format_func=lambda step: f"{'✓ ' if step in done else ''}{step}. {STEPS[step - 1].title}",
        index=progress.now() - 1,
        key=key,
        on_change=lambda: progress.go(st.session_state[key]),
        label_visibility="collapsed",
        width=250,
    )
    st.progress(len(done) / count, text=f"{len(done)} of {count} done", width=160)


def _onward() -> None:
    step = progress.now()
    st.space("small")
    with st.container(key="learn-onward", horizontal=True, vertical_alignment="center"):
        if step > 1:
            st.button("Back", key="learn-back", icon=":material/arrow_back:", on_click=progress.go, args=(step - 1,))
        if step < len(STEPS):
            trains = STEPS[step - 1].trains
            st.button(
                f"Next: {STEPS[step].title}",
                key="learn-next",
                type="secondary" if trains and training.is_to_come(trains) else "primary",
                icon=":material/arrow_forward:",
                on_click=_go_on,
            )
        if step == len(STEPS):
            st.button("Start over", key="learn-over", type="tertiary", on_click=progress.start_over)


def _go_on() -> None:
    STEPS[progress.now() - 1].leave()
    progress.go_on()


def _begin_at_the_top() -> None:
    """Have the browser show a step from its beginning: Streamlit leaves the page where Next was pressed."""
    st.html(
        f"<script>/* {progress.now()} */ document.querySelector('[data-testid=stMain]').scrollTo(0, 0)</script>",
        unsafe_allow_javascript=True,
    )


progress.follow_link(len(STEPS))
if progress.now() == len(STEPS):
    progress.mark()  # it is the end
with st.container(key="learn-head", horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Learn", width="content")
    _choose()
_begin_at_the_top()  # above all that comes and goes: where it stands elsewhere, it is run again
data.offer_download()
progress.say_problem()
st.header(f"{progress.now()}. {STEPS[progress.now() - 1].title}")
try:
    STEPS[progress.now() - 1].show()
except LabError as error:
    st.error(str(error))
progress.set_link()
_onward()
models.warm_up()
