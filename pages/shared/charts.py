"""Plotly figures as pages show them."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from mnist_core.figures.style import INK


def ink() -> str:
    """The colour of text in the theme that the visitor sees."""
    return INK["dark" if st.context.theme.type == "dark" else "light"]


def plot(figure: go.Figure, key: str, alt: str, scroll_zoom: bool = False, **options: Any) -> None:
    """A figure without Plotly's bar of tools; `alt` is its text alternative, `options` are `st.plotly_chart`'s."""
    config = {"displayModeBar": False, "scrollZoom": scroll_zoom}
    st.plotly_chart(figure, key=key, config=config, alt=alt, **options)
