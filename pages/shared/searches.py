"""Searches as pages need them: this server's, what was found so far, and the way to a new one."""

import functools
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core.config import TrainConfig
from mnist_core.runs.run_store import RUNS
from mnist_core.search import settings
from pages.shared.runs import get_workers

if TYPE_CHECKING:
    from mnist_core.search.driver import Background
    from mnist_core.search.study import Search, SearchStore

RESHOWN = 3  # trials that have to end before it is said anew which setting matters


@functools.cache
def get_store() -> "SearchStore":
    """Raises SearchError where Optuna is not installed."""
    settings.require()
    from mnist_core.search.study import SearchStore

    return SearchStore(RUNS, settings.STORAGE)


@functools.cache
def get_background() -> "Background":
    from mnist_core.search.driver import Background

    return Background(get_workers())


def importances(search: "Search", ended: int, is_led: bool) -> dict[str, float]:
    """Which setting explains how much, by `ended` trials; looked at only now and then while more come in."""
    return _importances(search, ended // RESHOWN if is_led else -ended)


@functools.lru_cache(maxsize=32)
def _importances(search: "Search", _state: int) -> dict[str, float]:
    from mnist_core.search import results

    return results.importances(search)


def begin_from(config: TrainConfig) -> None:
    """Open the page of searches with a new one around that config."""
    st.session_state["search-base"] = config
    st.session_state["search-new"] = True
    st.switch_page("search.py")
