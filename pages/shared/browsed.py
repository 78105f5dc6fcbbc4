"""What the Browse page shows: a model, images, those that the filters leave, and the large one, all in its address."""

import re

import streamlit as st

from mnist_core.errors import RunError
from mnist_core.reading import catalog
from mnist_core.reading.predictions import SORTS
from mnist_core.text import quoted, whole_number
from pages.shared import address

ANY = "any"
DIGIT_CHOICES = [ANY, *map(str, range(10))]
OUTCOMES = {ANY: None, "right": True, "wrong": False}
# Every filter's word in the address, with what it is where it chooses nothing.
FILTERS = {"true": ANY, "read": ANY, "outcome": ANY, "confidence": (0, 100), "sort": SORTS[0]}


def set_filters(true: str = ANY, read: str = ANY, outcome: str = ANY) -> None:
    """Show the images of that true digit that are read as that one, rightly or not, of any confidence."""
    values = {"true": true, "read": read, "outcome": outcome, "confidence": FILTERS["confidence"]}
    st.session_state.update({f"browse-{name}": value for name, value in values.items()})
    begin_anew()


def begin_anew() -> None:
    """Go to the first page of what the filters leave, with no image large."""
    st.session_state["browse-image"] = None
    st.session_state["browse-view"] = st.session_state.get("browse-view", 0) + 1


def follow_link() -> None:
    """Set the controls to what the address says, where that is another link than the one that was set here.

    Without a word in it about the filters it is the mistakes.
    """
    state = st.session_state
    words = address.to_follow("browse")
    if words is None and "browse-true" in state:
        return
    words = words or {}
    problems = []
    set_filters(outcome=ANY if FILTERS.keys() & words.keys() else "wrong")
    state["browse-sort"] = FILTERS["sort"]
    options = {"true": DIGIT_CHOICES, "read": DIGIT_CHOICES, "outcome": list(OUTCOMES), "sort": SORTS}
    for name, known in options.items():
        if (word := words.get(name)) in known:
            state[f"browse-{name}"] = word
        elif word:
            problems.append(f"The link's {name} is one of {', '.join(known)}, not {quoted(word)}.")
    if word := words.get("confidence"):
        ends = re.fullmatch(r"(\d{1,3})-(\d{1,3})", word, re.ASCII)
        low, high = map(int, ends.groups()) if ends else (1, 0)
        if low <= high <= 100:
            state["browse-confidence"] = low, high
        else:
            problems.append(f"The link's confidence is two percentages such as 20-80, not {quoted(word)}.")
    if model := words.get("model"):
        if model in _models():
            state["browse-model"] = model
        else:
            problems.append(f"There is no model {quoted(model)}.")
    if images := words.get("images"):
        state["browse-images"] = images  # the control knows which there are
    if word := words.get("image"):
        try:
            state["browse-image"] = whole_number(word)
        except ValueError:
            problems.append(f"The link's image is an image's number, not {quoted(word)}.")
    say(*problems)


def _models() -> list[str]:
    try:
        return catalog.names()
    except RunError:  # the model's control says why
        return catalog.shipped()


def say(*problems: str) -> None:
    """Have `say_problems` say that as well."""
    st.session_state["browse-problems"] = [*st.session_state.get("browse-problems", []), *problems]


def say_problems() -> None:
    """Say on the page, once, what of the choice is not to be had."""
    if problems := st.session_state.pop("browse-problems", None):
        st.warning(" ".join(problems))


def set_link() -> None:
    """Say in the address what is shown; the outcome always, and other filters where they choose something."""
    state = st.session_state
    words = {"model": state["browse-model"], "images": state["browse-images"], "outcome": state["browse-outcome"]}
    for name in ("true", "read", "sort"):
        if state[f"browse-{name}"] != FILTERS[name]:
            words[name] = state[f"browse-{name}"]
    low, high = state["browse-confidence"]
    if (low, high) != FILTERS["confidence"]:
        words["confidence"] = f"{low}-{high}"
    if state["browse-image"] is not None:
        words["image"] = str(state["browse-image"])
    address.put("browse", words)
