"""Plotly figures as pages show them."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st


def plot(figure: go.Figure, key: str, alt: str, scroll_zoom: bool = False, **options: Any) -> None:
    """A figure without Plotly's bar of tools; `alt` is its text alternative, `options` are `st.plotly_chart`'s."""
    config = {"displayModeBar": False, "scrollZoom": scroll_zoom}
    st.plotly_chart(figure, key=key, config=config, alt=alt, **options)
