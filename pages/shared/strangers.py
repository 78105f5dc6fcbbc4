"""How well the shipped models read people and papers that no training has seen."""

import streamlit as st

from mnist_core.reading import catalog

SETS = {
    "MNIST test": "MNIST's test images",
    "drawn": "drawn with a pen on a screen, by 253 people",
    "scans": "written with a pen on paper and scanned, by ten people",
    "exams": "thin pencil on exam sheets",
    "cells": "phone photos of the cells of sudokus, printed and handwritten",
    "drawn numbers": "two to six drawn digits side by side, all of them right",
}


def show() -> None:
    """The table, with what may be concluded from it."""
    rows = catalog.evaluation()
    names = [row["model"] for row in rows]
    lines = [f"| read right | images | {' | '.join(f'`{name}`' for name in names)} |", "|---|--:|" + "--:|" * len(rows)]
    for i, first in enumerate(rows[0]["strangers"]):
        shares = [row["strangers"][i]["accuracy"] for row in rows]
        best = max(shares)
        cells = [f"**{share:.2%}**" if share == best else f"{share:.2%}" for share in shares]
        lines.append(f"| {SETS.get(first['set'], first['set'])} | {first['images']:,} | {' | '.join(cells)} |")
    st.markdown("\n".join(lines))
    halves = [(one["interval"][1] - one["interval"][0]) / 2 for one in rows[0]["strangers"]]
    st.caption(
        "No network was trained on any of these. MNIST's test images are read once, at the end of a training. On the "
        "other sets it was looked up what the networks still get wrong, so expect a little less of new handwriting. "
        f"Chance alone moves a figure of the largest set by {min(halves):.1%} in either direction, of the smallest by "
        f"{max(halves):.1%}. `python -m mnist_core evaluate MODEL --images FOLDER` reads a folder of your own."
    )
