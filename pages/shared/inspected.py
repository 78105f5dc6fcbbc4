"""What the Inside page looks into: a model and an image, both named in the page's address."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from mnist_core.drawing import Pixels
from mnist_core.errors import LabError
from mnist_core.reading import catalog
from mnist_core.text import quoted, whole_number
from pages.shared import address, canvas, data, models

if TYPE_CHECKING:
    from mnist_core.dataset import Dataset
    from mnist_core.reading.predictor import Prediction, Predictor

DRAWING, TEST_IMAGE = "my drawing", "test image"
ANY_DIGIT = "any digit"


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model that reads an image: `image` (28, 28), uint8, as the network sees it, with a `title` that says which.

    `ink` (H, W) is the drawing as it is on the canvas, the ink that was found in a `photo`, or the image itself.
    `label` is the true digit, None for a drawing. `test` are the test images of the kind that the model was trained on,
    and `state` tells one state of its weights from another.
    """

    model: Predictor
    state: tuple[str, int]
    test: Dataset
    image: Pixels
    ink: Pixels
    title: str
    label: int | None
    photo: Image.Image | None
    answer: Prediction


def follow_link(sections: list[str]) -> None:
    """Set the controls to what the address says, where that is another link than the one that was set here.

    Without a word in it about the image it is the drawing, if there is a new one since the last look.
    """
    state = st.session_state
    first = {"section": sections[0], "model": catalog.DEFAULT_MODEL, "from": TEST_IMAGE, "index": 0}
    for key, value in first.items():
        state.setdefault(f"inside-{key}", value)
    _take_new_drawing()
    words = address.to_follow("inside")
    if words is None:
        return
    problems = []
    if (section := words.get("section")) in sections:
        state["inside-section"] = section
    elif section:
        problems.append(f"There is no section {quoted(section)}; there are {', '.join(sections)}.")
    if (name := words.get("model")) in catalog.names():
        state["inside-model"] = name
    elif name:
        problems.append(f"There is no model {quoted(name)}.")
    if (image := words.get("image")) == "drawing":
        state["inside-from"] = DRAWING
    elif image:
        try:
            state["inside-index"] = whole_number(image)
            state["inside-from"] = TEST_IMAGE
        except ValueError:
            problems.append(f"An image is a test image's number, or drawing, not {quoted(image)}.")
    state["inside-problems"] = problems


def _take_new_drawing() -> None:
    """Look at the drawing where it is another one than at the last look."""
    try:
        drawn = canvas.current().tobytes()
    except LabError:
        return
    if drawn != st.session_state.get("inside-drawn"):
        st.session_state["inside-drawn"], st.session_state["inside-from"] = drawn, DRAWING


def set_link() -> None:
    """Say in the address what is looked at, and on the page what could not be used of the address."""
    state = st.session_state
    image = "drawing" if state["inside-from"] == DRAWING else str(state["inside-index"])
    words = {"section": state["inside-section"], "model": state["inside-model"], "image": image}
    address.put("inside", words)
    if problems := state.pop("inside-problems", None):
        st.warning(f"The link holds what cannot be used. {' '.join(problems)}")


def choose() -> tuple[str, str]:
    """The controls that choose a model and an image; the model's name, and where the image is from. Raises LabError."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=320):
            name = models.choose_model("inside-model")
        source: str = st.segmented_control(  # type: ignore[assignment]  # one is required
            "Image", [DRAWING, TEST_IMAGE], key="inside-from", required=True, persist_state="session"
        )
        if source == TEST_IMAGE:
            _choose_test_image(data.data_at_hand(catalog.config_of(name).data))
    return name, source


def _choose_test_image(kind: str) -> None:
    images = len(data.test(kind))
    st.session_state["inside-index"] = min(int(st.session_state["inside-index"]), images - 1)
    st.number_input("Number", 0, images - 1, step=1, key="inside-index", persist_state="session", width=130)
    digit = st.selectbox("Of digit", [ANY_DIGIT, *map(str, range(10))], key="inside-digit", width=120)
    st.button("Another", key="inside-another", icon=":material/shuffle:", on_click=_another, args=(kind, digit))


def _another(kind: str, digit: str) -> None:
    """Go to a test image of that digit, by chance."""
    labels = data.test(kind).labels.tolist()
    chosen = [index for index, label in enumerate(labels) if digit in (ANY_DIGIT, str(label))]
    st.session_state["inside-index"] = random.choice(chosen)  # noqa: S311  # no secret


def open_test_image(index: int) -> None:
    """Look at that test image from now on."""
    st.session_state["inside-from"], st.session_state["inside-index"] = TEST_IMAGE, index


def get(name: str, source: str) -> Subject:
    """The subject that the controls are set to, with the model's newest weights. Raises LabError."""
    state = name, models.written(name)
    model = models.get_predictor(name)
    test = data.test(data.data_at_hand(model.config.data))
    if source == DRAWING:
        opened = canvas.opened()
        image, ink, label, photo = canvas.current(), canvas.ink(), None, opened.photo if opened else None
        title = opened.title if opened else "Your drawing"
    else:
        index = int(st.session_state["inside-index"])
        photo, image = None, test.images[index].numpy()
        ink = image
        label = int(test.labels[index])
        title = f"Test image {index}, a true {label}"
    return Subject(model, state, test, image, ink, title, label, photo, model.predict_one(image))
