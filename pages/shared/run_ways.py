"""Where to go on with a run: draw with it, browse its mistakes, look inside, take it along."""

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.summary import Row
from pages.shared import downloads
from pages.shared.runs import by_name

# The page, what is done there, and an icon.
PAGES = (
    ("draw", "Draw with it", ":material/draw:"),
    ("browse", "Browse its mistakes", ":material/grid_view:"),
    ("inside", "Look inside", ":material/neurology:"),
)


def show(summary: Row) -> None:
    """Buttons to each of these, as soon as the run has weights."""
    try:
        run = RUNS.open(summary.run)
    except LabError as error:  # it has just been deleted
        st.error(by_name(error))
        return
    if not run.weights.exists():
        return
    with st.container(horizontal=True, key="run-ways"):
        for page, words, icon in PAGES:
            if st.button(words, key=f"runs-to-{page}", icon=icon):
                st.session_state[f"{page}-model"] = run.id
                st.switch_page(f"{page}.py")
        with st.popover("Take it along", key="runs-take", icon=":material/package_2:"):
            downloads.show(run, summary)
