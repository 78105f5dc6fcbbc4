"""Making sure that a page is run by streamlit_app.py."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def through_app() -> None:
    """Start over through streamlit_app.py where Streamlit has run the page by itself. The first thing on every page.

    It does that when a page's address is the first that a new server is asked for: until st.navigation is called, it
    takes the folder `pages` for an app of its older kind, which knows neither our layout nor our navigation.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False  # as st.navigation does
        st.rerun()
