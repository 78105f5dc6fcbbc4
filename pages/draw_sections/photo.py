"""A photo or a scan in the canvas' place, uploaded, pasted or from the camera, and what a network reads in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core import browser, drawing, image_files
from mnist_core.errors import LabError
from pages.draw_sections import framed
from pages.draw_sections.number import say
from pages.shared import canvas, models
from pages.shared.runs import by_name

if TYPE_CHECKING:
    from mnist_core.paper.page_reading import Box
    from mnist_core.reading.numbers import Page

KINDS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif"]
LARGEST = 50  # MB of an uploaded file
KEPT = 2_048  # pixels, longer side of the photo in a visitor's session
HIGHEST = "min(420px, 60vh)"

_paste = st.components.v2.component("digit_lab.paste", js=browser.joined("paste"))


def show(name: str, source: str) -> None:
    """What the network reads in a photo, laid over it; one drag reads a part of it alone."""
    _read(name, source)
    if source == "Upload":
        _paste(key="draw-paste")


def _read(name: str, source: str) -> None:
    left, right = st.columns([canvas.SIZE, 620], gap="large")
    with left:
        try:
            image = _take(source)
        except LabError as error:
            st.error(by_name(error))
            return
    if image is None:
        right.info("Digits side by side, dark on light: on paper, a screen, a board.", icon=":material/photo_camera:")
        return
    part: Box | None = st.session_state.get("draw-part")
    if part:
        image = image.crop(part)
    with right, st.container(key="answer"):
        _answer(name, image, part)


def _answer(name: str, image: Image.Image, part: Box | None) -> None:
    """What is read in the image, the `part` of a photo, None for all of it."""
    from mnist_core.reading import numbers

    page: Page | None = None
    try:
        page = numbers.read_page(models.get_predictor(name), image)
    except LabError as error:
        st.error(by_name(error))
    if page:
        say(page.rows)
    rows = page.rows if page else []
    words = "The photo, each digit that is read in a frame"
    picture = _with_ink(image, page)
    framed.show(picture, rows, "draw-photo", words, HIGHEST, choose=lambda box: _choose(box, part))
    dropped = page is not None and page.ink.dropped.any()
    legend = "Ink that is read is orange" + (", what was dropped is blue. " if dropped else ". ") if page else ""
    st.caption(f"{legend}Drag over the photo to read a part of it.")
    with st.container(horizontal=True):
        if part:
            st.button("The whole photo", key="draw-whole", icon=":material/zoom_out_map:", on_click=_choose_all)
        if page and len(rows) == 1 and len(rows[0].digits) == 1:
            digit = rows[0].digits[0].digit
            if st.button(f"Why {'an' if digit == 8 else 'a'} {digit}?", key="draw-photo-inside"):
                _look_inside(name, page, picture)


def _with_ink(image: Image.Image, page: Page | None) -> Image.Image:
    from mnist_core.figures import photo as photo_figures  # with pandas, which a drawing does not need

    return photo_figures.tinted(image, page.ink) if page else image


def _choose(box: Box, of: Box | None) -> None:
    """Read that box alone, of the photo or of the part of it that is shown."""
    left, top = of[:2] if of else (0, 0)
    st.session_state["draw-part"] = left + box[0], top + box[1], left + box[2], top + box[3]


def _choose_all() -> None:
    st.session_state.pop("draw-part", None)


def _look_inside(name: str, page: Page, picture: Image.Image) -> None:
    """Take the one digit of a photo to Inside."""
    ink = page.ink.ink
    canvas.open_image(drawing.to_mnist(ink), "Your photo", ink, picture)
    st.session_state["inside-model"] = name
    st.switch_page("inside.py")


def _take(source: str) -> Image.Image | None:
    """The visitor's image from "Upload" or "Camera", None where there is none yet. Raises DrawingError."""
    file: Any
    if source == "Camera":
        file = st.camera_input("A photo of digits", key="photo-camera", label_visibility="collapsed")
    else:
        file = st.file_uploader(
            f"A photo or a scan of digits, at most {LARGEST} MB; or paste one",
            KINDS,
            max_upload_size=LARGEST,
            key="photo-file",
        )
    if not file:
        return None
    # decoded once: the page's fragment runs again with each control
    opened = st.session_state.get("photo-opened")
    if opened is None or opened[0] != file.file_id:
        _choose_all()
        image = _in_color(image_files.open_image(file.name, file))
        image.thumbnail((KEPT, KEPT))
        opened = st.session_state["photo-opened"] = file.file_id, image
    image_opened: Image.Image = opened[1]
    return image_opened


def _in_color(image: Image.Image) -> Image.Image:
    """The image as what can be shown and made smaller; a transparent one on white."""
    with image_files.decoding("The image"):
        if image.has_transparency_data:
            image = image.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr"):
            return image if image.mode in ("L", "RGB") else image.convert("RGB")
        return Image.fromarray(np.rint(drawing.brightness(image) * 255).astype(np.uint8))
