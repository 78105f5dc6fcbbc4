"""The table of all runs: filter it, sort it, and choose some of them."""

from typing import Any

import streamlit as st

from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row, matches

PERCENT = st.column_config.NumberColumn(format="%.2f %%")


def choose(rows: list[Row]) -> list[Row]:
    """The table with its filters; the rows that are chosen in it.

    The page's address holds the choice as `compare`, and makes it when it is opened.
    """
    if "runs-chosen" not in st.session_state:
        st.session_state["runs-chosen"] = [name for name in st.query_params.get("compare", "").split(",") if name]
    shown = _filtered(rows)
    ids = [row.run for row in shown]
    chosen = [row for row in rows if row.run in st.session_state["runs-chosen"]]
    key = f"runs-table-{hash(tuple(ids))}"  # a choice is by place in the list: it is made again when the list changes
    st.dataframe(
        [_cells(row) for row in shown],
        key=key,
        hide_index=True,
        on_select=lambda: _take_choice(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(row.run) for row in chosen if row.run in ids]}},
        column_config={
            "curve": st.column_config.LineChartColumn(width="small", help="Validation accuracy by epoch"),
            "best validation": PERCENT,
            "test": PERCENT,
            "parameters": st.column_config.NumberColumn(format="localized"),
            "seconds": st.column_config.NumberColumn(format="%.1f"),
            "images/s": st.column_config.NumberColumn(format="localized"),
            "run": st.column_config.TextColumn(pinned=True),
        },
        height=min(38 + 35 * max(1, len(shown)), 460),
        placeholder="",
        alt="All runs with what they reached",
    )
    if chosen:
        st.query_params["compare"] = ",".join(row.run for row in chosen)
    else:
        st.query_params.pop("compare", None)
    return chosen


def _take_choice(key: str, ids: list[str]) -> None:
    places = st.session_state[key]["selection"]["rows"]
    elsewhere = [name for name in st.session_state["runs-chosen"] if name not in ids]
    st.session_state["runs-chosen"] = elsewhere + [ids[place] for place in places if place < len(ids)]


def _filtered(rows: list[Row]) -> list[Row]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find",
            key="runs-find",
            type="search",
            live=True,
            placeholder="a name, cnn, lr 0.1 …",
            width=320,
            help="Runs that say this of themselves: name, note, group, state, network, what differs, device. With "
            "commas between, all of several.",
        )
        present = [state for state in RunState if any(row.state == state for row in rows)]
        states: Any = st.multiselect("State", present, key="runs-states", placeholder="any", width=320)
    return [row for row in rows if matches(row, words or "") and (not states or row.state in states)]


def _cells(row: Row) -> dict[str, Any]:
    if row.state is RunState.DAMAGED:
        return {"run": row.run, "state": row.state, "what differs": row.message}
    low, high = row.test_interval or (None, None)
    return {
        "run": row.title,
        "state": row.state,
        "what differs": row.differs,
        "curve": list(row.curve),
        "best validation": _percent(row.val_accuracy),
        "test": _percent(row.test_accuracy),
        "test, 95 % interval": f"{low:.2%} to {high:.2%}" if low is not None and high is not None else "",
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
