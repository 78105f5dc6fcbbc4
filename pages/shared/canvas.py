"""The canvas, with a Clear and an Undo of its own, and the drawing on it, which survives a switch of the page."""

import dataclasses
from typing import Any

import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from mnist_core import drawing
from mnist_core.drawing import Pixels
from mnist_core.errors import DrawingError, EmptyDrawing

SIZE = 280  # pixels, square


@dataclasses.dataclass(frozen=True)
class Opened:
    """An image of the data set that is shown in the drawing's place: (28, 28), and words that say which it is."""

    image: Pixels
    title: str


@dataclasses.dataclass
class _Canvas:
    """What a visitor's session knows of the canvas."""

    mount: int = 0  # how many canvases there were before this one
    initial: dict[str, Any] | None = None  # what this one began with; a change would wipe it
    # The drawing after each stroke: the canvas' objects, and the ink (280, 280).
    strokes: list[tuple[list[dict[str, Any]], Pixels]] = dataclasses.field(default_factory=list)
    opened: Opened | None = None

    @property
    def key(self) -> str:
        return f"canvas-{self.mount}"

    def put_up_anew(self) -> None:
        """Have a new canvas, with what is drawn now."""
        self.mount += 1
        self.initial = {"objects": self.strokes[-1][0]} if self.strokes else None

    def take_in(self, image: Pixels, objects: list[dict[str, Any]]) -> None:
        """What the canvas has sent. Raises ValueError for what it cannot have sent."""
        if image.shape != (SIZE, SIZE, 4):
            raise ValueError(image.shape)
        # its own toolbar can take back strokes as well
        self.strokes = [stroke for stroke in self.strokes if len(stroke[0]) < len(objects)]
        if objects:
            self.strokes.append((objects, image[..., 0].copy()))  # white ink on black: one channel says all
            self.opened = None


def _canvas() -> _Canvas:
    canvas: _Canvas = st.session_state.setdefault("canvas", _Canvas())
    return canvas


def draw(pen_width: int) -> None:
    """The canvas and its buttons. Raises DrawingError if what it sends cannot be read."""
    canvas = _canvas()
    if canvas.strokes and canvas.key not in st.session_state:  # the page was left meanwhile
        canvas.put_up_anew()
    try:
        sent = st_canvas(
            stroke_width=pen_width,
            stroke_color="#fff",
            background_color="#000",
            width=SIZE,
            height=SIZE,
            initial_drawing=canvas.initial,
            return_image_data=True,
            key=canvas.key,
        )
        image = sent.image_data
        if image is not None:  # None: nothing was drawn since the canvas was put up
            canvas.take_in(image, sent.json_data["objects"])
    except (AttributeError, KeyError, TypeError, ValueError, OSError, Image.DecompressionBombError) as error:
        raise DrawingError("What the canvas sent cannot be read: press Clear and draw again.") from error
    finally:
        with st.container(horizontal=True):
            st.button("Clear", key="clear", icon=":material/delete:", on_click=clear)
            st.button("Undo", key="undo", icon=":material/undo:", on_click=_undo, disabled=not canvas.strokes)


def current() -> Pixels:
    """What is drawn, or the image that was opened, as a network sees it: (28, 28), uint8. Raises EmptyDrawing."""
    opened = _canvas().opened
    return opened.image if opened else drawing.to_mnist(ink())


def ink() -> Pixels:
    """What is drawn as it is on the canvas, (280, 280), uint8, or the image that was opened. Raises EmptyDrawing."""
    canvas = _canvas()
    if canvas.opened:
        return canvas.opened.image
    if not canvas.strokes:
        raise EmptyDrawing("Nothing is drawn.")
    return canvas.strokes[-1][1]


def opened() -> Opened | None:
    """The image of the data set that is shown in the drawing's place, if any."""
    return _canvas().opened


def open_image(image: Pixels, title: str) -> None:
    """Show an image (28, 28) of the data set, as the network sees it, until something is drawn."""
    clear()
    _canvas().opened = Opened(image, title)


def clear() -> None:
    canvas = _canvas()
    canvas.strokes, canvas.opened = [], None
    canvas.put_up_anew()


def _undo() -> None:
    canvas = _canvas()
    canvas.strokes.pop()
    canvas.put_up_anew()
