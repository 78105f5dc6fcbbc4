"""What a set holds: looked at, removed, taken along, deleted."""

import pathlib

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.exchange import digit_sets
from mnist_core.own_digits.digit_set import DigitSet
from mnist_core.own_digits.digit_store import DIGITS
from pages.shared import own, pictures

A_PAGE = 200  # digits
COLUMNS = 8  # of the contact sheet
ANY = "any"


def show(name: str) -> None:
    """All of the set, and where it is kept."""
    try:
        kept = own.opened(name)
        files = kept.files() if kept else []
    except LabError as error:
        st.error(str(error))
        return
    _deleted()
    if not kept or not files:
        st.info("Nothing is kept yet: write some digits, or take them from paper.", icon=":material/ink_pen:")
        return
    begun = f", begun on {kept.begun()}" if kept.begun() else ""
    st.caption(f"{len(files):,} digits{begun}, in {own.where(name)}, and nowhere else.")
    selected = [kept.place(path) for path in _contact_sheet(_page(files))]
    with st.container(horizontal=True):
        st.button(
            f"Remove {len(selected)}" if selected else "Remove",
            key="own-remove",
            icon=":material/delete:",
            disabled=not selected,
            on_click=_remove,
            args=(kept, selected),
        )
        st.download_button(
            "Take along (zip)",
            lambda: digit_sets.packed(kept),
            file_name=f"{name}.zip",
            key="own-download",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Delete the set", key="own-delete", type="tertiary", on_click=_delete, args=(name,))


def _page(files: list[tuple[pathlib.Path, int]]) -> list[tuple[pathlib.Path, int]]:
    """Those of the images that are shown at once, with controls for which where there are more."""
    if len(files) <= A_PAGE:
        return files
    with st.container(horizontal=True, vertical_alignment="bottom"):
        digit = st.selectbox("Digit", [ANY, *map(str, range(10))], key="own-digit", width=96)
        chosen = files if digit == ANY else [one for one in files if str(one[1]) == digit]
        pages = max(1, -(-len(chosen) // A_PAGE))
        page = st.pagination(pages, key=f"own-page-{digit}-{pages}") if pages > 1 else 1
    return chosen[(page - 1) * A_PAGE : page * A_PAGE]


def _contact_sheet(files: list[tuple[pathlib.Path, int]]) -> list[pathlib.Path]:
    """The images in rows, each digit's in rows of their own; those that are selected."""
    rows = []
    for digit in range(10):
        of_it = [path for path, label in files if label == digit]
        rows += [(digit, of_it[start : start + COLUMNS]) for start in range(0, len(of_it), COLUMNS)]
    names = [str(number) for number in range(1, COLUMNS + 1)]
    table = [
        {"digit": str(digit), **dict.fromkeys(names, ""), **dict(zip(names, map(_picture, paths), strict=False))}
        for digit, paths in rows
    ]
    chosen = st.dataframe(
        table,
        hide_index=True,
        height=330,
        row_height=44,
        key=f"own-files-{hash(tuple(files))}",  # of other images none is selected
        on_select="rerun",
        selection_mode="multi-cell",
        column_config={
            "digit": st.column_config.TextColumn("", width=30),
            **{name: st.column_config.ImageColumn("", width=44) for name in names},
        },
        alt="The digits that are kept",
    )
    return [
        rows[row][1][int(name) - 1]
        for row, name in chosen.selection.cells
        if name in names and int(name) <= len(rows[row][1])
    ]


def _picture(path: pathlib.Path) -> str:
    image = own.image_of(path)
    return "" if image is None else pictures.data_url(image)


def _remove(kept: DigitSet, places: list[str]) -> None:
    try:
        for place in places:
            kept.remove(place)
    except LabError as error:
        st.toast(str(error), icon=":material/error:")


def _delete(name: str) -> None:
    try:
        DIGITS.delete(name)
    except LabError as error:
        st.toast(str(error), icon=":material/error:")
    else:
        st.session_state["own-deleted"] = name


def _deleted() -> None:
    """That a set was deleted, and a way to bring it back."""
    name = st.session_state.get("own-deleted")
    if not name:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The set {name} is deleted, for good in a day.")
        st.button("Bring it back", key="own-restore", on_click=_restore, args=(name,))


def _restore(name: str) -> None:
    st.session_state["own-deleted"] = None
    try:
        DIGITS.restore(name)
    except LabError as error:
        st.toast(str(error), icon=":material/error:")
