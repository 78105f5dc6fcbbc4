"""A search as it stands: the best so far, each trial's curve, and which setting matters."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from mnist_core import teaching
from mnist_core.config import label_of
from mnist_core.errors import LabError
from mnist_core.figures import search as figures
from mnist_core.runs import sweep
from mnist_core.runs.run_store import RUNS
from mnist_core.search import results
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import Search, Status, Trial
from pages.shared import charts, run_actions, searches
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers, named, titles

SEEDS = 3  # that the best is trained with, to tell its settings from luck


def headline(search: Search, status: Status, config: SearchConfig, trials: Sequence[Trial]) -> None:
    """How far the search is, what it has found, and what can be done with it."""
    ended = [trial for trial in trials if trial.state != "running"]
    best = results.best(trials, config.kind)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="search-headline"):
        with st.container(width="content"):
            if best and best[0].value is not None:
                st.metric("Best " + config.kind.label.split(" against ")[0], f"{best[0].value:.2%}", width="content")
        of = f" of {config.trials}" if config.trials else ""
        kept = results.saved(search)
        saved = f", {1 - kept.trained / kept.whole:.0%} of the epochs saved" if kept.whole > kept.trained else ""
        text = f"**{len(ended)}{of} trials**{saved}, {status.seconds:,.0f} s"
        st.markdown(text, width="content")
        led = status.state == "running"
        if led and st.button("Stop", key="search-stop", icon=":material/stop:"):
            search.request_stop()
        if status.is_resumable and st.button("Go on", key="search-resume", type="primary", icon=":material/resume:"):
            searches.get_background().start(search)
            st.rerun(scope="app")
        if best:
            _go_on_with(search, best[0])
    if status.message:
        st.caption(plain(named(status.message)))


def _go_on_with(search: Search, best: Trial) -> None:
    if st.button(f"Train the best with {SEEDS} seeds", key="search-seeds", icon=":material/stacks:"):
        config = RUNS.open(best.run).config()
        made = sweep.create(sweep.repeats(config, SEEDS), f"Best of {search.name}", teaching.create_run)
        for run in made:
            get_workers().submit(run)
        st.session_state["runs-chosen"] = [run.id for run in made]
        st.switch_page("runs.py", query_params={"compare": ",".join(run.id for run in made)})
    if st.button("Start from it", key="search-from", icon=":material/tune:"):
        run_actions.train_with_changes(RUNS.open(best.run).config())


def pictures(search: Search, status: Status, config: SearchConfig, trials: Sequence[Trial]) -> None:
    """What was tried and what came of it, each picture with the number of trials that it stands on."""
    with_figure = [trial for trial in trials if trial.value is not None]
    best = results.best(trials, config.kind)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if config.kind.is_single:
            _curves(trials, best)
        else:
            _front(trials, best, config)
    with right:
        _importances(search, status, trials, len(with_figure))
    if not with_figure:
        return
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key="search-wide"):
        _parallel(config, with_figure)
    with right:
        if config.kind.is_single:
            _history(trials)
        else:
            _contour(config, trials)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        if config.kind.is_single:
            _contour(config, trials)
    with right:
        st.markdown("##### All trials")
        with st.container(key="search-trials"):
            _table(trials)


def _parallel(config: SearchConfig, trials: Sequence[Trial]) -> None:
    st.markdown("##### What went together", help="Drag along an axis to choose a part of it.")
    number = len(trials)
    charts.plot(figures.parallel(trials, config.space), "search-parallel", f"Settings and results of {number} trials")
    st.caption(f"Each line is one of {number} trials, the best ones bright: where these meet, the setting is good.")


def _curves(trials: Sequence[Trial], best: Sequence[Trial]) -> None:
    st.markdown("##### Each trial, epoch by epoch")
    drawn = figures.curves(trials, best[0].number if best else None)
    pruned = sum(trial.state == "pruned" for trial in trials)
    _clickable(drawn, "search-curves", f"Validation accuracy of {len(trials)} trials after each epoch")
    early = f", {pruned} of them stopped early, which leaves time for others" if pruned else ""
    st.caption(f"Trials: {len(trials)}{early}. Click one to open its run.")


def _front(trials: Sequence[Trial], best: Sequence[Trial], config: SearchConfig) -> None:
    st.markdown("##### " + config.kind.label.capitalize())
    finished = sum(trial.values is not None for trial in trials)
    _clickable(figures.front(trials, best, config.kind), "search-front", config.kind.label)
    st.caption(f"{finished} trials. None on the line is beaten in both. Click one to open its run.")


def _history(trials: Sequence[Trial]) -> None:
    st.markdown("##### Best so far")
    finished = sum(trial.values is not None for trial in trials)
    if not finished:
        st.caption("None has finished yet.")
        return
    _clickable(figures.history(trials, results.best_so_far(trials)), "search-history", "Best accuracy so far")
    st.caption(f"{finished} finished trials. The line flattens where more trials would bring little.")


def _importances(search: Search, status: Status, trials: Sequence[Trial], number: int) -> None:
    st.markdown("##### Which setting matters")
    ended = sum(trial.state != "running" for trial in trials)
    shares = searches.importances(search, ended, status.state == "running")
    if shares:
        charts.plot(figures.importances(shares), "search-importances", "Share of each setting in the differences")
        st.caption(f"Share of the differences among {number} trials that each setting explains (fANOVA).")
    elif len(search.config().space) > 1:
        st.caption(f"Said from {results.FEWEST} trials on.")


def _contour(config: SearchConfig, trials: Sequence[Trial]) -> None:
    ranges = {one.field: one for one in config.space if not one.choices}
    if len(ranges) < 2:
        return
    st.markdown("##### Two settings together")
    pair: Any = st.pills(
        "Two settings",
        list(ranges),
        default=list(ranges)[:2],
        selection_mode="multi",
        format_func=label_of,
        key="search-pair",
        label_visibility="collapsed",
    )
    if len(pair) != 2:
        st.caption("Choose two.")
        return
    number = sum(trial.value is not None for trial in trials)
    _clickable(
        figures.contour(trials, ranges[pair[0]], ranges[pair[1]]), "search-contour", "Accuracy over two settings"
    )
    st.caption(f"{number} trials; between them it is interpolated. A slanting ridge: the two depend on each other.")


def _clickable(drawn: Any, key: str, alt: str) -> None:
    """The figure; a click on a point that stands for a run opens that run's page."""

    def opened() -> None:
        points = st.session_state[key].selection.points
        runs = [point["customdata"] for point in points if point.get("customdata")]
        if runs:
            st.session_state["search-opened"] = runs[0][0] if isinstance(runs[0], list) else runs[0]

    charts.plot(drawn, key, alt, on_select=opened, selection_mode="points")


def _table(trials: Sequence[Trial]) -> None:
    """All trials, the best first, with a link to each run."""
    called = titles()
    rows = [
        {
            "trial": trial.number,
            "run": f"/runs?run={trial.run}#{called.get(trial.run, trial.run)}" if trial.run else None,
            "reached": trial.value,
            "state": trial.state,
            "epochs": max(trial.reported, default=0),
            "note": named(trial.message),
        }
        for trial in sorted(trials, key=lambda trial: (trial.values is None, -(trial.value or 0)))
    ]
    columns = {
        "run": st.column_config.LinkColumn("run", display_text=r"#(.*)$", width="large"),
        "reached": st.column_config.NumberColumn("reached", format="percent"),
    }
    st.dataframe(rows, column_config=columns, hide_index=True, key="search-table")


def open_what_was_clicked() -> None:
    """The run's page, where a point of a picture was clicked."""
    if run := st.session_state.pop("search-opened", None):
        try:
            st.switch_page("runs.py", query_params={"run": RUNS.open(run).id})
        except LabError as error:
            st.error(by_name(error))
