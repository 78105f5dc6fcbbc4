"""The app: `streamlit run streamlit_app.py`."""

import pathlib

import streamlit as st

st.set_page_config(page_title="Digit lab", page_icon=":material/draw:", layout="wide")
st.html(pathlib.Path(__file__).parent / "pages" / "shared" / "look.css")
st.navigation(
    [
        st.Page("pages/draw.py", title="Draw", icon=":material/draw:", default=True),
        st.Page("pages/handwriting.py", title="Handwriting", icon=":material/ink_pen:", url_path="handwriting"),
        st.Page("pages/learn.py", title="Learn", icon=":material/school:", url_path="learn"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:", url_path="train"),
        st.Page("pages/search.py", title="Search", icon=":material/travel_explore:", url_path="search"),
        st.Page("pages/browse.py", title="Browse", icon=":material/grid_view:", url_path="browse"),
        st.Page("pages/runs.py", title="Runs", icon=":material/compare_arrows:", url_path="runs"),
        st.Page("pages/inside.py", title="Inside", icon=":material/neurology:", url_path="inside"),
    ],
    position="top",
).run()
