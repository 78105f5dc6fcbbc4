"""The app: `streamlit run streamlit_app.py`."""

import pathlib

import streamlit as st

from pages.shared.entry import note_app

HERE = pathlib.Path(__file__).parent
PAGES = [
    st.Page("pages/draw.py", title="Draw", icon=":material/draw:", default=True),
    st.Page("pages/handwriting.py", title="Handwriting", icon=":material/ink_pen:", url_path="handwriting"),
    st.Page("pages/learn.py", title="Learn", icon=":material/school:", url_path="learn"),
    st.Page("pages/train.py", title="Train", icon=":material/model_training:", url_path="train"),
    st.Page("pages/search.py", title="Search", icon=":material/travel_explore:", url_path="search"),
    st.Page("pages/browse.py", title="Browse", icon=":material/grid_view:", url_path="browse"),
    st.Page("pages/runs.py", title="Runs", icon=":material/compare_arrows:", url_path="runs"),
    st.Page("pages/inside.py", title="Inside", icon=":material/neurology:", url_path="inside"),
]

note_app()
# The icon is a file: a browser would ask a font server for one of Streamlit's names
st.set_page_config(page_title="Digit lab", page_icon=HERE / "images" / "icon.png", layout="wide")
st.html(HERE / "pages" / "shared" / "look.css")
page = st.navigation(PAGES, position="top")
with st.container(key="phone-navigation", horizontal=True):  # look.css shows it where the one at the top has no room
    for link in PAGES:
        st.page_link(link)
page.run()
