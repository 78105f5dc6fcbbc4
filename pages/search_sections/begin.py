"""A new search: what to vary, what counts, and when it ends."""

from typing import Any

import streamlit as st

from mnist_core.config import RULES, TrainConfig, label_of
from mnist_core.errors import ConfigError, LabError
from mnist_core.runs.summary import title_of
from mnist_core.search import settings, space
from mnist_core.search.settings import SearchConfig
from pages.shared import run_actions, searches
from pages.shared.markdown import plain
from pages.shared.runs import by_name


def show(names: list[str]) -> None:
    """The form; `names` are those of the searches that there are."""
    base: TrainConfig = st.session_state.get("search-base") or TrainConfig()
    st.caption("Trains many networks, each with other settings, and shows which settings matter.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Around **{plain(title_of(base))}**, {base.epochs} epochs each", width="content")
        if st.button("Change", key="search-change", icon=":material/tune:", type="tertiary"):
            run_actions.train_with_changes(base)
        start = st.container(width="content")
    fields = [name for name in base.fields if RULES[name].is_searchable]
    vary = st.multiselect(
        "Hyperparameters to vary",
        fields,
        default=[field for field in space.suggested(base) if field in fields],
        format_func=label_of,
        key=f"search-vary-{base.model}",
    )
    dimensions = _ranges(vary)
    limits = st.columns(4)
    trials = limits[0].number_input("Trials", 1, settings.MOST_TRIALS, 20, key="search-trials")
    minutes: Any = limits[1].number_input(
        "Minutes", 0.1, float(settings.MOST_MINUTES), None, step=1.0, key="search-minutes", placeholder="no limit"
    )
    goal: Any = limits[2].selectbox(
        "What counts", list(settings.GOALS), format_func=lambda one: settings.GOALS[one].label, key="search-goal"
    )
    name = limits[3].text_input("Name", value=_free(names), key=f"search-name-{len(names)}")
    with st.expander("How to search"):
        sampler: Any = st.radio(
            "What to try next", settings.SAMPLERS, captions=list(settings.SAMPLERS.values()), key="search-sampler"
        )
        pruner: Any = st.radio(
            "When to stop a trial early",
            settings.PRUNERS,
            captions=list(settings.PRUNERS.values()),
            key="search-pruner",
        )
    if not start.button("Start the search", key="search-start", type="primary", icon=":material/travel_explore:"):
        return
    if dimensions is None:
        return
    try:
        config = SearchConfig(base, dimensions, goal, int(trials), minutes, sampler, pruner)
        search = searches.get_store().create(name.strip(), config)
        searches.get_background().start(search)
    except LabError as error:
        st.error(by_name(error))
        return
    st.session_state["search-new"] = False
    st.query_params["search"] = search.name
    st.rerun()


def _ranges(fields: list[str]) -> space.Space | None:
    """What each field is varied over, None, with a message, where that cannot be."""
    dimensions: list[space.Dimension] = []
    columns = st.columns(min(4, max(2, len(fields))))
    problems = 0
    for index, field in enumerate(fields):
        with columns[index % len(columns)]:
            usual = _usual(field)
            text = st.text_input(
                label_of(field), value=usual, placeholder="LOW..HIGH, or values with commas", key=f"search-of-{field}"
            )
            try:
                dimensions.append(space.parse_dimension(f"{field}={text}" if text.strip() else field))
            except ConfigError as error:
                st.error(str(error))
                problems += 1
    return None if problems else tuple(dimensions)


def _usual(field: str) -> str:
    try:
        return str(space.parse_dimension(field)).partition("=")[2]
    except ConfigError:  # there is no usual range
        return ""


def _free(names: list[str]) -> str:
    return next(name for number in range(1, len(names) + 2) if (name := f"search-{number}") not in names)
