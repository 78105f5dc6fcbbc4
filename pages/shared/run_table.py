"""The table of all runs: filter it, sort it, and choose some of them by a click."""

from typing import Any

import streamlit as st

from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row, matches
from pages.shared.runs import named

PERCENT = st.column_config.NumberColumn(format="%.2f %%")


def choose(rows: list[Row], shown: list[Row]) -> list[Row]:
    """The table of the rows that are `shown`, and a list of what is chosen; those of all `rows` that are.

    The page's address holds the choice as `compare`, and makes it when it is opened.
    """
    if "runs-chosen" not in st.session_state:
        st.session_state["runs-chosen"] = [name for name in st.query_params.get("compare", "").split(",") if name]
    ids = [row.run for row in shown]
    called = {row.run: row.title for row in rows}
    st.session_state["runs-chosen"] = [name for name in st.session_state["runs-chosen"] if name in called]
    chosen = [row for row in rows if row.run in st.session_state["runs-chosen"]]
    key = f"runs-table-{hash(tuple(ids))}"  # a choice is by place in the list: it is made again when the list changes
    st.dataframe(
        [_cells(row) for row in shown],
        key=key,
        hide_index=True,
        on_select=lambda: _take_choice(key, ids),
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": sorted(_places(ids))}},
        column_config={
            "curve": st.column_config.LineChartColumn(
                width="small", help="Validation accuracy by epoch, from 0 to 100 %", y_min=0, y_max=100
            ),
            "best validation": PERCENT,
            "test": PERCENT,
            "parameters": st.column_config.NumberColumn(format="localized"),
            "seconds": st.column_config.NumberColumn(format="%.1f"),
            "images/s": st.column_config.NumberColumn(format="localized"),
            "run": st.column_config.TextColumn(pinned=True, width=280),
        },
        height=min(38 + 35 * max(1, len(shown)), 560),
        placeholder="",
        alt="All runs with what they reached",
    )
    # the same choice for those who have no mouse
    st.multiselect(
        "Chosen runs",
        list(called),
        key="runs-chosen",
        format_func=lambda name: called.get(name, name),
        placeholder="Chosen runs",
        label_visibility="collapsed",
        on_change=lambda: _mark(key, _places(ids)),
        persist_state="session",
    )
    if chosen:
        st.query_params["compare"] = ",".join(row.run for row in chosen)
    else:
        st.query_params.pop("compare", None)
    return chosen


def _take_choice(key: str, ids: list[str]) -> None:
    selection = st.session_state[key]["selection"]
    if selection["cells"]:  # a click anywhere in a row counts as one on its box
        # from what is chosen here: a quick second click comes before the browser has heard of the first
        places = _places(ids) ^ {place for place, _ in selection["cells"]}
        _mark(key, places)
    else:
        places = set(selection["rows"])
    elsewhere = [name for name in st.session_state["runs-chosen"] if name not in ids]
    st.session_state["runs-chosen"] = elsewhere + [ids[place] for place in sorted(places) if place < len(ids)]


def _places(ids: list[str]) -> set[int]:
    """Where what is chosen stands among the rows of the table."""
    return {place for place, name in enumerate(ids) if name in st.session_state["runs-chosen"]}


def _mark(key: str, places: set[int]) -> None:
    """Have the table show these rows as chosen, and no cell."""
    st.session_state[key] = {"selection": {"rows": sorted(places), "columns": [], "cells": []}}


def filtered(rows: list[Row]) -> list[Row]:
    """The rows that the visitor looks for, by words and by state."""
    words = st.text_input(
        "Find",
        key="runs-find",
        type="search",
        live=True,
        placeholder="Find: a name, cnn, lr 0.1 …",
        width=260,
        label_visibility="collapsed",
        help="In name, note, group, state, network, what differs and device. With commas between, all of several.",
    )
    present = [state for state in RunState if any(row.state == state for row in rows)]
    states: Any = st.multiselect(
        "State", present, key="runs-states", placeholder="Any state", width=220, label_visibility="collapsed"
    )
    return [row for row in rows if matches(row, words or "") and (not states or row.state in states)]


def _cells(row: Row) -> dict[str, Any]:
    if row.state is RunState.DAMAGED:
        return {"run": row.title, "state": row.state, "what differs": named(row.message), "id": row.run}
    low, high = row.test_interval or (None, None)
    return {
        "run": row.title,
        "curve": [100 * share for share in row.curve],
        "test": _percent(row.test_accuracy),
        "state": row.state,
        "best validation": _percent(row.val_accuracy),
        "test, 95 % interval": f"{low:.2%} to {high:.2%}" if low is not None and high is not None else "",
        "what differs": row.differs,
        "epochs": f"{row.epochs} of {row.config.epochs}",
        "parameters": row.parameters,
        "seconds": row.seconds,
        "images/s": round(row.images_per_s) if row.images_per_s else None,
        "network": row.config.model,
        "device": row.device,
        "data": row.config.data,
        "seed": row.config.seed,
        "group": row.group,
        "note": row.note,
        "id": row.run,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
