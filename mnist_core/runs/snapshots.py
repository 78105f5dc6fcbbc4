"""What a run's network was at steps along its training, in half precision: at 0, and whenever the steps have doubled.

A network learns most in its first moments, so that states evenly spread over the logarithm of the step show how it came
to read what it reads. A large network has none, as its states would take more disk than all the rest of its run.
"""

from __future__ import annotations

import contextlib
import math
import pathlib

from torch import Tensor, nn

from mnist_core import weights
from mnist_core.errors import ModelError

NAME = "snapshots.safetensors"
LARGEST = 150_000  # numbers of a network that has snapshots

States = dict[int, dict[str, Tensor]]


def size(network: nn.Module) -> int:
    """Numbers that are kept of the network at one step; 0 where it is too large."""
    count = sum(value.numel() for value in _numbers(network).values())
    return count if count <= LARGEST else 0


def is_due(step: int, newest: int | None) -> bool:
    """Whether a state is kept at `step`, where that at `newest` was the last, None for none."""
    return newest is None or step >= max(1, 2 * newest)


def count(steps: int, report_every: int) -> int:
    """How many states a training of so many steps keeps at most."""
    return 2 + max(0, math.floor(math.log2(steps / report_every)))


def add(folder: pathlib.Path, step: int, network: nn.Module) -> bool:
    """Keep the network as it is at `step`, 0 for the start, in place of any state from then on.

    Whether it was kept: not where it is too large, or has a number that half precision cannot hold.
    """
    if not size(network):
        return False
    values = {name: value.half().cpu() for name, value in _numbers(network).items()}
    if not all(value.isfinite().all() for value in values.values()):
        return False
    before: States = {}
    if step:
        with contextlib.suppress(ModelError):  # a power cut may damage the file, which must not stop the training
            before = read(folder)
    states = {old: kept for old, kept in before.items() if old < step} | {step: values}
    names = {f"{at}.{name}": value for at, kept in states.items() for name, value in kept.items()}
    weights.save(folder / NAME, names, durable=False)
    return True


def read(folder: pathlib.Path) -> States:
    """What is kept in a run's folder, by step, ascending; it may be nothing. Raises ModelError if it is damaged."""
    if not (folder / NAME).exists():
        return {}
    states: States = {}
    for name, value in weights.load(folder / NAME).items():
        step, _, rest = name.partition(".")
        if not step.isdecimal() or len(step) > 15 or not rest or not value.is_floating_point():
            raise ModelError(f"The file {folder / NAME} holds no networks of steps.")
        states.setdefault(int(step), {})[rest] = value
    return dict(sorted(states.items()))


def check(states: States, network: nn.Module) -> None:
    """Raises ModelError where one of the states is another network's; `network` may be a skeleton."""
    expected = {name: value.half() for name, value in _numbers(network).items()}
    for values in states.values():
        weights.check(values, expected)


def _numbers(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in network.state_dict().items() if value.is_floating_point()}
