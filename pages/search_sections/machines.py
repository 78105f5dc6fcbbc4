"""The machines of the cluster: what each trains, and what waits."""

from collections import defaultdict

import streamlit as st

from mnist_core.errors import LabError
from mnist_core.runs import cluster
from mnist_core.runs.run_store import RUNS
from mnist_core.runs.status import RunState
from pages.shared.markdown import plain
from pages.shared.runs import get_cluster, get_workers, titles

NAMED = 3  # runs of a machine that are named


def show() -> None:
    """Nothing where the server trains by itself."""
    machines = get_cluster()
    if not machines:
        return
    training, waiting = defaultdict[str, list[str]](list), 0
    called = titles()
    for run_id in get_workers().ids():
        try:
            run = RUNS.open(run_id)
            if run.status().state is RunState.WAITING:
                waiting += 1
            else:
                training[cluster.node_of(run)].append(called.get(run_id, run_id))
        except LabError:  # just deleted
            continue
    nodes = machines.nodes()
    if not nodes:
        st.caption(f":material/lan: The cluster at {plain(machines.address)} is being looked for.")
        return
    words = []
    for node in nodes:
        runs = training.get(node.name, [])
        more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
        doing = f"trains {'; '.join(runs[:NAMED])}{more}" if runs else "is free"
        if not node.sees_runs:
            doing = "does not see the folder of runs"
        words.append(f"**{plain(node.name)}** ({node.cpus} CPUs) {plain(doing)}")
    st.markdown(f":material/lan: {len(nodes)} machines, {waiting} runs wait: " + " · ".join(words))
