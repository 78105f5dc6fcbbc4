"""The command line: `python -m mnist_core`, with a command such as train, predict or digits behind it."""

import argparse
import os
import sys
from collections.abc import Sequence

from mnist_core.cli import Parser, cluster, digits, models, runs, search, training
from mnist_core.errors import LabError

DESCRIPTION = """\
Train networks to read handwritten digits, measure them, and have them read images.

  python -m mnist_core train --model cnn --epochs 3     train; the run's folder is runs/<id>
  python -m mnist_core evaluate <id>                    accuracy, per digit too, and the confusion matrix
  python -m mnist_core predict photo.png                what the shipped cnn reads in an image
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 2 for wrong input, 130 when stopped by Ctrl+C."""
    args = _parser().parse_args(arguments)
    try:
        status: int = args.command(args) or 0
        sys.stdout.flush()
        return status
    except LabError as error:
        print(f"mnist_core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m mnist_core", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (training, models, runs, digits, search, cluster):
        module.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
