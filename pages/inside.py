"""Look inside any model as it reads an image: the layers, the numbers, the reasons, and what it takes to break it."""

import streamlit as st

from mnist_core.errors import EmptyDrawing, LabError
from pages.inside_sections import damage, ink, layers, network, space, unit, weights, why
from pages.shared import answers, data, inspected, models
from pages.shared.inspected import Subject
from pages.shared.pictures import enlarged
from pages.shared.runs import by_name, is_active

FOLLOW = 2.0  # seconds between looks at the weights of a run that trains
# By their names in the address: title, what there is to see, and what shows it.
SECTIONS = {
    "network": ("The network", network.show),
    "ink": ("From ink to input", ink.show),
    "layers": ("Through the layers", layers.show),
    "unit": ("One unit's arithmetic", unit.show),
    "weights": ("Weights", weights.show),
    "why": ("Why this digit", why.show),
    "space": ("The space", space.show),
    "damage": ("Break it", damage.show),
}


def _look(section: str, name: str, source: str) -> None:
    """The section, in a fragment: its own controls are answered without the rest of the page."""
    try:
        subject = inspected.get(name, source)
        if section != "network":  # which has the answer in its picture
            _headline(subject)
        SECTIONS[section][1](subject)
    except EmptyDrawing:
        st.info("Nothing is drawn: draw a digit, or choose a test image.", icon=":material/draw:")
        st.page_link("draw.py", label="Draw a digit", icon=":material/draw:")
    except LabError as error:
        st.error(by_name(error))


def _headline(subject: Subject) -> None:
    with st.container(key="inside-answer", horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(enlarged(subject.image, 3), alt=f"{subject.title}, as the network sees it")
        answer = subject.answer
        verdict = ""
        if subject.label is not None:
            verdict = ": right" if answer.digit == subject.label else f": wrong, it is a {subject.label}"
        answers.digit(f"{subject.title}: read as", answer, verdict, width="content")
        answers.doubt(answer)


head = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
head.title("Inside the network", width="content")
inspected.follow_link(list(SECTIONS))
data.offer_download()
chosen = None
try:
    with head:
        chosen = inspected.choose()
except LabError as error:
    st.error(by_name(error))
section: str = st.segmented_control(  # type: ignore[assignment]  # one is required
    "Section",
    list(SECTIONS),
    format_func=lambda key: SECTIONS[key][0],
    key="inside-section",
    required=True,
    persist_state="session",
    label_visibility="collapsed",
)
inspected.set_link()
if chosen:
    following = is_active(chosen[0])
    st.fragment(_look, run_every=FOLLOW if following else None)(section, *chosen)
models.warm_up()
