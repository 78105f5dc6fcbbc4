"""Making sure that a page is run by streamlit_app.py."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

PASSED = "through_app"  # in the session's state, once a run of it has come through streamlit_app.py


def note_app() -> None:
    """Note that this run comes through streamlit_app.py."""
    st.session_state[PASSED] = True


def through_app() -> None:
    """Start over through streamlit_app.py where Streamlit has run the page by itself. The first thing on every page.

    It does that when pages' addresses are the first that a new server is asked for: until st.navigation is called, it
    takes the folder `pages` for an app of its older kind, which knows neither our layout nor our navigation.
    """
    if PASSED not in st.session_state:
        PagesManager.uses_pages_directory = False  # as st.navigation does
        st.rerun()
