"""Search for good hyperparameters, and watch which of them matter."""

import streamlit as st

from mnist_core.errors import LabError
from pages.shared import data, models, searches
from pages.shared.runs import by_name

REFRESH = 2.0  # seconds between looks at a search that is led


def _show(name: str, led_before: bool) -> None:
    """The search as it stands; `led_before` says whether it was led when the rest of the page was made."""
    from pages.search_sections import found, machines

    try:
        search = searches.get_store().open(name)
        status, config, trials = search.status(), search.config(), search.trials()
        if (status.state == "running") != led_before:
            st.rerun()
        found.headline(search, status, config, trials)
        machines.show()
        found.pictures(search, status, config, trials)
        found.open_what_was_clicked()
    except LabError as error:
        st.error(by_name(error))


def _page() -> None:
    names = searches.get_store().names()
    shown = st.query_params.get("search") or st.session_state.get("search-shown") or (names[0] if names else None)
    if st.session_state.get("search-new"):
        shown = None
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.title("Search", width="content")
        if names:
            _choose(names, shown)
    data.offer_download()
    if shown is None:
        from pages.search_sections import begin

        begin.show(names)
        return
    st.session_state["search-shown"] = shown
    led = searches.get_store().open(shown).status().state == "running"
    st.fragment(_show, run_every=REFRESH if led else None)(shown, led)


def _choose(names: list[str], shown: str | None) -> None:
    """Which search is shown, and the way to a new one."""

    def chosen() -> None:
        st.session_state["search-new"] = False
        st.query_params["search"] = st.session_state["search-chosen"]

    st.session_state["search-chosen"] = shown if shown in names else None
    st.selectbox(
        "Search shown",
        names,
        key="search-chosen",
        on_change=chosen,
        placeholder="none",
        width=210,
        label_visibility="collapsed",
    )
    if shown is not None and st.button("New search", key="search-new-button", icon=":material/add:"):
        st.session_state["search-new"] = True
        st.query_params.clear()
        st.rerun()


try:
    _page()
except LabError as error:
    st.title("Search")
    st.info(by_name(error))
models.warm_up()
