"""Digits from paper: a sheet to print, to write on and to photograph; and images that are labelled already."""

import functools
import io

import streamlit as st
from PIL import Image

from mnist_core.errors import LabError
from mnist_core.exchange import digit_sets, digit_sheet
from mnist_core.exchange.digit_sets import Found
from mnist_core.image_files import open_image
from mnist_core.own_digits.digit_store import DIGITS
from pages.shared import own
from pages.shared.markdown import plain

COLUMNS, CELL = 10, 42  # of the look at what was found, in pixels


def show(name: str) -> None:
    """The sheet to print, a file to open, and a look at what is in it before it is kept."""
    st.markdown("**1** Print the sheet and write on it, or take images in folders `0` to `9`, zipped.")
    with st.container(horizontal=True):
        for kind in ("pdf", "png"):
            st.download_button(
                f"Sheet ({kind.upper()})",
                functools.partial(_sheet, kind),
                file_name=f"digits.{kind}",
                key=f"sheet-{kind}",
                icon=":material/print:",
                on_click="ignore",
            )
    st.markdown("**2** Open a photo of the sheet, or the zip.")
    file = st.file_uploader(
        "Photo or zip", ["png", "jpg", "jpeg", "webp", "heic", "zip"], key="own-file", label_visibility="collapsed"
    )
    if not file:
        st.session_state["own-found"] = None
        return
    if st.session_state.get("own-file-kept") == file.file_id:
        st.success(f"Kept in the set {name}.")
        return
    try:
        found = _found(file)
    except LabError as error:
        st.error(plain(str(error)))
        return
    st.markdown("**3** Look whether each is in the right row, then keep them.")
    count = len(found.digits)
    if st.button(f"Keep these {count:,}" if count > 1 else "Keep it", key="own-keep-all", type="primary"):
        try:
            own.with_bar("Keeping them", digit_sets.keeping(found.digits, name, DIGITS))
        except LabError as error:
            st.error(plain(str(error)))
        else:
            st.session_state.update({"own-file-kept": file.file_id, "own-found": None})
            st.rerun()
    if found.problems:
        st.warning(plain(" ".join(found.problems[:3])))
    st.image(_overview(found), alt="The digits that were found, a row for each digit")


def _found(file: st.runtime.uploaded_file_manager.UploadedFile) -> Found:
    """The digits in the file, looked for once. Raises LabError."""
    kept: tuple[str, Found] | None = st.session_state.get("own-found")
    if kept and kept[0] == file.file_id:
        return kept[1]
    if file.name.casefold().endswith(".zip"):
        found = own.with_bar("Looking for digits", digit_sets.reading(file))
    else:
        with st.spinner("Looking for digits"):
            found = digit_sheet.read(open_image(file.name, file))
    st.session_state["own-found"] = file.file_id, found
    return found


def _sheet(kind: str) -> bytes:
    content = io.BytesIO()
    digit_sheet.draw().save(content, kind, resolution=digit_sheet.DPI)
    return content.getvalue()


def _overview(found: Found) -> Image.Image:
    """The digits as they were cut out, the first of each in a row."""
    rows = [[png for digit, png in found.digits if digit == row][:COLUMNS] for row in range(10)]
    sheet = Image.new("L", (COLUMNS * CELL, 10 * CELL))
    for down, row in enumerate(rows):
        for across, png in enumerate(row):
            image = Image.open(io.BytesIO(png))
            image.thumbnail((CELL - 6, CELL - 6))
            sheet.paste(image, (across * CELL + 3, down * CELL + 3))
    return sheet
