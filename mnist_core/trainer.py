"""Training a network.

`fit` is a generator of plain records; a progress bar, a file or a chart iterates it. All randomness of
an epoch follows from the config's seed and the epoch's number, so a training that goes on from the state at an epoch's
end takes exactly the steps that an uninterrupted one takes.
"""

import dataclasses
import math
import time
from collections.abc import Generator, Iterator
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_core import calibration, device, model
from mnist_core.config import TrainConfig
from mnist_core.dataset import NO_DIGIT
from mnist_core.errors import RunError
from mnist_core.evaluation import Evaluation, Loader, Tally, evaluate, logits_and_labels, measure
from mnist_core.records import End, Epoch, Record, Resume, Start
from mnist_core.state import Before, Loaders, TrainState

WARM_UP = 0.2  # share of a one-cycle schedule in which the learning rate rises
WARM_UP_FROM = 1 / 25  # of the highest learning rate, where one-cycle starts
GUESSING = math.log(10)  # the cross-entropy of giving each of the ten digits the same probability


def warm_up() -> None:
    """Take a first step, for which torch sets much up, and import what the end takes, so that a training is quick."""
    import scipy.optimize  # noqa: F401

    config = TrainConfig()
    state = TrainState.of(config)
    torch.set_num_threads(state.threads)
    place = next(state.model.parameters()).device
    images = torch.zeros(config.batch_size, 1, 28, 28, device=place)
    _step(config, state, images, torch.zeros(config.batch_size, dtype=torch.int64, device=place), config.lr, Tally())


def learning_rate(schedule: str, lr: float, step: int, steps: int) -> float:
    """The learning rate of step `step` (from 0) of `steps`, where `lr` is the highest.

    one-cycle is Smith and Topin's (2018): evenly up from a 25th over the first fifth of the steps, then evenly to 0.
    """
    if schedule == "constant":
        return lr
    done = step / steps
    if schedule == "one-cycle":
        if done < WARM_UP:
            return lr * (WARM_UP_FROM + (1 - WARM_UP_FROM) * done / WARM_UP)
        return lr * (1 - done) / (1 - WARM_UP)
    return lr * (0.5 + 0.5 * math.cos(math.pi * done))


def fit(
    config: TrainConfig,
    state: TrainState | None = None,
    loaders: Loaders | None = None,
    report_every: int | None = None,
) -> Iterator[Record]:
    """Train, yielding records of JSON-able values: a "start" (or "resume"), "step"s, "epoch"s, and one "end".

    `state` (a fresh one if None) is advanced in place and is whole at every record; closing the generator early leaves
    it usable. Where `state` has epochs behind it, training goes on from there. `loaders` replace the config's data.
    A "step" record comes every `report_every` steps (None: 20, fewer where batches are large) and at each epoch's end,
    with means since the last one; it waits for the next digit where all images since then were of the background.
    Every loss is the cross-entropy alone, without label smoothing and distillation, so that all can be compared. Every
    number is finite.
    Where the config starts from a model, the start says what that reads right, and so does the end beside what is read
    then; the means of its batch normalisation stay as they are.

    The end's "reason" is "finished", or "diverged" where a loss was no longer finite, in training or on the images held
    back, or an epoch went far above the loss of guessing and left a network that does no better. At "finished",
    `state.model` has the weights of the epoch that read most validation images right, and the record carries its
    calibration and its test figures, read there once. Seconds and images/s count training steps, neither evaluation
    nor the time that the reader of a record takes. Sets torch's global seed and, to `state.threads`, its number of
    threads. Raises DatasetError and DeviceError, and RunError for a `state` at its end that has no checkpoint.
    """
    report_every = report_every or config.report_every
    state = state or TrainState.of(config)
    torch.set_num_threads(state.threads)
    loaders = loaders or Loaders.of(config)
    place = next(state.model.parameters()).device
    device.make_deterministic(place)
    steps = len(loaders.train) * config.epochs
    if state.base and not state.epoch:
        own = evaluate(state.model, loaders.own).accuracy if loaders.own else None
        state.before = Before(evaluate(state.model, loaders.validation).accuracy, own, state.base.test_accuracy)
    yield _first_record(config, state, loaders, steps)
    while state.epoch < config.epochs:
        train, seconds = yield from _train_epoch(config, state, loaders.train, steps, report_every)
        if not math.isfinite(train.loss):
            yield _diverged(state)
            return
        validation = evaluate(state.model, loaders.validation)
        if not math.isfinite(validation.loss):
            yield _diverged(state)
            return
        state.end_epoch(validation.accuracy)
        record: Epoch = {
            "event": "epoch",
            "epoch": state.epoch,
            "step": state.step,
            "train_loss": train.loss,
            "train_accuracy": train.accuracy,
            "val_loss": validation.loss,
            "val_accuracy": validation.accuracy,
            "seconds": seconds,
        }
        if loaders.own:
            record["own_accuracy"] = evaluate(state.model, loaders.own).accuracy
        yield record
        if train.loss > 2 * GUESSING and validation.loss > 0.9 * GUESSING:
            yield _diverged(state)
            return
    yield _last_record(config, state, loaders)


def _train_epoch(
    config: TrainConfig, state: TrainState, loader: Loader, steps: int, report_every: int
) -> Generator[Record, None, tuple[Evaluation, float]]:
    """One pass over `loader`, yielding "step" records; returns the pass's means and its seconds.

    Ends early, with the means since the last report, where their loss is not finite.
    """
    torch.manual_seed(_epoch_seed(config, state.epoch))
    state.model.train()
    if state.base:  # few images say less of the means that normalise than all that it was trained on
        for module in state.model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.eval()
    whole, recent = Tally(), Tally()
    epoch_seconds, since = 0.0, time.perf_counter()
    for in_epoch, (images, labels) in enumerate(loader, start=1):
        lr = learning_rate(config.schedule, state.lr, state.step, steps)
        _step(config, state, images, labels, lr, recent)
        if in_epoch < len(loader) and (in_epoch % report_every or not recent.has_digits):
            continue
        mean = recent.mean()
        seconds = time.perf_counter() - since
        epoch_seconds += seconds
        state.seconds += seconds
        if not math.isfinite(mean.loss):
            return mean, epoch_seconds
        if recent.has_digits:  # or there is none behind the last report
            yield {
                "event": "step",
                "epoch": state.epoch + 1,
                "step": state.step,
                "loss": mean.loss,
                "accuracy": mean.accuracy,
                "lr": lr,
                "images_per_s": recent.images / seconds,
            }
        whole.merge(recent)
        recent, since = Tally(), time.perf_counter()
    return whole.mean(), epoch_seconds


def _step(config: TrainConfig, state: TrainState, images: Tensor, labels: Tensor, lr: float, tally: Tally) -> None:
    with torch.autocast(images.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
        logits = state.model(images)
    logits = logits.float()
    # that it is no digit is an eleventh class, whose logit is always 0
    classes = F.pad(logits, (0, 1)) if config.background else logits
    loss = F.cross_entropy(classes, labels, label_smoothing=config.label_smoothing)
    if state.teacher:
        loss = loss + config.distillation * _moved_away(logits, state.teacher, images, labels)
    state.model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # missing in torch's stubs
    state.optimizer.step(lr)
    state.step += 1
    tally.add(logits, labels)


def _moved_away(logits: Tensor, teacher: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean squared difference between the logits and the teacher's, 0 for an image that the teacher reads wrong.

    To keep a network's old logits keeps what it knows (Buzzega et al., 2020); what it reads wrong is not to be kept.
    """
    with torch.no_grad():
        old: Tensor = teacher(images).float()
    return ((logits - old).square().mean(1) * (old.argmax(1) == labels)).mean()


def _first_record(config: TrainConfig, state: TrainState, loaders: Loaders, steps: int) -> Start | Resume:
    place = next(state.model.parameters()).device
    described = {
        "data": config.data,
        "model": config.model,
        "device": device.describe(place),
        "parameters": model.count_parameters(state.model),
        "epochs": config.epochs,
        "steps": steps,
        "environment": device.environment(),
    }
    if state.epoch:
        return cast(Resume, {"event": "resume", **described, "epoch": state.epoch, "step": state.step})
    first = next(batch for batch in loaders.train if (batch[1] != NO_DIGIT).any())
    return cast(
        Start,
        {"event": "start", **described, "first_loss": evaluate(state.model, [first]).loss, **_known(state.before)},
    )


def _known(before: Before | None, behind: str = "") -> dict[str, float]:
    """The shares that are known, by name, with `behind` behind each."""
    figures = dataclasses.asdict(before) if before else {}
    return {f"{name}{behind}": value for name, value in figures.items() if value is not None}


def _last_record(config: TrainConfig, state: TrainState, loaders: Loaders) -> End:
    """The record of a training that is done; the network becomes the checkpoint chosen on the validation images.

    "diverged" where it gives numbers that are not finite on images that no epoch's end has looked at.
    """
    if state.best is None:
        raise RunError(
            "The state at the end of the last epoch has no checkpoint to choose: an earlier version saved it. "
            "Train the config again."
        )
    state.model.load_state_dict(state.best.weights)
    logits, labels = logits_and_labels(state.model, loaders.validation)
    changed = logits
    if loaders.changed:  # in the same order
        torch.manual_seed(_epoch_seed(config, config.epochs))
        changed, _ = logits_and_labels(state.model, loaders.changed)
    validation, test = measure(logits, labels), evaluate(state.model, loaders.test)
    fitted = calibration.calibrate(logits, labels, changed)
    record: End = {
        "event": "end",
        "reason": "finished",
        "data": config.data,
        "epoch": state.epoch,
        "step": state.step,
        "chosen_epoch": state.best.epoch,
        "temperature": fitted.temperature,
        "threshold": fitted.threshold,
        "val_loss": validation.loss,
        "val_accuracy": validation.accuracy,
        "changed_accuracy": measure(changed, labels).accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "seconds": state.seconds,
    }
    if loaders.own_learnt:
        record["own_learnt"] = loaders.own_learnt
    if loaders.own:
        record["own_accuracy"] = evaluate(state.model, loaders.own).accuracy
        record["own_held_back"] = sum(len(labels) for _, labels in loaders.own)
    record |= cast(End, _known(state.before, "_before"))
    finite = all(math.isfinite(value) for value in record.values() if isinstance(value, float))
    return record if finite else _diverged(state)


def _diverged(state: TrainState) -> End:
    return {
        "event": "end",
        "reason": "diverged",
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "advice": f"The loss grew instead of falling: the steps were too large. "
        f"Try a learning rate of {state.lr / 10:g} or less instead of {state.lr:g}.",
    }


def _epoch_seed(config: TrainConfig, epoch: int) -> int:
    """A seed of its own for each epoch of each config's seed, mixed by NumPy's SeedSequence so that none overlap."""
    return int(np.random.SeedSequence([config.seed, epoch]).generate_state(1, np.uint64)[0])
