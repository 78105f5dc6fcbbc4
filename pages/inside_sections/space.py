"""The space: all test images as the network sees them in the end, and the chosen image among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.figures import inside as inside_figures
from pages.shared import background_work, charts, hovered
from pages.shared import inspected as subjects
from pages.shared.inspected import Subject
from pages.shared.pictures import in_markdown

if TYPE_CHECKING:
    from mnist_core.inside.space import Floats, Space
    from mnist_core.reading.predictions import Indices

PCA, T_SNE = "PCA", "t-SNE"
NEAREST = 8  # images


def show(subject: Subject) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = st.segmented_control(
            "Map",
            [PCA, T_SNE],
            default=PCA,
            key="space-method",
            required=True,
            help="PCA keeps the two directions in which the images differ most, t-SNE who is near whom.",
        )
        st.markdown(
            "Each point is a test image where the network's last hidden layer puts it: what is near is alike to it. "
            "Crosses are read wrong. Point at one to see its image, click on it to look into it.",
            width="content",
        )

    def picture(found: Space) -> None:
        if method == PCA:
            _plane(subject, found)
        else:
            _t_sne(subject, found)

    background_work.show(subject, "space", lambda: _read(subject), "Reading the test images", picture)


def _read(subject: Subject) -> Iterator[tuple[float, Space | None]]:
    from mnist_core.inside import space

    return space.read(subject.model.network, subject.test.images)


def _plane(subject: Subject, found: Space) -> None:
    from mnist_core.inside import space

    chosen = space.mapped(subject.test.labels.numpy(), found.digits)
    features = space.features_of(subject.model.network, subject.image)
    _map(subject, found, chosen, found.plane.place(found.features[chosen]), found.plane.place(features[None])[0])
    st.caption(
        f"These two directions hold {sum(found.plane.shares):.0%} of how the images differ in "
        f"{found.features.shape[1]} dimensions."
    )


def _t_sne(subject: Subject, found: Space) -> None:
    from mnist_core.inside import space

    chosen = space.mapped(subject.test.labels.numpy(), found.digits)
    background_work.show(
        subject,
        "t-sne",
        lambda: space.t_sne(found.features[chosen]),
        "Placing the images",
        lambda places: _map(subject, found, chosen, places, None),
    )


def _map(subject: Subject, found: Space, chosen: Indices, places: Floats, yours: Floats | None) -> None:
    """The map of the `chosen` images at their `places`; `yours` is the place of the subject's, None to be found."""
    from mnist_core.inside import space

    features = space.features_of(subject.model.network, subject.image)
    nearest, distances = space.neighbours(found.features[chosen], features, NEAREST)
    if yours is None:
        yours = space.among(places[nearest], distances)
    labels = subject.test.labels.numpy()
    figure = inside_figures.space(places, labels[chosen], found.digits[chosen], chosen, yours.tolist(), places[nearest])
    left, right = st.columns([3, 2], gap="large")
    with left:
        charts.plot(
            figure,
            "space-map",
            f"{len(chosen):,} test images as points, those that the network finds alike near each other",
            scroll_zoom=True,
            on_select="rerun",
            selection_mode="points",
        )
        hovered.show("space-map", subject.test.images[chosen].numpy(), chosen)
    with right:
        _clicked(subject, found)
        st.caption(f"The nearest to this image among the {len(chosen):,} of the map, and how far they are:")
        with st.container(key="space-nearest", horizontal=True, gap="small"):
            for index, distance in zip(chosen[nearest].tolist(), distances.tolist(), strict=True):
                _small(subject, index, f"{labels[index]} at {distance:.1f}")


def _clicked(subject: Subject, found: Space) -> None:
    points = st.session_state["space-map"]["selection"]["points"]
    numbers = [int(point["customdata"]) for point in points if "customdata" in point]
    if not numbers:
        return
    index = numbers[0]
    true, read = int(subject.test.labels[index]), int(found.digits[index])
    with st.container(key="space-clicked", horizontal=True, vertical_alignment="center"):
        _small(subject, index, f"image {index}")
        st.markdown(f"Image {index}, a true {true}, read as {read}")
        if st.button("Look into it", key="space-open", on_click=subjects.open_test_image, args=(index,)):
            st.rerun()  # all of the page, not this part alone


def _small(subject: Subject, index: int, words: str) -> None:
    with st.container(width=84, gap=None, horizontal_alignment="center"):
        image, label = subject.test.images[index].numpy(), int(subject.test.labels[index])
        st.markdown(in_markdown(image, f"test image {index}, a true {label}", 3))
        st.caption(words)
