"""What a training reports: the schema of its records, each a plain dict of JSON-able values.

`trainer.fit` yields them, `runs.metrics_file` writes and reads them, one JSON object a line. Losses are cross-entropies
in nats without label smoothing, accuracies are shares from 0 to 1, times are seconds.
"""

import json
import math
import typing
from typing import Any, Literal

from typing_extensions import NotRequired, TypedDict

from mnist_core.text import quoted


class _Begun(TypedDict):
    """What is trained, and where. `steps` are those of all epochs."""

    parameters: int
    epochs: int
    steps: int
    data: str
    model: str
    device: str
    environment: NotRequired[dict[str, Any]]


class Start(_Begun):
    """A training begins. `first_loss` is the loss before the first step.

    The accuracies are those of the model that the training goes on from.
    """

    event: Literal["start"]
    first_loss: NotRequired[float]
    val_accuracy: NotRequired[float]
    own_accuracy: NotRequired[float]
    test_accuracy: NotRequired[float]


class Resume(_Begun):
    """A training goes on behind `epoch` finished epochs, which took `step` steps."""

    event: Literal["resume"]
    epoch: NotRequired[int]
    step: NotRequired[int]


class Step(TypedDict):
    """Means over the steps since the last report, up to `step`, in the epoch that is number `epoch`, from 1."""

    event: Literal["step"]
    epoch: int
    step: int
    loss: float
    accuracy: float
    lr: float
    images_per_s: float


class Epoch(TypedDict):
    """The end of the epoch that is number `epoch`, from 1; `seconds` are those of its training steps.

    `own_accuracy` is the share of own digits, held back from training, that is read right.
    """

    event: Literal["epoch"]
    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    own_accuracy: NotRequired[float]
    seconds: float


class LrChange(TypedDict):
    """From `step` on the highest learning rate is `lr`, as somebody asked for while it trained."""

    event: Literal["lr"]
    step: int
    lr: float


class End(TypedDict):
    """The end of a training. One that was finished has its figures, one that diverged has `advice`.

    `own_learnt` and `own_held_back` count own digits; figures with `_before` are of the model it started from.
    """

    event: Literal["end"]
    reason: Literal["finished", "diverged", "stopped"]
    epoch: NotRequired[int]
    step: NotRequired[int]
    seconds: NotRequired[float]
    data: NotRequired[str]
    advice: NotRequired[str]
    chosen_epoch: NotRequired[int]
    temperature: NotRequired[float]
    threshold: NotRequired[float]
    val_loss: NotRequired[float]
    val_accuracy: NotRequired[float]
    changed_accuracy: NotRequired[float]
    test_loss: NotRequired[float]
    test_accuracy: NotRequired[float]
    own_accuracy: NotRequired[float]
    own_learnt: NotRequired[int]
    own_held_back: NotRequired[int]
    val_accuracy_before: NotRequired[float]
    own_accuracy_before: NotRequired[float]
    test_accuracy_before: NotRequired[float]


Record = Start | Resume | Step | Epoch | LrChange | End

POSITIVE = ("epochs", "steps", "images_per_s")  # what others are divided by
LARGEST = 2**53  # a whole number in JSON that every reader takes for the same


def to_json(record: Record) -> str:
    """The record as one line without its end. Raises ValueError for a number that is not finite."""
    return json.dumps(record, allow_nan=False)


def check(value: Any) -> Record:
    """`value` as the record that it is. Raises ValueError that says what is wrong with it."""
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    event = value.get("event")
    if not isinstance(event, str) or event not in _KINDS:
        raise ValueError(f"it is no record of a kind in {', '.join(_KINDS)}")
    fields, required = _KINDS[event]
    if missing := required - value.keys():
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    for name, content in value.items():
        if name in fields and (not fields[name](content) or (name in POSITIVE and content <= 0)):
            raise ValueError(f"its {name} cannot be {quoted(content)}")
    return typing.cast(Record, value)


def _is_int(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _is_float(value: Any) -> bool:
    return (type(value) is float and math.isfinite(value)) or (type(value) is int and abs(value) <= LARGEST)


def _is_str(value: Any) -> bool:
    return isinstance(value, str)


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _checker(hint: Any) -> typing.Callable[[Any], bool]:
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        return lambda value: isinstance(value, str) and value in choices
    return {int: _is_int, float: _is_float, str: _is_str}.get(hint, _is_dict)


def _kind(record: Any) -> tuple[dict[str, typing.Callable[[Any], bool]], frozenset[str]]:
    """What tells whether each field holds what it must, by name, and the names of those that must be there."""
    hints = typing.get_type_hints(record)
    return {name: _checker(hint) for name, hint in hints.items()}, record.__required_keys__


_KINDS = {
    typing.get_args(typing.get_type_hints(record)["event"])[0]: _kind(record) for record in typing.get_args(Record)
}
