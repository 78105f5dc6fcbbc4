import copy
import dataclasses
import json
import math

import pytest
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from mnist_core import dataset, evaluation, trainer
from mnist_core.calibration import ACCEPTED, digit_score
from mnist_core.config import TrainConfig
from mnist_core.dataset import NO_DIGIT
from mnist_core.device import DeviceDataLoader
from mnist_core.model import NETWORKS
from mnist_core.state import Loaders, TrainState
from mnist_core.trainer import fit
from tests.conftest import SMALL, needs_gpu

SETTINGS = [
    {"optimizer": "sgd", "lr": 0.1, "schedule": "constant"},
    {"optimizer": "momentum", "lr": 0.05, "schedule": "cosine", "weight_decay": 1e-4},
    {"optimizer": "adamw", "dropout": 0.3, "augment": "affine", "label_smoothing": 0.1},
    {"model": "cnn", "hidden": (64,), "batch_size": 64},
    {"model": "softmax", "hidden": (64,)},
    {
        "augment": "handwriting",
        "background": 0.2,
        "precision": "bfloat16",
        "model": "convnet",
        "hidden": (64,),
        "width": 8,
    },
]


def same(one: TrainState, other: TrainState) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def weights(state: TrainState) -> list[torch.Tensor]:
    return list(state.model.state_dict().values())


def test_records_tell_the_whole_training(small):
    records = list(fit(small, report_every=4))
    assert json.loads(json.dumps(records)) == records
    events = [record["event"] for record in records]
    # 1,250 images are 10 batches of 128: reports after 4, 8 and 10
    assert events == ["start", *(["step"] * 3 + ["epoch"]) * 2, "end"]
    assert [record["step"] for record in records if record["event"] == "step"] == [4, 8, 10, 14, 18, 20]
    start, end = records[0], records[-1]
    assert start["steps"] == 20
    assert start["parameters"] == 784 * 16 + 16 + 16 * 10 + 10
    assert start["data"] == end["data"] == "sample"
    assert end["reason"] == "finished"
    assert 0.5 < end["val_accuracy"] <= 1
    assert 0.5 < end["test_accuracy"] <= 1
    assert all(record["images_per_s"] > 0 for record in records if record["event"] == "step")


@pytest.mark.parametrize("model", NETWORKS)
def test_the_first_loss_is_near_ln_10(model):
    start = next(fit(TrainConfig(model=model, data="sample", device="cpu")))
    assert start["first_loss"] == pytest.approx(math.log(10), abs=0.15)


@pytest.mark.parametrize(
    ("validation_size", "batch_size", "background"),
    [(None, 128, 0.0), (None, 32, 0.5), (1_487, 1, 0.05), (500, 1_000, 0.0), (700, 7, 0.33)],
)
def test_the_config_knows_how_many_steps_fit_takes(validation_size, batch_size, background):
    config = TrainConfig(
        data="sample",
        validation_size=validation_size,
        batch_size=batch_size,
        background=background,
        model="softmax",
        epochs=3,
        device="cpu",
    )
    loaders = Loaders.of(config)
    assert len(loaders.train.dataset) == config.training_images
    assert next(fit(config, loaders=loaders))["steps"] == 3 * config.steps_per_epoch


def test_epoch_figures_are_those_of_evaluate(small):
    state, loaders = TrainState.of(small), Loaders.of(small)
    for record in fit(small, state, loaders):
        if record["event"] == "epoch":
            validation = evaluation.evaluate(state.model, loaders.validation)
            assert (record["val_loss"], record["val_accuracy"]) == (validation.loss, validation.accuracy)
    test = evaluation.evaluate(state.model, loaders.test)
    assert (record["test_loss"], record["test_accuracy"]) == (test.loss, test.accuracy)


def test_fit_takes_the_steps_of_a_loop_by_hand():
    config = TrainConfig(**SMALL, optimizer="momentum", lr=0.05, schedule="constant", weight_decay=1e-3)
    state = TrainState.of(config)
    by_hand = copy.deepcopy(state.model)
    loaders = Loaders.of(config)
    # the same batches for both, read in order
    loaders = dataclasses.replace(loaders, train=dataset.Batches(loaders.train.dataset, 100))
    optimizer = torch.optim.SGD(by_hand.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3)
    losses, right = [], 0
    for epoch in range(2):
        for images, labels in loaders.train:
            logits = by_hand(images)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if epoch == 0:
                losses.append(loss.item() * len(labels))
                right += (logits.argmax(1) == labels).sum().item()
    records = list(fit(config, state, loaders))
    first_epoch = next(record for record in records if record["event"] == "epoch")
    assert first_epoch["train_loss"] == pytest.approx(sum(losses) / 1_250)
    assert first_epoch["train_accuracy"] == right / 1_250
    for ours, theirs in zip(state.model.parameters(), by_hand.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_same_config_gives_the_same_bits(settings):
    config = TrainConfig(**SMALL | settings)
    states = [TrainState.of(config) for _ in range(2)]
    for state in states:
        list(fit(config, state))
        torch.rand(7)  # whatever is drawn between two trainings
    assert same(*states)
    other = dataclasses.replace(config, seed=1)
    state = TrainState.of(other)
    list(fit(other, state))
    assert not same(state, states[0])


@pytest.mark.parametrize("settings", SETTINGS)
def test_going_on_from_an_epochs_end_gives_the_same_bits(settings):
    config = TrainConfig(**SMALL | settings | {"epochs": 3})
    whole, broken = TrainState.of(config), TrainState.of(config)
    records = list(fit(config, whole))
    for record in fit(config, broken):
        if record["event"] == "epoch":
            contiguous = torch.contiguous_format  # as a file holds them
            saved = {name: value.clone(memory_format=contiguous) for name, value in broken.tensors().items()}
        if record["event"] == "step" and record["epoch"] == 3:  # in the middle of an epoch
            break
    resumed = TrainState.of(dataclasses.replace(config, seed=99))
    resumed.load(saved)
    assert (resumed.epoch, resumed.step) == (2, saved["progress"][1])
    rest = list(fit(config, resumed))
    assert same(whole, resumed)
    assert rest[0]["event"] == "resume"
    losses = [record["loss"] for record in records if record["event"] == "step" and record["epoch"] == 3]
    assert [record["loss"] for record in rest if record["event"] == "step"] == losses
    assert rest[-1]["test_loss"] == records[-1]["test_loss"]


def test_the_checkpoint_is_the_epoch_that_read_most_validation_images():
    # so large a rate that epochs go up and down
    config = TrainConfig(**SMALL | {"epochs": 12}, lr=0.02, schedule="constant")
    state, loaders, seen = TrainState.of(config), Loaders.of(config), {}
    for record in fit(config, state, loaders):
        if record["event"] == "epoch":
            seen[record["epoch"]] = record["val_accuracy"], copy.deepcopy(state.model.state_dict())
    best = max(seen, key=lambda epoch: (seen[epoch][0], epoch))
    assert best != config.epochs
    assert record["chosen_epoch"] == best
    assert record["val_accuracy"] == seen[best][0]
    assert all(torch.equal(value, seen[best][1][name]) for name, value in state.model.state_dict().items())
    assert record["test_accuracy"] == evaluation.evaluate(state.model, loaders.test).accuracy


def test_validation_images_are_read_as_they_are_and_changed_as_in_the_training(small):
    plain = list(fit(small))[-1]
    assert plain["changed_accuracy"] == plain["val_accuracy"]
    config = dataclasses.replace(small, augment="handwriting")
    ends = [list(fit(config))[-1] for _ in range(2)]
    assert ends[0]["changed_accuracy"] == ends[1]["changed_accuracy"] != ends[0]["val_accuracy"]
    assert ends[0]["threshold"] == ends[1]["threshold"]


def test_a_background_is_learned_as_no_digit_and_counts_in_no_figure():
    config = TrainConfig(**SMALL | {"epochs": 15, "hidden": (64,)}, background=0.5)
    loaders = Loaders.of(config)
    labels = loaders.train.dataset.labels
    assert (labels == NO_DIGIT).sum() == 625
    state = TrainState.of(config)
    *_, epoch, end = fit(config, state, loaders)
    assert epoch["train_accuracy"] > 0.9
    background = loaders.train.dataset.images[labels == NO_DIGIT]
    scores = digit_score(evaluation.logits(state.model, background))
    assert (scores < end["threshold"]).float().mean() > 0.7
    digits = digit_score(evaluation.logits(state.model, loaders.validation.dataset.images))
    assert (digits >= end["threshold"]).float().mean().item() == pytest.approx(ACCEPTED, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_no_loss_is_said_of_batches_without_a_digit(seed):
    config = TrainConfig(**SMALL | {"seed": seed, "batch_size": 1, "epochs": 1}, background=1.0, validation_size=1_490)
    records = list(fit(config, report_every=1))  # half of its 20 steps are taken on a digit
    assert records[0]["first_loss"] == pytest.approx(math.log(10), abs=1.5)
    steps = [record for record in records if record["event"] == "step"]
    assert len(steps) == 10
    assert all(step["loss"] > 0 for step in steps)
    assert sum(step["loss"] for step in steps) / 10 == pytest.approx(records[-2]["train_loss"])
    assert records[-1]["seconds"] == records[-2]["seconds"] > 0


def test_the_background_follows_from_the_seed(small):
    config = dataclasses.replace(small, background=0.1)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = Loaders.of(config).train.dataset.images
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, Loaders.of(config).train.dataset.images)
    assert not torch.equal(first, Loaders.of(dataclasses.replace(config, seed=1)).train.dataset.images)


def test_losses_can_be_compared_whatever_the_smoothing():
    config = TrainConfig(**SMALL | {"epochs": 30}, label_smoothing=0.5)
    *_, last_epoch, _ = fit(config)
    assert last_epoch["train_accuracy"] > 0.95
    assert last_epoch["train_loss"] < 1.0  # with the smoothing it could not come below 1.8


def test_closing_early_leaves_a_usable_state(small):
    state = TrainState.of(small)
    training = fit(small, state, report_every=1)
    for _ in range(5):
        next(training)
    training.close()
    assert state.step == 4
    assert evaluation.logits(state.model, torch.zeros(2, 28, 28, dtype=torch.uint8)).isfinite().all()


def test_a_loss_that_is_not_finite_ends_the_run_with_advice():
    config = TrainConfig(**SMALL, optimizer="sgd", lr=100.0, schedule="constant", weight_decay=1.0)
    *_, end = fit(config)
    assert end["event"] == "end"
    assert end["reason"] == "diverged"
    assert "learning rate of 10 or less instead of 100" in end["advice"]
    assert "test_accuracy" not in end
    json.dumps(end, allow_nan=False)


@pytest.mark.parametrize("part", ["validation", "test", "changed"])
@pytest.mark.parametrize("factor", [1e38, math.inf, math.nan])
def test_a_loss_that_is_not_finite_on_images_held_back_ends_the_run_as_diverged(small, part, factor):
    loaders = Loaders.of(small)
    loaders = dataclasses.replace(loaders, changed=loaders.validation)
    overflowing = [(images * factor, labels) for images, labels in getattr(loaders, part)]
    state = TrainState.of(small)
    *records, end = fit(small, state, dataclasses.replace(loaders, **{part: overflowing}))
    json.dumps([*records, end], allow_nan=False)
    assert (end["event"], end["reason"]) == ("end", "diverged")
    assert "learning rate of 0.001 or less instead of 0.01" in end["advice"]
    assert "test_accuracy" not in end
    epochs = 0 if part == "validation" else 2
    assert [record["event"] for record in records].count("epoch") == epochs == state.epoch == end["epoch"]


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "lr": 30.0},
        {"optimizer": "momentum", "lr": 3.0},
        {"optimizer": "adamw", "lr": 10.0},
    ],
)
def test_an_epoch_far_above_guessing_ends_the_run(settings):
    records = list(fit(TrainConfig(**SMALL | {"epochs": 5}, schedule="constant", **settings)))
    *_, epoch, end = records
    assert end["reason"] == "diverged"
    assert (epoch["event"], epoch["epoch"]) == ("epoch", 1)
    assert math.isfinite(epoch["train_loss"])
    assert epoch["train_loss"] > 2 * math.log(10)
    assert epoch["val_loss"] > 0.9 * math.log(10)
    assert f"or less instead of {settings['lr']:g}" in end["advice"]
    json.dumps(records, allow_nan=False)


def test_a_bad_beginning_that_is_made_good_is_no_divergence():
    config = TrainConfig(**SMALL | {"hidden": ()}, optimizer="momentum", lr=0.13, schedule="cosine")
    *records, end = fit(config)
    first = next(record for record in records if record["event"] == "epoch")
    assert first["train_loss"] > 2 * math.log(10)
    assert end["reason"] == "finished"


def test_the_learning_rate_can_be_changed_between_records():
    config = TrainConfig(**SMALL, optimizer="sgd", lr=0.1, schedule="constant")
    state, lrs = TrainState.of(config), []
    for record in fit(config, state, report_every=5):
        if record["event"] == "step":
            lrs.append(record["lr"])
            state.lr = {5: 0.01, 15: 0.5}.get(record["step"], state.lr)
    assert lrs == [0.1, 0.01, 0.01, 0.5]


def test_a_schedule_goes_on_from_a_changed_learning_rate():
    config = TrainConfig(**SMALL, lr=0.01, schedule="cosine")
    state, lrs = TrainState.of(config), []
    for record in fit(config, state, report_every=5):
        if record["event"] == "step":
            lrs.append(record["lr"])
            state.lr = 0.002
    highest = [0.01, 0.002, 0.002, 0.002]
    # a record's rate is that of the step before it
    assert lrs == [trainer.learning_rate("cosine", lr, 5 * i + 4, 20) for i, lr in enumerate(highest)]


def test_a_changed_learning_rate_takes_the_steps_of_a_config_that_has_it():
    slow = TrainConfig(**SMALL, optimizer="sgd", lr=0.01, schedule="constant")
    fast = dataclasses.replace(slow, lr=0.3)
    states = [TrainState.of(slow), TrainState.of(fast)]
    changed = fit(slow, states[0])
    next(changed)
    states[0].lr = 0.3
    list(changed)
    list(fit(fast, states[1]))
    assert same(*states)


def test_a_state_keeps_its_changed_learning_rate(small):
    state = TrainState.of(small)
    state.lr = 0.1 + 0.2
    saved = state.tensors()
    other = TrainState.of(small)
    assert other.lr == small.lr
    other.load(saved)
    assert other.lr == 0.1 + 0.2
    steps = [
        record for record in fit(dataclasses.replace(small, schedule="constant"), other) if record["event"] == "step"
    ]
    assert {record["lr"] for record in steps} == {0.1 + 0.2}


@pytest.mark.parametrize(
    ("batch_size", "reports"),
    [
        (16, [20, 40, 60]),  # every 20 steps
        (128, [20, 40]),
        (512, [5, 10]),  # every 2,560 images
        (2_000, [1, 2, 3]),
    ],
)
def test_reports_come_after_fewer_steps_where_batches_are_large(batch_size, reports):
    config = TrainConfig(**SMALL | {"epochs": 1}, batch_size=batch_size)
    loaders = Loaders.of(config)
    sample = loaders.train.dataset
    images = 60 * 16 if batch_size == 16 else 5_000
    index = torch.arange(images) % len(sample)
    loaders = dataclasses.replace(loaders, train=dataset.Batches(sample[index], batch_size))
    assert [record["step"] for record in fit(config, loaders=loaders) if record["event"] == "step"] == reports


def test_data_loaders_of_any_data_set_will_do(small):
    splits, cpu = dataset.load(small), torch.device("cpu")

    def loader(part: dataset.Dataset, shuffle: bool) -> DeviceDataLoader:
        data = TensorDataset(dataset.normalise(part.images), part.labels)
        return DeviceDataLoader(DataLoader(data, batch_size=128, shuffle=shuffle), cpu)

    loaders = Loaders(loader(splits.train, True), loader(splits.validation, False), loader(splits.test, False))
    states = [TrainState.of(small) for _ in range(2)]
    ends = [list(fit(small, state, loaders))[-1] for state in states]
    assert ends[0]["test_accuracy"] > 0.7
    assert same(*states)  # a DataLoader shuffles by the same global state


def test_schedules_are_torchs():
    steps = 1_000
    for name, scheduler in (
        ("cosine", lambda optimizer: CosineAnnealingLR(optimizer, steps)),
        (
            "one-cycle",
            lambda optimizer: OneCycleLR(
                optimizer, 0.5, total_steps=steps, pct_start=0.2, anneal_strategy="linear", final_div_factor=1e9
            ),
        ),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = scheduler(optimizer)
        for step in range(steps):
            theirs = optimizer.param_groups[0]["lr"]
            assert trainer.learning_rate(name, 0.5, step, steps) == pytest.approx(
                theirs, abs=0.5 * 5 / steps
            )  # theirs ends a step early
            optimizer.step()
            schedule.step()
    assert trainer.learning_rate("constant", 0.3, 7, 10) == 0.3


@needs_gpu
def test_a_gpu_gives_the_same_bits_each_time():
    config = TrainConfig(**SMALL | {"device": "cuda", "model": "cnn", "hidden": (64,)})
    states = [TrainState.of(config) for _ in range(2)]
    for state in states:
        list(fit(config, state))
    assert same(*states)
