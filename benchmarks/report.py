"""What the benchmarks share: how their figures are printed."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import NoReturn

import torch

from mnist_core import device
from mnist_core.errors import LabError


def print_figures(figures: dict[str, float | str], as_json: bool) -> None:
    """One figure a line for people, or one JSON object; the device is added."""
    figures = {**figures, "device": device.describe(torch.device("cpu")), "torch": torch.__version__}
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:36} {value:,.3f}" if isinstance(value, float) else f"{name:36} {value}")


def parser(description: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def run(main: Callable[[], None]) -> NoReturn:
    """Run a benchmark; exits with 2 and one sentence where it cannot, for lack of MNIST for example."""
    try:
        main()
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    sys.exit(0)
