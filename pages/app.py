"""The app's layout and its pages; streamlit_app.py serves it."""

import pathlib

import streamlit as st

HERE = pathlib.Path(__file__).parent
PAGES = [
    st.Page("draw.py", title="Draw", icon=":material/draw:", default=True),
    st.Page("handwriting.py", title="Handwriting", icon=":material/ink_pen:", url_path="handwriting"),
    st.Page("learn.py", title="Learn", icon=":material/school:", url_path="learn"),
    st.Page("train.py", title="Train", icon=":material/model_training:", url_path="train"),
    st.Page("search.py", title="Search", icon=":material/travel_explore:", url_path="search"),
    st.Page("browse.py", title="Browse", icon=":material/grid_view:", url_path="browse"),
    st.Page("runs.py", title="Runs", icon=":material/compare_arrows:", url_path="runs"),
    st.Page("inside.py", title="Inside", icon=":material/neurology:", url_path="inside"),
]

# The icon is a file: a browser would ask a font server for one of Streamlit's names
st.set_page_config(page_title="Digit lab", page_icon=HERE.parent / "images" / "icon.png", layout="wide")
st.html(HERE / "shared" / "look.css")
page = st.navigation(PAGES, position="top")
with st.container(key="phone-navigation", horizontal=True):  # look.css shows it where the one at the top has no room
    for link in PAGES:
        st.page_link(link)
page.run()
