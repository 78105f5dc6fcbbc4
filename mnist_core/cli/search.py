"""The commands about searches: search list, start, resume, show, stop, delete."""

import argparse
import dataclasses
import os
import sys
from typing import Any

from mnist_core.cli import Parser, add, add_flag, given, print_json
from mnist_core.config import RULES, TrainConfig
from mnist_core.search import settings, space
from mnist_core.search.settings import SearchConfig

EXAMPLES = '"lr", "lr=0.001..0.1", "optimizer=sgd,adamw", "hidden=64,64 64"'


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parent = add(
        commands, "search", _list, "List the searches for hyperparameters, or do with them what a command says."
    )
    _add_storage(parent, settings.STORAGE)
    parts = parent.add_subparsers(title="commands", metavar="COMMAND")

    def part(name: str, function: Any, help: str, with_name: bool = True) -> Parser:
        parser = add(parts, name, function, help, is_part=True)
        _add_storage(parser, argparse.SUPPRESS)
        if with_name:
            parser.add_argument("name", metavar="NAME", help="the search's name")
        return parser

    part("list", _list, "List the searches, the newest first.", with_name=False)

    parser = part("start", _start, "Search: train run after run, each with other settings, and say which were best.")
    _add_limits(parser)
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="FIELD[=VALUES]",
        help=f"a hyperparameter to vary, once for each: {EXAMPLES}. Default: those that matter most",
    )
    parser.add_argument("--goal", choices=tuple(settings.GOALS), default="accuracy", help="what counts")
    for name, choices in (("sampler", settings.SAMPLERS), ("pruner", settings.PRUNERS)):
        words = "; ".join(f"{choice}: {meaning}" for choice, meaning in choices.items())
        parser.add_argument(f"--{name}", choices=tuple(choices), default=next(iter(choices)), help=words)
    parser.add_argument("--search-seed", type=int, default=0, metavar="INT", help="of what is tried by chance")
    for name in RULES:
        add_flag(parser, name)

    parser = part("resume", _resume, "Go on with a search that was stopped, or give one that has ended more to try.")
    _add_limits(parser)
    part("show", _show, "Show a search's trials, the best first, and which setting mattered.")
    part("stop", _stop, "Have whatever process leads the search stop.")
    part("delete", _delete, "Forget a search; its runs stay.")


def _add_storage(parser: Parser, default: Any) -> None:
    parser.add_argument(
        "--storage",
        default=default,
        metavar="URL",
        help="a database for the searches, such as postgresql://user@host/name, in place of a file beside the runs",
    )


def _add_limits(parser: Parser) -> None:
    parser.add_argument("--trials", type=int, metavar="INT", help="end after so many trials; 20 where nothing is said")
    parser.add_argument("--minutes", type=float, metavar="FLOAT", help="end after so many minutes")
    parser.add_argument("--at-once", type=int, metavar="INT", help="trials that are trained at a time on this machine")
    parser.add_argument(
        "--cluster",
        default=os.environ.get("RAY_ADDRESS", ""),
        metavar="ADDRESS",
        help="train on the machines of this Ray cluster, such as 192.168.1.5:6379",
    )


def _store(args: argparse.Namespace) -> Any:
    settings.require()
    from mnist_core.search.study import SearchStore

    return SearchStore(args.store, args.storage)


def _list(args: argparse.Namespace) -> None:
    store = _store(args)
    for name in store.names():
        search = store.open(name)
        status, config, trials = search.status(), search.config(), search.trials()
        if args.json:
            print_json({"name": name, **dataclasses.asdict(status), "trials": len(trials)})
        else:
            of = f" of {config.trials}" if config.trials else ""
            print(f"{name:24} {status.state:12} {len(trials)}{of} trials, {config.kind.label}")


def _start(args: argparse.Namespace) -> None:
    base = TrainConfig(**given(args))
    dimensions = tuple(map(space.parse_dimension, args.vary or space.suggested(base)))
    trials = 20 if args.trials is None and args.minutes is None else args.trials
    config = SearchConfig(
        base, dimensions, args.goal, trials, args.minutes, args.sampler, args.pruner, args.search_seed
    )
    _lead(args, _store(args).create(args.name, config))


def _resume(args: argparse.Namespace) -> None:
    search = _store(args).open(args.name)
    if args.trials is not None or args.minutes is not None:
        search.set_limits(args.trials, args.minutes)
    _lead(args, search)


def _lead(args: argparse.Namespace, search: Any) -> None:
    """Train the search's trials in processes of this one, and print each when it has ended."""
    from mnist_core.runs.cluster import Cluster
    from mnist_core.runs.worker_pool import Workers
    from mnist_core.search.driver import drive

    workers = Workers(args.at_once, Cluster(args.cluster, args.store) if args.cluster else None)
    workers.warm_up()
    try:
        for trial in drive(search, workers):
            _print(args, search, trial)
    except KeyboardInterrupt:
        print(f"\nStopped. Go on with: python -m mnist_core search resume {search.name}", file=sys.stderr)
        raise
    finally:
        workers.close()
    if not args.json:
        _print_best(search)


def _print(args: argparse.Namespace, search: Any, trial: Any) -> None:
    if args.json:
        print_json({"search": search.name, **dataclasses.asdict(trial)})
        return
    values = ", ".join(f"{field} {_short(value)}" for field, value in trial.params.items())
    reached = "" if trial.value is None else f"{trial.value:.2%}"
    epochs = f"after {max(trial.reported)} epochs" if trial.state == "pruned" and trial.reported else ""
    print(f"{trial.number:4} {trial.state:9} {reached:>7} {epochs:15} {values}  {trial.message}".rstrip(), flush=True)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace(",", " ")


def _print_best(search: Any) -> None:
    from mnist_core.search import results

    trials, config = search.trials(), search.config()
    for trial in results.best(trials, config.kind):
        figures = ", ".join(
            f"{value:.2%}" if name.endswith("accuracy") else f"{value:,.4g} {name}"
            for name, value in zip(config.kind.figures, trial.values or (), strict=True)
        )
        print(f"Best: {figures}, run {trial.run}")
    shares = results.importances(search)
    if shares:
        words = ", ".join(f"{field} {share:.0%}" for field, share in shares.items())
        print(f"What mattered, by {sum(trial.value is not None for trial in trials)} trials: {words}")


def _show(args: argparse.Namespace) -> None:
    search = _store(args).open(args.name)
    trials, status = search.trials(), search.status()
    if not args.json:
        print(f"{search.name}: {status.state}{f', {status.message}' if status.message else ''}")
    for trial in sorted(trials, key=lambda trial: -(trial.value or 0)):
        _print(args, search, trial)
    if not args.json:
        _print_best(search)


def _stop(args: argparse.Namespace) -> None:
    _store(args).open(args.name).request_stop()


def _delete(args: argparse.Namespace) -> None:
    _store(args).open(args.name).delete()
