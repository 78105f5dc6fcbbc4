"""The canvas, with a Clear and an Undo of its own, and the drawing on it, which survives a switch of the page."""

import contextlib
import dataclasses
import io
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import CanvasResult, st_canvas

from mnist_core import browser, drawing
from mnist_core.drawing import Pixels
from mnist_core.errors import DrawingError, EmptyDrawing
from pages.shared.pictures import enlarged

SIZE = 420  # pixels, square; shown as wide as its place
WIDE = 840, 320  # pixels of the wide one, for numbers
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OSError, Image.DecompressionBombError)

_buttons_in_browser = st.components.v2.component(
    "digit_lab.canvas_buttons", js=browser.joined("drawable_canvas", "canvas_buttons")
)


@dataclasses.dataclass(frozen=True)
class Opened:
    """An image that is shown in the drawing's place: (28, 28), and words that say which it is.

    Of a photo there are the `ink` (H, W) of its digit, uint8, and the `photo` with what was found in it laid over.
    """

    image: Pixels
    title: str
    ink: Pixels | None = None
    photo: Image.Image | None = None


@dataclasses.dataclass
class _Canvas:
    """What a visitor's session knows of a canvas."""

    name: str = "canvas"
    size: tuple[int, int] = (SIZE, SIZE)  # width and height, in pixels
    mount: int = 0  # how many canvases there were before this one
    page: str = ""  # on which it is
    # The ink (H, W) after each stroke that was drawn before this canvas was mounted. It is shown behind the canvas:
    # a canvas that is given strokes to begin with has no way to clear or undo them but by a new mount, and a new mount
    # loses what is drawn meanwhile.
    earlier: list[Pixels] = dataclasses.field(default_factory=list)
    # What the canvas sent after each stroke on it: how many there are, and their ink (H, W).
    strokes: list[tuple[int, Pixels]] = dataclasses.field(default_factory=list)
    received: bytes | None = None  # the image that came last
    opened: Opened | None = None

    @property
    def key(self) -> str:
        return f"{self.name}-{self.mount}"

    @property
    def ink(self) -> Pixels | None:
        """All that is drawn, (H, W), None for nothing."""
        if not self.strokes:
            return self.earlier[-1] if self.earlier else None
        return self._over_earlier(self.strokes[-1][1])

    def _over_earlier(self, ink: Pixels) -> Pixels:
        """White ink painted over the earlier one, as a browser paints it."""
        if not self.earlier:
            return ink
        return (255 - (255 - ink.astype(np.uint16)) * (255 - self.earlier[-1]) // 255).astype(np.uint8)

    def remount(self) -> None:
        """Have a new canvas, with what is drawn behind it."""
        self.mount += 1
        self.earlier += [self._over_earlier(ink) for _, ink in self.strokes]
        self.strokes, self.received = [], None

    def receive(self, sent: CanvasResult) -> None:
        """What the canvas has sent. Raises one of UNREADABLE for what it cannot have sent."""
        content = sent.image_bytes
        if content in (None, self.received):  # nothing was drawn since the canvas was mounted, or since the last look
            return
        image = np.asarray(Image.open(io.BytesIO(content)))
        if image.shape != (*self.size[::-1], 4):
            raise ValueError(image.shape)
        strokes = len(sent.json_data["objects"])
        self.strokes = [stroke for stroke in self.strokes if stroke[0] < strokes]  # the canvas undoes and clears too
        if strokes:
            self.strokes.append((strokes, image[..., 3].copy()))  # white on nothing: the opacity is the ink
            self.opened = None
        self.received = content


def _canvas(wide: bool = False) -> _Canvas:
    new = _Canvas("canvas-wide", WIDE) if wide else _Canvas()
    canvas: _Canvas = st.session_state.setdefault(new.name, new)
    return canvas


def draw(
    pen_width: int,
    page: str,
    buttons: Callable[[], None] = lambda: None,
    wide: bool = False,
    on_stroke: Callable[[], None] = lambda: None,
) -> None:
    """The canvas, `buttons` and its own ones, on that page. Raises DrawingError if what it sends cannot be read.

    `on_stroke` is called with each stroke, before the page is run. What is drawn on the wide one is apart from what is
    drawn on the other.
    """
    canvas = _canvas(wide)
    width, height = canvas.size
    came_back = canvas.strokes and canvas.key not in st.session_state
    if came_back or canvas.page not in ("", page):  # another page's canvas was taken down with what was on it
        canvas.remount()
    canvas.page = page
    try:
        canvas.receive(
            st_canvas(
                stroke_width=pen_width,
                stroke_color="#fff",
                background_image=_png(canvas.earlier[-1] if canvas.earlier else np.zeros((height, width), np.uint8)),
                width=width,
                height=height,
                return_image_data=True,
                key=canvas.key,
                on_change=lambda: _receive(canvas, on_stroke),
            )
        )
    except UNREADABLE as error:
        raise DrawingError("What the canvas sent cannot be read: press Clear and draw again.") from error
    finally:
        with st.container(horizontal=True):
            buttons()
            st.button("Clear", key="clear", icon=":material/delete:", on_click=clear, args=(wide,))
            is_empty = canvas.ink is None
            st.button("Undo", key="undo", icon=":material/undo:", on_click=_undo, args=(wide,), disabled=is_empty)
            _buttons_in_browser(key="canvas-buttons")


def _receive(canvas: _Canvas, on_stroke: Callable[[], None]) -> None:
    """Take what the canvas has sent before the page is run: a button pressed meanwhile ends that run, or leaves it."""
    with contextlib.suppress(*UNREADABLE, DrawingError):  # the page's run says so
        drawing = st.session_state[canvas.key]["drawing"]
        canvas.receive(CanvasResult(drawing["raw"], drawing["data"], return_image_data=True))
        on_stroke()


def _png(ink: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(ink).save(file, "PNG")
    return file.getvalue()


def current() -> Pixels:
    """What is drawn, or the image that was opened, as a network sees it: (28, 28), uint8. Raises EmptyDrawing."""
    opened = _canvas().opened
    return opened.image if opened else drawing.to_mnist(ink())


def ink(wide: bool = False) -> Pixels:
    """What is drawn as it is on the canvas, (H, W), uint8, or the image that was opened. Raises EmptyDrawing."""
    canvas = _canvas(wide)
    if canvas.opened:
        return canvas.opened.image if canvas.opened.ink is None else canvas.opened.ink
    if canvas.ink is None:
        raise EmptyDrawing("Nothing is drawn.")
    return canvas.ink


def strokes() -> int:
    """How many strokes there are on the canvas, from before it was mounted as well."""
    canvas = _canvas()
    return len(canvas.earlier) + (canvas.strokes[-1][0] if canvas.strokes else 0)


def opened() -> Opened | None:
    """The image that is shown in the drawing's place, if any."""
    return _canvas().opened


def show_seen(seen: Pixels, times: int, words: str) -> None:
    """What is drawn or was opened, as a network sees it, each pixel `times` as large; `words` are said of a drawing."""
    opened = _canvas().opened
    caption = f"{opened.title}; draw to replace it" if opened else words
    st.image(enlarged(seen, times), caption=caption, alt="The drawing as it is seen")


def open_image(image: Pixels, title: str, ink: Pixels | None = None, photo: Image.Image | None = None) -> None:
    """Show an image (28, 28), as the network sees it, until something is drawn. See `Opened`."""
    canvas = _canvas()
    canvas.earlier, canvas.strokes, canvas.opened = [], [], Opened(image, title, ink, photo)
    canvas.remount()


def clear(wide: bool = False) -> None:
    """Forget the drawing. A button that does so has a key that begins with "clear", or the canvas keeps its strokes."""
    canvas = _canvas(wide)
    canvas.earlier, canvas.strokes, canvas.received, canvas.opened = [], [], None, None
    st.session_state.pop(canvas.key, None)  # the canvas has cleared itself and will say so


def _undo(wide: bool) -> None:
    """Take back a stroke drawn before the canvas was mounted: with strokes of its own, it undoes them itself."""
    if earlier := _canvas(wide).earlier:
        earlier.pop()
