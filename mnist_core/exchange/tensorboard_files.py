"""A run's curves as event files for TensorBoard, written by torch's own writer.

The package tensorboard is not among the app's requirements: install it to write these files.
"""

import contextlib
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.files import reason
from mnist_core.records import Record
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FLUSH = 5  # seconds after which what was written can be seen
# What is taken of each kind of record, and the curve that it goes to.
CURVES = {
    "start": {"first_loss": "loss/train"},
    "step": {"loss": "loss/train", "accuracy": "accuracy/train", "lr": "lr"},
    "epoch": {"val_loss": "loss/validation", "val_accuracy": "accuracy/validation"},
}


def require() -> None:
    """Raises RunError where tensorboard is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise RunError("TensorBoard's files need its package: pip install tensorboard, then try again.") from error


def folder(run: Run) -> pathlib.Path:
    """Where the events of a run lie that was trained with `--tensorboard`."""
    return run.path / "tensorboard"


def write_events(run: Run, folder: pathlib.Path) -> None:
    """Write what the run has recorded so far to `folder`, in place of the event file that an earlier call wrote there.

    The file's name ends in the run's id; event files of other names are left alone.

    The curves are loss and accuracy of training and validation, and the learning rate, by step; the hyperparameters
    are a text. Raises RunError where tensorboard is not installed or the folder cannot be written.
    """
    with _writer(run, folder):
        pass


def beside(run: Run, records: Iterable[Record]) -> Iterator[Record]:
    """The `records` of a training of `run` as they come, each written to the run's event files before it is passed on.

    What was recorded before, in a training that is gone on with, is in the files as well. For errors see
    `write_events`.
    """
    with contextlib.ExitStack() as stack:
        writer = None
        for record in records:
            if writer is None:  # the run's own file holds the first record already, and what was kept of earlier ones
                writer = stack.enter_context(_writer(run, folder(run)))
            else:
                _add(writer, record)
            yield record


@contextlib.contextmanager
def _writer(run: Run, folder: pathlib.Path) -> Iterator["SummaryWriter"]:
    """A writer to `folder` that has written all that the run has recorded."""
    require()
    from torch.utils.tensorboard import SummaryWriter

    is_own = folder == run.path / "tensorboard"  # all in it is the run's; earlier versions did not add the id
    try:
        for old in folder.glob("events.out.tfevents.*" if is_own else f"events.out.tfevents.*.{run.id}"):
            old.unlink()
        writer = SummaryWriter(str(folder), flush_secs=FLUSH, filename_suffix=f".{run.id}")
    except OSError as error:
        raise RunError(f"The events of run {run.id} cannot be written to {folder}: {reason(error)}.") from error
    with contextlib.closing(writer):
        writer.add_text("hyperparameters", _table(run.config()))
        for record in run.records():
            _add(writer, record)
        yield writer


def _add(writer: "SummaryWriter", record: Record) -> None:
    values: Mapping[str, Any] = record
    for field, curve in CURVES.get(record["event"], {}).items():
        if field in values:
            writer.add_scalar(curve, values[field], values.get("step", 0))


def _table(config: TrainConfig) -> str:
    """The config in Markdown, which is how TensorBoard shows a text."""
    values = config.to_dict()
    rows = [f"| {name} | {values[name]} |" for name in config.fields]
    return "\n".join(["| hyperparameter | value |", "|---|---|", *rows])
