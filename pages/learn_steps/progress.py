"""Where a visitor is in the course, what has been done, guessed and trained, kept in the page's address."""

import streamlit as st

from mnist_core.course.questions import QUESTIONS
from mnist_core.errors import DrawingError
from mnist_core.runs.run_store import is_id
from mnist_core.text import shorten
from pages.learn_steps import carried
from pages.shared import address

MOST_RUNS = 50  # that a link may name


def follow_link(steps: int) -> None:
    """Go to the step that the address names, with what it says is done, guessed and trained and the digit it holds.

    Only where it is another link than the one that was set here.
    """
    state = st.session_state
    state.setdefault("learn-now", 1)
    state.setdefault("learn-done", set())
    state.setdefault("learn-runs", [])
    state.setdefault("learn-guesses", {})
    words = address.to_follow("learn")
    if words is None:
        return
    problems = []
    numbers = [str(number) for number in range(1, steps + 1)]
    if wrong := [word for word in [words.get("step", "1"), *_list(words, "done")] if word not in numbers]:
        problems.append(f"There is no step {_named(wrong)}; there are 1 to {steps}.")
    if words.get("step") in numbers:
        state["learn-now"] = int(words["step"])
    state["learn-done"] |= {int(word) for word in _list(words, "done") if word in numbers}
    named = _list(words, "runs")[:MOST_RUNS]
    if wrong := [word for word in named if not is_id(word)]:
        problems.append(f"No run is called {_named(wrong)}.")
    state["learn-runs"] += [word for word in named if is_id(word) and word not in state["learn-runs"]]
    found = {word: _guess(word) for word in _list(words, "guesses")}
    if wrong := [word for word, option in found.items() if not option]:
        problems.append(f"There is no guess {_named(wrong)}.")
    state["learn-guesses"] |= dict(option for option in found.values() if option)
    try:
        carried.follow_link(words)
    except DrawingError as error:
        problems.append(str(error))
    state["learn-problem"] = " ".join(problems)


def set_link() -> None:
    """Say in the address where the visitor is, what is done, guessed and trained, and which digit goes along."""
    words = {"step": str(now())}
    if done():
        words["done"] = ",".join(map(str, sorted(done())))
    if runs():
        words["runs"] = ",".join(runs())
    if guesses():
        words["guesses"] = ",".join(f"{name}.{option}" for name, option in guesses().items())
    address.put("learn", words | carried.in_link())


def say_problem() -> None:
    """Say what could not be used of the address."""
    if problem := st.session_state.pop("learn-problem", None):
        st.warning(problem)


def now() -> int:
    """The step that is shown, from 1."""
    number: int = st.session_state["learn-now"]
    return number


def done() -> frozenset[int]:
    """The steps that are done."""
    return frozenset(st.session_state["learn-done"])


def mark() -> None:
    """The step that is shown is done."""
    st.session_state["learn-done"].add(now())


def guess(name: str) -> int | None:
    """The number of the option that the visitor has guessed in that experiment, from 0."""
    option: int | None = st.session_state["learn-guesses"].get(name)
    return option


def guesses() -> dict[str, int]:
    """All that was guessed, by the experiment's name."""
    return dict(st.session_state["learn-guesses"])


def set_guess(name: str, option: int | None) -> None:
    others = {known: given for known, given in guesses().items() if known != name}
    st.session_state["learn-guesses"] = others if option is None else {**others, name: option}


def runs() -> tuple[str, ...]:
    """The ids of the runs that this visitor has started."""
    return tuple(st.session_state["learn-runs"])


def replace_runs(old: list[str], new: list[str]) -> None:
    """The runs `new` were started, and take the place of the `old` ones."""
    st.session_state["learn-runs"] = [*(run for run in runs() if run not in old), *new]


def go(step: int) -> None:
    st.session_state["learn-now"] = step


def go_on() -> None:
    """The step that is shown is done; to the next one."""
    mark()
    go(now() + 1)


def start_over() -> None:
    """Back to the first step: nothing is done, and no result is shown. The runs stay on Runs."""
    state = st.session_state
    state["learn-done"], state["learn-runs"], state["learn-guesses"], state["learn-measured"] = set(), [], {}, {}
    state["learn-speed"] = 0
    go(1)


def _list(words: dict[str, str], name: str) -> list[str]:
    return [word for word in words.get(name, "").split(",") if word]


def _guess(word: str) -> tuple[str, int] | None:
    """The experiment and the option that a word of a link means; None for one that means none."""
    name, _, option = word.partition(".")
    options = range(len(QUESTIONS[name].options)) if name in QUESTIONS else ()
    return next(((name, number) for number in options if str(number) == option), None)


def _named(wrong: list[str]) -> str:
    return shorten(", ".join(map(repr, wrong)), 200)
