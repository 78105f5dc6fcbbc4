"""The command about runs."""

import argparse
import sys
from typing import Any

from mnist_core import run
from mnist_core.commands import add, print_json
from mnist_core.errors import RunError


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parser = add(commands, "runs", _runs, "List the runs, the newest first.")
    parser.add_argument("--delete", metavar="RUN", help="delete this run's folder instead")


def _runs(args: argparse.Namespace) -> None:
    if args.delete:
        run.open_run(args.delete, args.runs_dir).delete()
        return
    for this in run.list_runs(args.runs_dir):
        try:
            row = this.overview()
        except RunError as error:  # one damaged run hides no other
            print(f"mnist_core: {error}", file=sys.stderr)
            continue
        if args.json:
            print_json(row)
        else:
            validation, test = (f"{row[key]:.2%}" if row[key] else "-" for key in ("val_accuracy", "test_accuracy"))
            print(f"{row['run']:34} {row['state']:12} {row['data']:7} validation {validation:>7}  test {test:>7}")
