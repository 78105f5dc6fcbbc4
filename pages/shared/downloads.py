"""A run made into files for elsewhere."""

import io
import pathlib
import tempfile
import zipfile
from typing import Any

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.exchange import snippets
from mnist_core.runs.run import Run
from mnist_core.runs.summary import Row
from pages.shared import models
from pages.shared.runs import by_name, titles


def show(run: Run, summary: Row) -> None:
    """The files that can be made of the run; each is made when it is asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind: Any = st.selectbox("File", list(FILES), key="take-kind", width=420)
        wanted = st.button("Prepare", key="take-prepare", icon=":material/package_2:")
    if wanted:
        try:
            with st.spinner("Preparing the file"):
                name, content, words = FILES[kind](run, summary)
        except LabError as error:
            st.error(by_name(error))
            return
        st.session_state["taken"] = run.id, kind, name, content, words
    run_id, made, name, content, words = st.session_state.get("taken", ("", "", "", b"", ""))
    if (run_id, made) != (run.id, kind):
        return
    st.caption(words)
    st.download_button(
        f"Download {name} ({len(content) / 1_000:,.0f} kB)",
        content,
        file_name=name,
        key="take-download",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )
    if name.endswith(".onnx"):
        with st.expander("How to use it without this app", icon=":material/code:"):
            st.code(snippets.READ_WITH_ONNX.read_text(encoding="utf-8"), language="python")


def _onnx(run: Run, summary: Row) -> tuple[str, bytes, str]:
    from mnist_core.exchange import onnx_file

    content, difference = onnx_file.convert(models.get_predictor(run.id))
    return (
        f"{run.id}.onnx",
        content,
        f"Takes a drawing of any size and gives probabilities. onnxruntime has read {onnx_file.CHECKED:,} images "
        f"with it: its probabilities differ from this app's by {difference:.1g} at most.",
    )


def web_page_of(run: Run, summary: Row) -> tuple[str, bytes, str]:
    """The run as one HTML page: the file's name, its content, and what it is. Raises LabError."""
    from mnist_core.exchange import web_page

    title = titles().get(run.id, run.id)
    content = web_page.page(models.get_predictor(run.id), summary.test_accuracy, title)
    words = "To draw on in any browser, without this app and without a network: it answers while the pen moves."
    return f"{run.id}.html", content.encode(), words


def _weights(run: Run, summary: Row) -> tuple[str, bytes, str]:
    from mnist_core.exchange.model_card import export

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"{run.id}.safetensors"
        export([run], path)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            for part in (path, path.with_suffix(".json")):
                file.write(part, part.name)
    return f"{run.id}-weights.zip", content.getvalue(), "Weights as safetensors, and a card of how they were made."


def _folder(run: Run, summary: Row) -> tuple[str, bytes, str]:
    from mnist_core.exchange.run_archive import export_run

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"{run.id}.zip"
        export_run(run, path)
        content = path.read_bytes()
    return f"{run.id}.zip", content, "All of the run, to be imported on another machine."


def _predictions(run: Run, summary: Row) -> tuple[str, bytes, str]:
    table = models.get_predictions(run.id, summary.config.data, "test")
    return f"{run.id}-test.csv", table.to_csv().encode(), f"What is read in each of the {len(table):,} test images."


FILES = {
    "ONNX: reads drawings, without this app": _onnx,
    "One web page to draw on (HTML)": web_page_of,
    "Weights and card (safetensors)": _weights,
    "The whole run (zip)": _folder,
    "What it reads in the test images (CSV)": _predictions,
}
