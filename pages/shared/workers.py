"""The worker processes that this server has started, for all visitors."""

import subprocess

import streamlit as st

from mnist_core import worker
from mnist_core.run import Run


@st.cache_resource
def processes() -> "dict[str, subprocess.Popen[bytes]]":
    """By run; a worker lives no longer than the pipe that its entry holds."""
    return {}


def start(run: Run) -> None:
    """Train `run` in a process of its own."""
    children = processes()
    for run_id in [run_id for run_id, child in children.items() if child.poll() is not None]:
        children.pop(run_id).communicate()
    children[run.id] = worker.start(run)
