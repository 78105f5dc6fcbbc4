"""Ways from a step to the other pages, with the right things set there."""

from collections.abc import Iterable

import streamlit as st

from mnist_core.config import RULES, TrainConfig
from mnist_core.lesson import Lesson
from pages.shared import address

# Hyperparameters that a first course does not speak of.
ADVANCED = ("augment", "background", "dropout", "weight_decay", "label_smoothing", "precision")


def train(words: str, config: TrainConfig, free: Iterable[str], key: str) -> None:
    """A button to Train with that config, as a lesson: only the fields `free` can be changed there."""
    if st.button(words, key=key, icon=":material/tune:"):
        locked = tuple(name for name in RULES if name not in (*free, *ADVANCED))
        address.forget("train")
        st.switch_page("train.py", query_params=Lesson(config, locked, ADVANCED).to_query())


def inside(words: str, section: str, model: str, key: str, image: str = "0") -> None:
    """A button to a section of Inside, with that model and image."""
    if st.button(words, key=key, icon=":material/neurology:"):
        address.forget("inside")
        st.switch_page("inside.py", query_params={"section": section, "model": model, "image": image})


def browse(words: str, model: str, key: str) -> None:
    """A button to what the model reads wrong."""
    if st.button(words, key=key, icon=":material/grid_view:"):
        st.session_state["browse-model"] = model
        st.switch_page("browse.py")


def compare(words: str, runs: list[str], key: str) -> None:
    """A button to these runs side by side."""
    if st.button(words, key=key, icon=":material/compare_arrows:"):
        st.session_state["runs-chosen"] = runs
        st.switch_page("runs.py", query_params={"compare": ",".join(runs)})
