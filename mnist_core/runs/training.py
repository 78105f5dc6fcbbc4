"""Training a run in this process, its folder kept so that the training can go on exactly from its last whole epoch."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mnist_core.config import TrainConfig
from mnist_core.errors import LabError, ModelError, RunError
from mnist_core.files import reason, remove_left_over
from mnist_core.records import End, LrChange, Record
from mnist_core.runs import footprint, status
from mnist_core.runs.metrics_file import DamagedRecords
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState

if TYPE_CHECKING:
    from torch import Tensor

    from mnist_core.state import TrainState

PUBLISH_EVERY = 0.25  # seconds between weights to answer with, within an epoch
PUBLISH_SHARE = 0.02  # of the time, what writing them takes at most


def train_run(run: Run, report_every: int | None = None) -> Iterator[Record]:
    """Train `run` to its end in this process, keeping its folder, and yield fit's records as they come.

    A run that was stopped or interrupted goes on exactly from the end of its last whole epoch. Raises RunError for one
    that has ended for good or that another process trains, and whatever LabError ends it; the status then says so.
    """
    config = run.config()
    with run.locked():
        state = run.status().state
        if state.is_over:
            raise RunError(f"The run {run.id} has {state}: there is nothing left to train.")
        try:
            if state is not RunState.WAITING:  # a request to stop a run that waits is still to be met
                run.clear_requests()
            run.set_status(RunState.RUNNING)
            yield from _train(run, config, report_every)
        except (LabError, OSError) as error:
            if status.is_deleted(run.path):
                raise RunError(f"The run {run.id} has ended, as its folder {run.path} has been deleted.") from error
            if isinstance(error, OSError):
                raise _failed(run, _cannot_save(run, error)) from error
            _failed(run, error)
            raise
        except MemoryError as error:
            raise _failed(run, _out_of_memory(run)) from error
        except RuntimeError as error:
            if "out of memory" not in str(error) and "can't allocate memory" not in str(error):
                raise
            raise _failed(run, _out_of_memory(run)) from error


def _train(run: Run, config: TrainConfig, report_every: int | None) -> Iterator[Record]:
    from mnist_core import trainer, weights  # with torch, which takes seconds to import
    from mnist_core.runs import inputs, snapshots, weight_history
    from mnist_core.state import Loaders

    footprint.check(config, run.path)
    fingerprint = run.fingerprint()
    written = (run.metrics, run.state, run.weights)
    names = [*(path.name for path in written), "status.json", weight_history.NAME, snapshots.NAME]
    remove_left_over(run.path, names)

    def publish(state: TrainState, durable: bool = True) -> None:
        weights.save(run.weights, state.model.state_dict(), fingerprint, durable, state.step)

    state = _take_up(run, config)
    loaders = Loaders.of(config, inputs.own_of(run.path, config))
    newest_snapshot = max((step for step in _snapshots(run) if step <= state.step), default=None)
    next_publishing = -math.inf  # the moment from which on newer weights are written
    with run.recorder() as recorder:
        try:
            for record in trainer.fit(config, state, loaders, report_every):
                if status.is_deleted(run.path):  # the open files would take more
                    raise RunError(f"The run {run.id} has been deleted.")
                recorder.append(record)
                if record["event"] in ("start", "epoch"):  # before the state: what is on disk never lacks one
                    weight_history.add(run.path, state.epoch, state.model)
                is_due = record["event"] in ("start", "step") and snapshots.is_due(state.step, newest_snapshot)
                if is_due and snapshots.add(run.path, state.step, state.model):
                    newest_snapshot = state.step
                if record["event"] == "epoch":
                    # in this order: a state on disk always has its records on disk before it
                    recorder.sync()
                    weights.save(run.state, state.tensors(), fingerprint)
                    publish(state)
                elif record["event"] == "end":
                    recorder.sync()
                    if record["reason"] == "diverged":
                        weights.save(run.weights, _sound_weights(run, config), fingerprint)
                    else:
                        publish(state)  # of the epoch that was chosen
                    run.clear_requests()
                    run.set_status(RunState(record["reason"]), record.get("advice", ""))
                    run.state.unlink(missing_ok=True)
                elif (begin := time.monotonic()) >= next_publishing:
                    publish(state, durable=False)
                    end = time.monotonic()
                    next_publishing = end + max(PUBLISH_EVERY, (end - begin) / PUBLISH_SHARE)
                yield record
                if record["event"] == "end":
                    return
                if (lr := run.lr_requested()) is not None:
                    state.lr = lr
                    change: LrChange = {"event": "lr", "step": state.step, "lr": lr}
                    recorder.append(change)
                    run.clear_lr_request()  # only now: a reader finds the change in one place or the other
                    yield change
                if run.pause_requested():
                    publish(state, durable=False)
                    _pause(run)
                if run.stop_requested():
                    stop: End = {"event": "end", "reason": "stopped", "epoch": state.epoch, "step": state.step}
                    recorder.append(stop)
                    publish(state)
                    run.clear_requests()
                    run.set_status(RunState.STOPPED)
                    yield stop
                    return
        except (KeyboardInterrupt, GeneratorExit):
            if run.status().state.is_active:
                publish(state)
                run.set_status(RunState.STOPPED)
            raise


def _snapshots(run: Run) -> list[int]:
    """The steps of which there are snapshots; a damaged file's are made anew."""
    from mnist_core.runs import snapshots

    try:
        return list(snapshots.read(run.path))
    except ModelError:
        return []


def _take_up(run: Run, config: TrainConfig) -> TrainState:
    """The state that `run` goes on from, with the records rewound to it and the number of threads it started with."""
    from mnist_core import device

    state = _saved_state(run, config)
    try:
        records = run.rewind(state.epoch)
    except DamagedRecords:
        run.rewind(0)
        run.state.unlink(missing_ok=True)
        run.set_status(
            RunState.RUNNING, "The records of its epochs were damaged, so it is trained again from its start."
        )
        return _fresh_state(run, config)
    if records and records[0]["event"] == "start":
        threads = records[0].get("environment", {}).get("threads")
        if isinstance(threads, int) and threads > 0:  # an early version did not record it
            state.threads = device.resume_threads(threads)
    return state


def _fresh_state(run: Run, config: TrainConfig) -> TrainState:
    """The state before the first step."""
    from mnist_core.runs import inputs
    from mnist_core.state import TrainState

    return TrainState.of(config, inputs.read_base(run.path))


def _saved_state(run: Run, config: TrainConfig) -> TrainState:
    """The state at the end of the last whole epoch; a fresh one before the first."""
    from mnist_core import weights

    state = _fresh_state(run, config)
    if run.state.exists():
        try:
            state.load(weights.load(run.state, run.fingerprint()))
        except ModelError as error:
            raise RunError(
                f"The run {run.id} cannot go on, as {run.state} is damaged or belongs to another run: "
                "train its config again."
            ) from error
    return state


def _sound_weights(run: Run, config: TrainConfig) -> dict[str, Tensor]:
    """The network's weights at the end of the last whole epoch; those it started with before the first."""
    from mnist_core import weights

    if run.state.exists():
        return weights.load(run.state, run.fingerprint(), part="model")
    return _fresh_state(run, config).model.state_dict()


def _pause(run: Run) -> None:
    """Block until the pause ends or the run is to stop."""
    run.set_status(RunState.PAUSED)
    while run.pause_requested() and not run.stop_requested():
        time.sleep(0.05)
    run.set_status(RunState.RUNNING)


def _failed(run: Run, error: LabError) -> LabError:
    """The same error, once the run's status has it, where that can still be written."""
    with contextlib.suppress(LabError):
        run.set_status(RunState.FAILED, str(error))
    return error


def _cannot_save(run: Run, error: OSError) -> RunError:
    return RunError(
        f"The run {run.id} cannot be saved in {run.path}: {reason(error)}. Resume goes on from its last epoch."
    )


def _out_of_memory(run: Run) -> RunError:
    return RunError(
        f"The run {run.id} needs more memory than there is: try a smaller batch or network, or train fewer at a time."
    )
