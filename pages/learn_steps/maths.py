"""The formulas of a step, below its pictures."""

import streamlit as st


def show(*formulas: str, words: str = "") -> None:
    """Formulas in LaTeX, and `words` that explain them, in Markdown."""
    with st.expander("The maths", icon=":material/function:"):
        for formula in formulas:
            st.latex(formula)
        if words:
            st.markdown(words)
