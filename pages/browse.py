"""All images of a data set with a model's predictions: what it mixes up, and each image that it gets wrong."""

import dataclasses
from typing import Any

import numpy as np
import streamlit as st

from mnist_core import config, metrics
from mnist_core.errors import LabError
from mnist_core.figures import predictions as prediction_figures
from mnist_core.own_digits.digit_store import DIGITS
from mnist_core.reading import catalog
from mnist_core.reading.predictions import SORTS, Indices, Predictions
from mnist_core.text import quoted
from pages.shared import answers, browsed, canvas, charts, data, models, strangers
from pages.shared.markdown import plain
from pages.shared.pictures import enlarged, in_markdown
from pages.shared.runs import by_name, titles

A_PAGE = 24  # images
ALIKE = 6  # images shown beside one
MIXED_UP = 5  # pairs of digits that are named
SPLITS = {"test": "test", "validation": "validation", "train": "training"}
OWN = "own/"  # before the name of a set of own digits


def _choose_images(kind: str) -> str:
    """A control for what is read: a split of the model's data, or a set of own digits behind OWN."""
    options = [*SPLITS]
    try:
        options += [OWN + one.name for one in DIGITS.sets()]
    except LabError as error:  # the splits are there all the same
        st.caption(by_name(error))
    linked = st.session_state.get("browse-images")
    if linked not in options:  # a set that was deleted, or the first visit
        if linked:
            browsed.say(f"There are no images {quoted(linked)}; there are {', '.join(options)}.")
        st.session_state["browse-images"] = options[0]
    name = "MNIST" if kind == "mnist" else "Sample"
    return str(
        st.selectbox(
            "Images",
            options,
            key="browse-images",
            format_func=lambda option: (
                f"{name}, {SPLITS[option]}" if option in SPLITS else f"Own digits: {option.removeprefix(OWN)}"
            ),
            on_change=browsed.begin_anew,
            persist_state="session",
            help="The test images are the ones that no training has seen. Own digits are kept on Handwriting.",
            width=260,
        )
    )


def _overview(table: Predictions, name: str, images: str, kind: str) -> None:
    """How well the images are read, in a sentence, and what is taken for what."""
    right = int(table.right.sum())
    low, high = metrics.interval(right, len(table))
    if images in SPLITS:
        what = f"{images} images of {'MNIST' if kind == 'mnist' else config.SAMPLE_IN_WORDS}"
    else:
        what = f"digits of {plain(images.removeprefix(OWN))}"
    st.markdown(
        f"{plain(titles().get(name, name))} reads **{right / len(table):.2%}** of the {len(table):,} {what} right "
        f"(95 % interval {low:.2%} to {high:.2%}), **{len(table) - right:,}** wrong."
    )
    pairs = metrics.mix_ups(metrics.confusion_matrix(table.labels, table.digits))[:MIXED_UP]
    if not pairs:
        return
    with st.container(key="mix-ups", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("What it mixes up:", width="content")
        for true, read, count in pairs:
            times = "once" if count == 1 else f"{count:,} times"
            st.button(
                f"{true} read as {read}: {times}",
                key=f"mix-up-{true}-{read}",
                type="tertiary",
                on_click=browsed.set_filters,
                args=(str(true), str(read)),
            )
        st.button(
            "All mistakes",
            key="all-mistakes",
            type="tertiary",
            on_click=browsed.set_filters,
            kwargs={"outcome": "wrong"},
        )


def _matrix(table: Predictions) -> None:
    """How often each digit was read as which; the cell, row or column that the filters choose is outlined."""
    outlined = _digit(st.session_state["browse-true"]), _digit(st.session_state["browse-read"])
    key = f"confusion-chart-{outlined}"  # a chart of its own, in which nothing is selected
    with st.container(key="confusion"):
        charts.plot(
            prediction_figures.confusion(
                metrics.confusion_matrix(table.labels, table.digits), charts.ink(), outlined, height=430
            ),
            key,
            "How often each digit was read as which. A click on a cell shows its images.",
            on_select=lambda: _take_cell(key),
            selection_mode="points",
        )
    with st.expander("Digit by digit"):
        st.caption("Precision: how many of the images read as a digit are one. Recall: how many of a digit are read.")
        st.dataframe(
            [dataclasses.asdict(one) for one in metrics.per_class(table.labels, table.digits)],
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="percent") for name in ("precision", "recall", "f1")
            },
            height="content",
            alt="Precision and recall of each digit",
        )


def _take_cell(key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        browsed.set_filters(true=str(points[0]["y"]), read=str(points[0]["x"]))


def _filters(table: Predictions) -> Indices:
    """The controls that choose and sort; the images they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        true = st.selectbox(
            "True digit", browsed.DIGIT_CHOICES, key="browse-true", on_change=browsed.begin_anew, width=96
        )
        read = st.selectbox("Read as", browsed.DIGIT_CHOICES, key="browse-read", on_change=browsed.begin_anew, width=96)
        outcome = st.segmented_control(
            "Read", list(browsed.OUTCOMES), key="browse-outcome", on_change=browsed.begin_anew, required=True
        )
        with st.popover("More", key="browse-more", icon=":material/tune:"):
            confidence: Any = st.slider("Confidence (%)", 0, 100, key="browse-confidence", on_change=browsed.begin_anew)
            sort: Any = st.selectbox(
                "Sort by",
                SORTS,
                key="browse-sort",
                on_change=browsed.begin_anew,
                help="loss: the worst mistakes first; confidence: the least sure first; index: as in the data set.",
            )
    return table.select(
        true=_digit(true),
        read=_digit(read),
        right=browsed.OUTCOMES[outcome or browsed.ANY],
        confidence=(confidence[0] / 100, confidence[1] / 100),
        sort=sort,
    )


def _digit(choice: str | None) -> int | None:
    return None if choice in (browsed.ANY, None) else int(str(choice))


def _gallery(table: Predictions, chosen: Indices) -> None:
    if not len(chosen):
        st.info("No image is left by these filters.", icon=":material/filter_alt:")
        st.button("Show all images", key="browse-all", on_click=browsed.set_filters)
        return
    st.caption(f"{len(chosen):,} of {len(table):,} images. Click on one to see it large.")
    gallery = st.container(key="gallery", horizontal=True, gap="small")
    pages = -(-len(chosen) // A_PAGE)
    page = st.pagination(pages, key=f"browse-page-{st.session_state['browse-view']}") if pages > 1 else 1
    with gallery:
        for index in chosen[(page - 1) * A_PAGE : page * A_PAGE].tolist():
            digit = table.digits[index]
            words = f"{digit}" if table.right[index] else f":red[**{table.labels[index]} → {digit}**]"
            _small(table, index, f"{words} {table.confidence[index]:.0%}", "image")


def _small(table: Predictions, index: int, words: str, kind: str) -> None:
    """An image as one of many: a button that shows it large."""
    picture = in_markdown(table.images[index], f"image {index}, a true {table.labels[index]}", 3)
    st.button(f"{picture} {words}", key=f"{kind}-{index}", type="tertiary", on_click=_open, args=(index,))


def _open(index: int | None) -> None:
    st.session_state["browse-image"] = index


def _large(table: Predictions, index: int, chosen: Indices, images: str) -> None:
    """One image, what is read in it, and others that leave the model in the same doubt."""
    where = f"{images.capitalize()} image {index}" if images in SPLITS else f"Image {index} of {images[len(OWN) :]}"
    title = f"{where}, a true {table.labels[index]}"
    place = np.flatnonzero(chosen == index)
    before, after = (int(place[0]) - 1, int(place[0]) + 1) if len(place) else (-1, len(chosen))
    with st.container(border=True, key="large"):
        with st.container(horizontal=True):
            st.button(
                "Previous",
                key="large-previous",
                on_click=_open,
                args=(_at(chosen, before),),
                disabled=before < 0,
                shortcut="Left",
            )
            st.button(
                "Next",
                key="large-next",
                on_click=_open,
                args=(_at(chosen, after),),
                disabled=after >= len(chosen),
                shortcut="Right",
            )
            if st.button("Open in Draw", icon=":material/draw:", key="open-in-draw"):
                canvas.open_image(table.images[index], title)
                st.switch_page("draw.py")
            st.button("Close", on_click=_open, args=(None,), key="large-close", shortcut="Esc")
        picture, bars = st.columns([1, 2])
        with picture:
            st.image(enlarged(table.images[index], 7), alt=title)
        with bars:
            answers.verdict(table, index, title, "large-probabilities")
        st.caption("In the same doubt: the images whose probabilities are most like these.")
        with st.container(key="gallery-alike", horizontal=True, gap="small"):
            for other in table.alike(index, ALIKE).tolist():
                _small(table, other, f"{table.labels[other]} → {table.digits[other]}", "alike")


def _at(chosen: Indices, place: int) -> int | None:
    return int(chosen[place]) if 0 <= place < len(chosen) else None


@st.fragment
def _look(table: Predictions, name: str, images: str, kind: str) -> None:
    """The matrix, and beside it the images that it and the filters choose."""
    _overview(table, name, images, kind)
    matrix, beside = st.columns([9, 11], gap="medium")
    with matrix:
        _matrix(table)
    with beside:
        chosen = _filters(table)
        index = st.session_state["browse-image"]
        if index is not None and index >= len(table):
            browsed.say(f"There is no image {index}; there are {len(table):,}, from 0.")
            index = st.session_state["browse-image"] = None
        browsed.say_problems()
        if index is not None:
            _large(table, index, chosen, images)
        _gallery(table, chosen)
    browsed.set_link()


browsed.follow_link()
if misread := st.session_state.pop("browse-go-to", None):  # from Draw: what else is taken for that digit
    browsed.set_filters(read=misread, outcome="wrong")
head = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
head.title("Browse the images", width="content")
data.offer_download()
try:
    with head:
        with st.container(width=320):
            name = models.choose_model("browse-model")
        kind = data.data_at_hand(catalog.config_of(name).data)
        images = _choose_images(kind)
    with st.spinner("Reading every image"):
        if images in SPLITS:
            table = models.get_predictions(name, kind, images)
        else:
            table = models.get_own_predictions(name, images.removeprefix(OWN))
except LabError as error:
    st.error(by_name(error))
    st.stop()
_look(table, name, images, kind)
with st.expander("How well do the shipped models read strangers?", key="browse-strangers"):
    strangers.show()
models.warm_up()
