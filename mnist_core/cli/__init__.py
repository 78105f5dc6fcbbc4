"""The command line's commands, each module a few of them; what they share is here.

torch takes seconds to import: what needs it is imported in the command that needs it, so that --help is quick.
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

from tqdm import tqdm

from mnist_core import config
from mnist_core.config import DEFAULTS, ITEM_TYPES, RULES
from mnist_core.errors import LONGEST
from mnist_core.own_digits.digit_store import DIGITS, DigitStore
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.text import shorten

T = TypeVar("T")

MODEL = "a run's id or the name of a shipped model"  # what a command says of its argument
STROKES = "measure on the digits in this .npz file of pen strokes, too"


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {shorten(message, LONGEST)}\n")


def add(
    commands: Any,
    name: str,
    function: Callable[[argparse.Namespace], int | None],
    help: str,
    runs_dir: bool = True,
    is_part: bool = False,
) -> Parser:
    """A command's parser, with the flags that all have; `commands` is argparse's action for them.

    `function` carries the command out and returns its exit status, None for 0.
    A command that is a part of another takes the other's flags as well, wherever they stand.
    """
    parser: Parser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(command=function)
    flags = [parser.add_argument("--json", action="store_true", help="print one JSON object a line")]
    if runs_dir:
        where: dict[str, Any] = {
            "dest": "store",
            "type": lambda folder: RunStore(pathlib.Path(folder)),
            "default": RUNS,
            "metavar": "DIR",
            "help": "where runs are kept",
        }
        flags.append(parser.add_argument("--runs-dir", **where))
    if is_part:
        for flag in flags:
            flag.default = argparse.SUPPRESS  # what was said before the part's name holds
    return parser


def add_digits_dir(parser: Parser, default: Any = DIGITS) -> None:
    """The flag for the folder in which sets of own digits are kept."""
    parser.add_argument(
        "--digits-dir",
        dest="sets",
        type=lambda folder: DigitStore(pathlib.Path(folder)),
        default=default,
        metavar="DIR",
        help="where sets of own digits are kept",
    )


def add_flag(parser: Parser, name: str) -> None:
    """The flag of a TrainConfig field. Left out, it is left out of the namespace too."""
    rule, default = RULES[name], DEFAULTS[name]
    shown = " ".join(map(str, default)) if config.is_list(name) else default
    limits = (
        "" if rule.minimum is None else f" {rule.minimum:,} to {rule.maximum:,}{' ' + rule.unit if rule.unit else ''}."
    )
    parser.add_argument(
        config.flag(name),
        dest=name,
        type=ITEM_TYPES[name],
        nargs="*" if config.is_list(name) else None,
        choices=rule.choices or None,
        metavar=None if rule.choices else ITEM_TYPES[name].__name__.upper(),
        default=argparse.SUPPRESS,
        help=f"{rule.help}{limits}{'' if default is None else f' Default: {shown}.'}".replace("%", "%%"),
    )


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of TrainConfig whose flags were given."""
    return {name: value for name, value in vars(args).items() if name in RULES}


def print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False), flush=True)


def with_bar(args: argparse.Namespace, words: str, work: Iterator[tuple[float, T]]) -> T:
    """The last that `work` gives, on a terminal with a bar of the share that it gives beside it."""
    disabled = args.json or not sys.stderr.isatty()
    with tqdm(total=100, disable=disabled, leave=False, bar_format=words + " {percentage:3.0f} % |{bar}|") as bar:
        for share, latest in work:
            bar.update(100 * share - bar.n)
            result = latest
    return result


def data_in_words(data: str) -> str:
    return "MNIST" if data == "mnist" else config.SAMPLE_IN_WORDS
