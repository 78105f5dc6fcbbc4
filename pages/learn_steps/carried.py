"""The digit that goes through the course: the visitor's own, or a test image for who draws none."""

from __future__ import annotations

import dataclasses

import streamlit as st

from mnist_core.course import image_text
from mnist_core.drawing import Pixels
from mnist_core.errors import DrawingError, EmptyDrawing
from pages.shared import canvas, data


@dataclasses.dataclass(frozen=True, eq=False)
class Carried:
    """`image` (28, 28), uint8, as a network sees it; its `label`, None for a drawing that was given none."""

    image: Pixels
    label: int | None
    is_own: bool

    @property
    def title(self) -> str:
        """What to call it in a sentence, such as "your 7"."""
        return f"your {'digit' if self.label is None else self.label}" if self.is_own else f"this {self.label}"

    @property
    def in_inside(self) -> str:
        """What Inside's address calls it."""
        return "drawing" if self.is_own else "0"


def digit() -> Carried:
    """What is carried: what step 1 has kept, else what is drawn, else a test image. Raises DatasetError."""
    try:
        own: Pixels | None = st.session_state.get("learn-drawing")
        return Carried(canvas.current() if own is None else own, label(), True)
    except EmptyDrawing:
        test = data.test(data.data_at_hand("mnist"))
        return Carried(test.images[0].numpy(), int(test.labels[0]), False)


def label() -> int | None:
    """What the visitor says the digit is."""
    given: int | None = st.session_state.get("learn-label")
    return given


def keep(image: Pixels | None) -> None:
    """Carry that image on; with None, nothing that was drawn. A drawing that was cleared leaves its label behind."""
    if image is None and st.session_state.get("learn-drawing") is not None:
        give_label(None)
    st.session_state["learn-drawing"] = image


def give_label(digit: int | None) -> None:
    st.session_state["learn-label"] = digit


def follow_link(words: dict[str, str]) -> None:
    """Carry the digit that a link holds, unless there is one. Raises DrawingError for what is none."""
    if st.session_state.get("learn-drawing") is not None or not words.get("digit"):
        return
    name, _, text = words["digit"].partition(".")
    image = image_text.from_text(text)
    if not image.any() or (name and name not in "0123456789"):
        raise DrawingError("The link's digit cannot be read: draw it again in step 1.")
    canvas.open_image(image, "Your digit")
    keep(image)
    give_label(int(name) if name else None)


def in_link() -> dict[str, str]:
    """The word for a link."""
    own = st.session_state.get("learn-drawing")
    return {} if own is None else {"digit": f"{'' if label() is None else label()}.{image_text.to_text(own)}"}
