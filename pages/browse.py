"""All images of a split with a model's predictions: filter, sort, and look at what it gets wrong."""

import dataclasses
from typing import Any

import numpy as np
import streamlit as st

from mnist_core import config, metrics
from mnist_core.errors import LabError
from mnist_core.figures import predictions as prediction_figures
from mnist_core.reading import catalog
from mnist_core.reading.predictions import SORTS, Indices, Predictions
from pages.shared import answers, canvas, charts, data, models
from pages.shared.entry import through_app
from pages.shared.pictures import enlarged, in_markdown

A_PAGE = 36  # images
ALIKE = 8  # images shown beside one
ANY = "any"
DIGITS = [ANY, *map(str, range(10))]
OUTCOMES = {ANY: None, "right": True, "wrong": False}
SPLITS = ("test", "validation", "train")


def _overview(table: Predictions) -> None:
    """How well the split is read: in all, digit by digit, and what is taken for what."""
    right = int(table.right.sum())
    low, high = metrics.interval(right, len(table))
    with st.container(horizontal=True, gap="large"):
        st.metric("Accuracy", f"{right / len(table):.2%}", width="content")
        st.metric("Its 95 % interval", f"{low:.2%} to {high:.2%}", width="content")
        st.metric("Read wrong", f"{len(table) - right:,} of {len(table):,}", width="content")
    matrix = metrics.confusion_matrix(table.labels, table.digits)
    left, right_side = st.columns(2, gap="large")
    with left, st.container(key="confusion"):
        st.caption("Click on a cell to see its images.")
        charts.plot(
            prediction_figures.confusion(matrix),
            "confusion-chart",
            "How often each digit was read as which",
            on_select=_take_cell,
            selection_mode="points",
        )
    with right_side:
        st.caption("Precision: how many of the images read as a digit are one. Recall: how many of a digit are read.")
        st.dataframe(
            [dataclasses.asdict(one) for one in metrics.per_class(table.labels, table.digits)],
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="percent") for name in ("precision", "recall", "f1")
            },
            height="content",
        )


def _take_cell() -> None:
    points = st.session_state["confusion-chart"]["selection"]["points"]
    if not points:
        return
    true, read = str(points[0]["y"]), str(points[0]["x"])
    _set_filters(true=true, read=read, outcome=ANY)


def _set_filters(true: str = ANY, read: str = ANY, outcome: str = ANY) -> None:
    values = {"true": true, "read": read, "outcome": outcome, "confidence": (0, 100)}
    st.session_state.update({f"browse-{name}": value for name, value in values.items()})
    _begin_anew()


def _begin_anew() -> None:
    """Go to the first page of what the filters leave, with no image large."""
    st.session_state["browse-image"] = None
    st.session_state["browse-view"] = st.session_state.get("browse-view", 0) + 1


def _filters(table: Predictions) -> Indices:
    """The controls that choose and sort; the images they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox("True digit", DIGITS, key="browse-true", on_change=_begin_anew, width=110)
        read = st.selectbox("Read as", DIGITS, key="browse-read", on_change=_begin_anew, width=110)
        outcome = st.segmented_control(
            "Read", list(OUTCOMES), key="browse-outcome", on_change=_begin_anew, required=True
        )
        confidence: Any = st.slider("Confidence (%)", 0, 100, key="browse-confidence", on_change=_begin_anew, width=220)
        sort: Any = st.selectbox(
            "Sort by",
            SORTS,
            key="browse-sort",
            on_change=_begin_anew,
            width=140,
            help="loss: the worst mistakes first; confidence: the least sure first; index: as in the data set.",
        )
    return table.select(
        true=_digit(true),
        read=_digit(read),
        right=OUTCOMES[outcome or ANY],
        confidence=(confidence[0] / 100, confidence[1] / 100),
        sort=sort,
    )


def _digit(choice: str | None) -> int | None:
    return None if choice in (ANY, None) else int(str(choice))


def _gallery(table: Predictions, chosen: Indices) -> None:
    st.caption(f"{len(chosen):,} of {len(table):,} images. Click on what is under one to see it large.")
    gallery = st.container(key="gallery", horizontal=True, gap="small")
    pages = -(-len(chosen) // A_PAGE)
    page = st.pagination(pages, key=f"browse-page-{st.session_state['browse-view']}") if pages > 1 else 1
    with gallery:
        for index in chosen[(page - 1) * A_PAGE : page * A_PAGE].tolist():
            digit = table.digits[index]
            words = f"{digit}" if table.right[index] else f":red[**{table.labels[index]} → {digit}**]"
            _small(table, index, f"{words} {table.confidence[index]:.0%}", "image")


def _small(table: Predictions, index: int, words: str, kind: str) -> None:
    """An image as one of many, and a button under it that shows it large."""
    with st.container(width=96, gap=None, horizontal_alignment="center"):
        st.markdown(in_markdown(table.images[index], f"image {index}, a true {table.labels[index]}", 3))
        st.button(words, key=f"{kind}-{index}", type="tertiary", on_click=_open, args=(index,))


def _open(index: int | None) -> None:
    st.session_state["browse-image"] = index


def _large(table: Predictions, index: int, chosen: Indices, split: str) -> None:
    """One image, what is read in it, and others that leave the model in the same doubt."""
    with st.container(border=True, key="large"):
        picture, bars = st.columns([1, 2])
        title = f"{split.capitalize()} image {index}, a true {table.labels[index]}"
        with picture:
            st.image(enlarged(table.images[index], 8), caption=title, alt=title)
        with bars:
            answers.verdict(table, index, title, "large-probabilities")
        place = np.flatnonzero(chosen == index)
        with st.container(horizontal=True):
            before, after = (int(place[0]) - 1, int(place[0]) + 1) if len(place) else (-1, len(chosen))
            st.button(
                "Previous", on_click=_open, args=(_at(chosen, before),), disabled=before < 0, key="large-previous"
            )
            st.button(
                "Next", on_click=_open, args=(_at(chosen, after),), disabled=after >= len(chosen), key="large-next"
            )
            if st.button("Open in Draw", icon=":material/draw:", key="open-in-draw"):
                canvas.open_image(table.images[index], title)
                st.switch_page("pages/draw.py")
            st.button("Close", on_click=_open, args=(None,), key="large-close")
        st.caption("In the same doubt: the images whose probabilities are most like these.")
        with st.container(horizontal=True, gap="small"):
            for other in table.alike(index, ALIKE).tolist():
                _small(table, other, f"{table.labels[other]} → {table.digits[other]}", "alike")


def _at(chosen: Indices, place: int) -> int | None:
    return int(chosen[place]) if 0 <= place < len(chosen) else None


@st.fragment
def _images(table: Predictions, split: str) -> None:
    st.subheader("Images")
    chosen = _filters(table)
    index = st.session_state["browse-image"]
    if index is not None and index < len(table):
        _large(table, index, chosen, split)
    _gallery(table, chosen)


through_app()
if misread := st.session_state.pop("browse-go-to", None):  # from Draw: what else is taken for that digit
    _set_filters(read=misread, outcome="wrong")
elif "browse-true" not in st.session_state:
    _set_filters(outcome="wrong")
st.title("Browse the images")
data.offer_download()
with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container(width=420):
        name = models.choose_model("browse-model")
    split = st.segmented_control(
        "Split", SPLITS, default="test", key="browse-split", on_change=_begin_anew, required=True
    )
try:
    shown = data.data_at_hand(catalog.config_of(name).data)
    with st.spinner("Reading every image"):
        table = models.get_predictions(name, shown, split or "test")
except LabError as error:
    st.error(str(error))
    st.stop()
words = "MNIST" if shown == "mnist" else config.SAMPLE_IN_WORDS
st.caption(f"The {len(table):,} {split} images of {words}, as {name} reads them.")
_overview(table)
_images(table, split or "test")
models.warm_up()
