"""What can be done with runs: stop, resume, delete and bring back, train again with changes, start several."""

import contextlib
from collections.abc import Callable
from typing import Any

import streamlit as st

from mnist_core import teaching
from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import LabError
from mnist_core.runs import summary, sweep
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row
from pages.shared import address
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers


def buttons(rows: list[Row], on_its_page: bool = False) -> None:
    """Buttons for the chosen runs, one or several, or for the one whose page this is."""
    one = rows[0] if len(rows) == 1 and rows[0].state is not RunState.DAMAGED else None
    active = [row for row in rows if row.state.is_active]
    resumable = [row for row in rows if row.state is RunState.PAUSED or row.state.is_resumable]
    with st.container(horizontal=True, key="run-actions"):
        if not on_its_page and st.button("Open", key="runs-open", icon=":material/open_in_full:", disabled=not one):
            go_to(rows[0].run)
        if st.button("Train with changes", key="runs-change", icon=":material/tune:", disabled=not one) and one:
            train_with_changes(one.config)
        if on_its_page and one:
            start_several(one.config)
        st.button("Stop", key="runs-stop", icon=":material/stop:", disabled=not active, on_click=_stop, args=(active,))
        st.button(
            "Resume",
            key="runs-resume",
            icon=":material/resume:",
            disabled=not resumable,
            on_click=_resume,
            args=(resumable,),
        )
        with st.popover("Delete", key="runs-delete", icon=":material/delete:", disabled=not rows):
            what = plain(rows[0].title) if len(rows) == 1 else f"{len(rows)} runs"
            st.markdown(f"Delete **{what}**? For a day it can be brought back here.")
            st.button("Delete", key="runs-delete-now", type="primary", on_click=_delete, args=(rows,))


def go_to(run_id: str | None) -> None:
    """Open the run's page, or the list of all with None."""
    st.query_params.clear()
    if run_id:
        st.query_params["run"] = run_id
    st.rerun()


def train_with_changes(config: TrainConfig) -> None:
    """Open Train with that config in its controls."""
    address.forget("train")
    st.switch_page("train.py", query_params=config.to_query())


def _stop(rows: list[Row]) -> None:
    _for_each(rows, get_workers().stop)


def _resume(rows: list[Row]) -> None:
    _for_each(rows, get_workers().resume)


def _delete(rows: list[Row]) -> None:
    _for_each(rows, Run.delete)
    with contextlib.suppress(LabError):  # what cannot be removed now may be later
        RUNS.empty_trash()
    st.query_params.pop("run", None)
    st.query_params.pop("compare", None)
    st.session_state["runs-chosen"] = []


def _for_each(rows: list[Row], action: Callable[[Run], None]) -> None:
    for row in rows:
        try:
            action(RUNS.open(row.run))
        except LabError as error:
            st.toast(by_name(error), icon=":material/error:")


def offer_undo() -> None:
    """What was deleted a while ago, to bring it back."""
    try:
        deleted = RUNS.deleted()
    except LabError as error:
        st.error(by_name(error))
        return
    if not deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="deleted"):
        newest = deleted[0]
        st.caption("One run was deleted." if len(deleted) == 1 else f"{len(deleted)} runs were deleted.")
        if st.button("Undo", key="runs-undo", icon=":material/undo:"):
            try:
                RUNS.restore(newest)
            except LabError as error:
                st.error(by_name(error))
            else:
                st.rerun()


def start_several(config: TrainConfig) -> None:
    """Start a group of runs from the config: with several seeds, or with several values of one hyperparameter."""
    with st.popover("Start several", key="start-several", icon=":material/stacks:"):
        seeds, vary = st.tabs(["Repeat with seeds", "Vary one hyperparameter"])
        with seeds, st.form("repeat", border=False, enter_to_submit=False):
            count: Any = st.number_input("Seeds", 2, sweep.MOST, 3, help=f"From seed {config.seed} on.")
            if st.form_submit_button("Start", key="repeat-start", type="primary"):
                _start(lambda: sweep.repeats(config, count), f"{count} seeds")
        with vary, st.form("vary", border=False, enter_to_submit=False):
            field: Any = st.selectbox("Hyperparameter", [*RULES], index=[*RULES].index("lr"), key="vary-field")
            text: Any = st.text_input(
                "Values", placeholder="0.01, 0.03, 0.1", key="vary-values", help="With commas between."
            )
            if st.form_submit_button("Start", key="vary-start", type="primary"):
                _start(lambda: sweep.variations(config, field, text), f"{field}: {text}")
        st.caption("They wait in line and are trained one after the other; the Runs page compares them.")


def _start(make: Callable[[], list[TrainConfig]], title: str) -> None:
    try:
        made = sweep.create(make(), title, teaching.create_run)
        for run in made:
            get_workers().submit(run)
    except LabError as error:
        st.error(by_name(error))
        return
    st.session_state["runs-chosen"] = [run.id for run in made]
    st.switch_page("runs.py", query_params={"compare": ",".join(run.id for run in made)})


def offer_import() -> None:
    """Take in a run from a file."""
    from mnist_core.exchange import run_archive

    with st.popover("Import", key="runs-import", icon=":material/upload:"):
        st.caption("A run's zip, or safetensors together with the card that was written beside it.")
        most = run_archive.MOST_PACKED // 2**20
        files = st.file_uploader(
            f"Files, at most {most} MB",
            ["zip", "safetensors", "json"],
            accept_multiple_files=True,
            max_upload_size=most,
            key=f"runs-upload-{st.session_state.setdefault('runs-uploads', 0)}",
        )
        st.button("Import", key="runs-import-now", type="primary", disabled=not files, on_click=_take_in, args=(files,))
        for problem in st.session_state.get("runs-import-problems", []):
            st.error(problem)


def _take_in(files: list[Any]) -> None:
    """Import what was uploaded: each file that is no card, with the card of its name. Empties the control."""
    from mnist_core.exchange import run_archive

    cards = {file.name.removesuffix(".json"): file for file in files if file.name.endswith(".json")}
    problems = []
    if len(cards) == len(files):
        problems.append("A card alone is no model: choose the safetensors that it belongs to as well.")
    for file in files:
        if file.name.endswith(".json"):
            continue
        try:
            made = run_archive.import_run(file, card=cards.get(file.name.removesuffix(".safetensors")))
        except LabError as error:
            problems.append(by_name(error))
        else:
            st.toast(f"Imported as {plain(summary.row(made).title)}.")
    st.session_state["runs-import-problems"] = problems
    st.session_state["runs-uploads"] += 1  # a new control, which is empty
