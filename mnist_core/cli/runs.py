"""The commands about runs: runs list, show, compare, delete, restore, export, import."""

import argparse
import dataclasses
import pathlib
import sys
from typing import Any

from mnist_core import presets
from mnist_core.cli import Parser, add, print_json
from mnist_core.errors import RunError
from mnist_core.runs import summary
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import Row


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parent = add(commands, "runs", _list, "List the runs, the newest first, or do with them what a command says.")
    parent.set_defaults(words=[])
    parts = parent.add_subparsers(title="commands", metavar="COMMAND")

    def part(name: str, function: Any, help: str) -> Parser:
        return add(parts, name, function, help, is_part=True)

    parser = part("list", _list, "List the runs, the newest first.")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only those that say all of this of themselves")

    parser = part("show", _show, "Show a run: its config, what it reached, what repeats it.")
    parser.add_argument("run", metavar="RUN", help="a run's id")

    parser = part("compare", _compare, "Show what differs between runs, what came of it, and whether it is chance.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="two or more runs' ids")

    parser = part("delete", _delete, "Delete runs; for a day `runs restore` brings them back.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="runs' ids")

    parser = part("restore", _restore, "Bring back deleted runs.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="runs' ids")

    parser = part("export", _export, "Write a run's whole folder as a zip file, to be imported elsewhere.")
    parser.add_argument("run", metavar="RUN", help="a run's id")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the .zip file to write")

    parser = part("import", _import, "Take in a run: a zip file of its folder, or safetensors with their card beside.")
    parser.add_argument("file", type=pathlib.Path, metavar="FILE", help="a .zip or .safetensors file")


def _list(args: argparse.Namespace) -> None:
    for run_ in args.store.runs():
        row = summary.row(run_)
        if not summary.matches(row, ",".join(args.words)):
            continue
        if row.state is RunState.DAMAGED:  # one damaged run hides no other
            print(f"mnist_core: {row.message}", file=sys.stderr)
        elif args.json:
            print_json(row.to_dict())
        else:
            validation, test = (_share(figure) for figure in (row.val_accuracy, row.test_accuracy))
            print(
                f"{row.run:34} {row.state:12} {row.config.data:7} validation {validation:>7}  test {test:>7}  "
                f"{row.differs}{f'  ({row.name})' if row.name else ''}"
            )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _readable(run_id: str, store: RunStore) -> Row:
    """The run's row. Raises RunError for one that is not there or damaged."""
    row = summary.row(store.open(run_id))
    if row.state is RunState.DAMAGED:
        raise RunError(row.message)
    return row


def _show(args: argparse.Namespace) -> None:
    row = _readable(args.run, args.store)
    records = args.store.open(args.run).records()
    starts = [record for record in records if record["event"] in ("start", "resume")]
    environment = starts[-1].get("environment", {}) if starts else {}
    command = presets.command(row.config)
    if args.json:
        print_json(row.to_dict() | {"environment": environment, "command": command})
        return
    low, high = row.test_interval or (0.0, 0.0)
    interval = f" ({low:.2%} to {high:.2%})" if row.test_interval else ""
    speed = f", {row.images_per_s:,.0f} images/s" if row.images_per_s else ""
    print(f"{row.run}: {row.state}{f', {row.message}' if row.message else ''}")
    for label, value in (
        ("name", row.name),
        ("note", row.note),
        ("group", row.group),
        ("differs", row.differs),
        ("epochs", f"{row.epochs} of {row.config.epochs}"),
        ("validation", f"{_share(row.val_accuracy)}, the best epoch"),
        ("test", f"{_share(row.test_accuracy)}{interval}"),
        ("parameters", f"{row.parameters:,}" if row.parameters else ""),
        ("seconds", f"{row.seconds:,.1f}{speed}" if row.seconds else ""),
        ("device", row.device),
        *environment.items(),
        ("command", command),
    ):
        if value:
            print(f"  {label:12} {value}")


def _compare(args: argparse.Namespace) -> None:
    from mnist_core import dataset
    from mnist_core.reading import predictor
    from mnist_core.runs import comparison

    rows = [_readable(name, args.store) for name in args.runs]
    if len({row.run for row in rows}) < 2:
        raise RunError("Name two or more runs to compare.")
    fields = summary.differing(row.config for row in rows)
    finished = [row for row in rows if row.state is RunState.FINISHED and row.config.data == rows[0].config.data]
    pairs = []
    if len(finished) > 1:
        test = dataset.load_test(rows[0].config.data)
        right = [predictor.load(row.run, args.store).predictions(test).right for row in finished]
        for other, its in zip(finished[1:], right[1:], strict=True):
            pairs.append((finished[0].run, other.run, comparison.mcnemar(right[0], its)))
    repeated = [group for group in summary.over_seeds(rows) if group.deviation is not None]
    if args.json:
        for row in rows:
            values = row.config.to_dict()
            print_json(
                row.to_dict() | {"differing": {name: values[name] for name in fields if name in row.config.fields}}
            )
        for group in repeated:
            print_json({"runs": [r.run for r in group.rows], "mean": group.mean, "deviation": group.deviation})
        for one, another, difference in pairs:
            print_json({"one": one, "other": another, **dataclasses.asdict(difference)})
        return
    for row in rows:
        settings = ", ".join(f"{field} {summary.setting(row.config, field)}" for field in fields)
        print(f"{row.run:34} validation {_share(row.val_accuracy):>7}  test {_share(row.test_accuracy):>7}  {settings}")
    for group in repeated:
        print(f"{len(group.rows)} seeds of {group.rows[0].differs}: test {group.mean:.2%} ± {group.deviation:.2%}")
    for one, another, difference in pairs:
        verdict = "no more than chance" if difference.is_chance else "more than chance"
        print(
            f"Only {one} reads {difference.only_one:,} test images right, only {another} {difference.only_other:,}: "
            f"{verdict} (p = {difference.p_value:.3g})."
        )


def _delete(args: argparse.Namespace) -> None:
    for run in [args.store.open(name) for name in args.runs]:
        run.delete()
    args.store.empty_trash()


def _restore(args: argparse.Namespace) -> None:
    for name in args.runs:
        args.store.restore(name)


def _export(args: argparse.Namespace) -> None:
    from mnist_core.exchange.run_archive import export_run

    export_run(args.store.open(args.run), args.out)


def _import(args: argparse.Namespace) -> None:
    from mnist_core.exchange.run_archive import import_run

    run = import_run(args.file, args.store)
    if args.json:
        print_json({"run": run.id})
    else:
        print(f"Run {run.id}")
