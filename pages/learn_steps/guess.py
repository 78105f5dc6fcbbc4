"""A guess that is asked before a result is shown, and kept to be set beside it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.course.questions import QUESTIONS
from pages.learn_steps import progress


def ask(name: str, is_open: bool = True) -> bool:
    """The experiment's question, which can be answered as long as it `is_open`; whether it is answered."""
    question, key = QUESTIONS[name], f"learn-guess-{name}"
    st.session_state[key] = progress.guess(name)
    st.segmented_control(
        f"Your guess: {question.words}",
        range(len(question.options)),
        format_func=question.options.__getitem__,
        key=key,
        on_change=lambda: progress.set_guess(name, st.session_state[key]),
        disabled=not is_open,
    )
    return progress.guess(name) is not None


def judge(name: str, values: Sequence[float | None]) -> None:
    """Whether the guess was right, now that the `values` are measured. They are kept for the summary."""
    st.session_state["learn-measured"] = {**measured(), name: list(values)}
    question, guessed = QUESTIONS[name], progress.guess(name)
    if guessed is None:
        return
    answer = question.answer(values)
    if guessed == answer:
        st.badge(f"You guessed right: {question.options[answer]}", icon=":material/check:", color="green")
    else:
        words = f"You guessed {question.options[guessed]}. It is {question.options[answer]}."
        st.badge(words, icon=":material/lightbulb:", color="orange")


def measured() -> dict[str, list[float | None]]:
    """What this visitor has measured since the page was loaded, by the experiment's name."""
    return dict(st.session_state.get("learn-measured", {}))
