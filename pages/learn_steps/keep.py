"""Step: what a visitor takes along: the network, what was found out, and where to go on."""

from __future__ import annotations

import functools

import streamlit as st

from mnist_core.course import report, trainings
from mnist_core.course.report import Finding
from mnist_core.errors import LabError
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.summary import Row
from pages.learn_steps import carried, guess, links, progress, split, training
from pages.shared import downloads, models
from pages.shared.runs import by_name


def show() -> None:
    rows = training.all_finished()
    left, right = st.columns([2, 3], gap="large")
    with left:
        _network(rows)
        _go_on(rows)
    with right:
        _summary(rows)


def _summary(rows: dict[str, Row]) -> None:
    """What was guessed and measured, and what the networks read in the carried digit."""
    found = report.findings(progress.guesses(), _measured())
    digit, readings = carried.digit(), {}
    for name, row in rows.items():
        if name in trainings.TRAININGS["descent"]:  # one network, thrice
            continue
        answer = models.get_predictor(row.run).predict_one(digit.image)
        readings[name] = f"{answer.digit}, {answer.confidence:.1%} sure"
    guessed = [one for one in found if one.guess]
    st.subheader("What you found out")
    if not found:
        st.info("Nothing yet: each step from 3 on has something to measure.", icon=":material/science:")
        return
    if guessed:
        st.markdown(f"You guessed **{sum(one.is_right for one in guessed)} of {len(guessed)}** right.")
    st.markdown(_table(found))
    if readings:
        rows_read = [f"| {name} | {words} |" for name, words in readings.items()]
        st.markdown("\n".join([f"| Network | Reads in {digit.title} |", "|-|-|", *rows_read]))
    st.download_button(
        "Keep the summary (Markdown)",
        report.to_markdown(found, digit.title.replace("your", "my"), readings),
        file_name="what-i-found-out.md",
        key="learn-keep-summary",
        icon=":material/download:",
        on_click="ignore",
    )


def _table(found: list[Finding]) -> str:
    lines = ["| | Question | Your guess | Measured |", "|-|-|-|-|"]
    for one in found:
        mark = ":green[✓]" if one.is_right else ":orange[✗]" if one.guess else ""
        lines.append(f"| {mark} | {one.question} | {one.guess or '-'} | **{one.measured}** |")
    return "\n".join(lines)


def _measured() -> dict[str, list[float | None]]:
    """What the visitor has measured: the runs' figures, also after a reload, and what is kept of this visit."""
    measured = guess.measured()
    for step in trainings.TRAININGS:
        if rows := training.finished(step):
            gap = split.gap(rows) if step == "split" else None
            measured[step] = [row.test_accuracy for row in rows.values()] if gap is None else [gap]
    return measured


def _network(rows: dict[str, Row]) -> None:
    """The visitor's best network as one page to take along."""
    st.subheader("Your network")
    if not rows:
        st.info("Train one in step 3, 4, 8 or 11 and it can be taken along.", icon=":material/school:")
        return
    name, best = max(rows.items(), key=lambda item: item[1].test_accuracy or 0)
    st.markdown(
        f"**{name}** reads {best.test_accuracy or 0:.1%} of the test images. As one web page it answers while you "
        "draw, on a laptop or a phone, without this app and without a network connection."
    )
    try:
        content = _page(best.run, models.written(best.run))
    except LabError as error:
        st.error(by_name(error))
        return
    st.download_button(
        f"Keep your network ({len(content) / 1_000:,.0f} kB)",
        content,
        file_name="my-network.html",
        mime="text/html",
        key="learn-keep-network",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


@functools.lru_cache(maxsize=8)
def _page(run_id: str, _written: int) -> bytes:
    run = RUNS.open(run_id)
    row = next(row for row in training.all_finished().values() if row.run == run_id)
    return downloads.web_page_of(run, row)[1]


def _go_on(rows: dict[str, Row]) -> None:
    st.subheader("Go on")
    with st.container(horizontal=True):
        if rows:
            best = max(rows.values(), key=lambda row: row.test_accuracy or 0)
            if st.button("Draw with your network", key="learn-to-draw", icon=":material/draw:"):
                st.session_state["draw-model"] = best.run
                st.switch_page("draw.py")
            links.compare("Compare all on Runs", [row.run for row in rows.values()], "learn-to-runs")
            links.inside("Look inside", "why", best.run, "learn-to-inside", carried.digit().in_inside)
        if st.button("Teach one your handwriting", key="learn-to-handwriting", icon=":material/ink_pen:"):
            st.switch_page("handwriting.py")
        if st.button("Train a better one", key="learn-to-train", icon=":material/tune:"):
            st.switch_page("train.py")
