"""The network: all of it in one picture, lit by the image."""

from __future__ import annotations

import streamlit as st

from pages.shared import live_network, models
from pages.shared.inspected import Subject


def show(subject: Subject) -> None:
    program = models.get_program(subject.state[0])
    live_network.show(program, "inside-live", opened=subject.image, label=f"{subject.title}: read as")
    st.caption(
        "From the pixels on the left to the ten digits on the right: the brighter a unit, the larger its value. The "
        "lines are the connections that carry the answer."
    )
