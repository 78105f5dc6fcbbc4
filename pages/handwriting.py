"""A visitor's own digits: written, kept, and taught to a network."""

import streamlit as st

from mnist_core.errors import LabError
from pages.handwriting_sections import keeping, paper, several, teach, write
from pages.shared import canvas, data, models, own
from pages.shared.markdown import plain

SECTIONS = ("Write", "From paper", "What is kept", "Several people")

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    st.title("Teach it your handwriting", width="content")
    section = st.segmented_control(
        "Section", SECTIONS, default="Write", key="own-section", label_visibility="collapsed", required=True
    )
    name = ""
    if section != "Several people":
        try:
            name = own.choose_set()
        except LabError as error:
            st.error(plain(str(error)))
            st.stop()
data.offer_download()
left, right = st.columns([canvas.SIZE, 690], gap="medium")
taught, judged_by = [name], list[str]()
with left:
    if section == "Write":
        st.fragment(write.show)(name)
    elif section == "From paper":
        paper.show(name)
    elif section == "What is kept":
        keeping.show(name)
    else:
        taught, judged_by = several.choose()
with right:
    model = teach.choose(taught, judged_by, "Teach it my handwriting" if name else "Teach it these sets")
    teach.show()
    if section == "Write":
        teach.answer(model)
models.warm_up()
