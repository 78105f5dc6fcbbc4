"""A photo or a scan in the canvas' place, uploaded or from the camera, and the number that a network reads in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from mnist_core import image_files
from pages.shared.markdown import plain

if TYPE_CHECKING:
    from mnist_core.page_reading import Box
    from mnist_core.reading.numbers import Number

KINDS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif"]
LARGEST = 50  # MB of an uploaded file
KEPT = 2_048  # pixels, longer side of the photo in a visitor's session
SHOWN = 900  # pixels, longer side of the picture
FRAME = (230, 97, 0)
UNSURE = 0.6  # confidence below which a digit is doubted


def take(source: str) -> Image.Image | None:
    """The visitor's image from "Upload" or "Camera", None where there is none yet. Raises DrawingError."""
    file: Any
    if source == "Camera":
        file = st.camera_input("A photo of digits", key="photo-camera", label_visibility="collapsed")
    else:
        file = st.file_uploader(
            f"A photo or a scan of digits, at most {LARGEST} MB", KINDS, max_upload_size=LARGEST, key="photo-file"
        )
    if not file:
        return None
    # decoded once: the page's fragment runs again with each control, and each second while the model trains
    opened = st.session_state.get("photo-opened")
    if opened is None or opened[0] != file.file_id:
        image = image_files.open_image(file.name, file)
        if image.mode in ("L", "RGB", "RGBA"):  # Pillow makes others smaller badly or not at all
            image.thumbnail((KEPT, KEPT))
        opened = st.session_state["photo-opened"] = file.file_id, image
    return opened[1]


def with_boxes(image: Image.Image, rows: list[Number]) -> Image.Image:
    """The part of the image that holds the digits, with a frame around each, and above it what was read."""
    digits = [digit for row in rows for digit in row.digits]
    left, top, right, bottom = _around([digit.box for digit in digits], image.size)
    picture = image.crop((left, top, right, bottom)).convert("RGB")
    picture.thumbnail((SHOWN, SHOWN))
    scale = picture.width / (right - left)
    pen, width = ImageDraw.Draw(picture), max(2, max(picture.size) // 250)
    for digit in digits:
        corners = [(side - start) * scale for side, start in zip(digit.box, (left, top) * 2, strict=True)]
        frame = [corners[0] - width, corners[1] - width, corners[2] + width, corners[3] + width]
        pen.rectangle(frame, outline=FRAME, width=width)
        font = ImageFont.load_default(max(14.0, min(60.0, (corners[3] - corners[1]) / 3)))
        pen.text((frame[0], frame[1] - width), str(digit.digit), FRAME, font, "ls")
    return picture


def _around(boxes: list[Box], size: tuple[int, int]) -> Box:
    """The box around all of these, with a margin as wide as the highest is high; of none, the whole image."""
    if not boxes:
        return 0, 0, *size
    margin = max(bottom - top for _, top, _, bottom in boxes)
    left, top = (max(0, min(box[side] for box in boxes) - margin) for side in (0, 1))
    right, bottom = (min(size[side - 2], max(box[side] for box in boxes) + margin) for side in (2, 3))
    return left, top, right, bottom


def in_words(rows: list[Number]) -> tuple[str, str]:
    """The numbers as text, and how sure the network is of their digits; empty for none."""
    if not rows:
        return "", ""
    least = min(digit.confidence for row in rows for digit in row.digits)
    return " ".join(row.number for row in rows), f"at least {min(99, int(100 * least))} % sure of each"


def number(rows: list[Number]) -> None:
    """The numbers as text, and how sure the network is of each digit."""
    digits = [digit for row in rows for digit in row.digits]
    least = min(digit.confidence for digit in digits)
    value, sure = in_words(rows)
    st.metric("The network reads", value, sure, delta_color="off", delta_arrow="off")
    if least < UNSURE:
        st.badge("Not sure of every digit", icon=":material/help:", color="orange")
    st.caption(plain(", ".join(f"{digit.digit} ({digit.confidence:.0%})" for digit in digits)))
