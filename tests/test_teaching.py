import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mnist_core import dataset, evaluation, teaching, trainer
from mnist_core.__main__ import main
from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, DatasetError, ModelError, RunError
from mnist_core.exchange import model_card
from mnist_core.exchange.run_archive import export_run, import_run
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.reading import catalog, predictor
from mnist_core.runs import inputs
from mnist_core.runs.training import train_run
from mnist_core.state import Before, OwnSplit, TrainState
from tests.conftest import curves


@pytest.fixture
def sets(tmp_path):
    """Three of each digit, as somebody writes them who turns every digit upside down."""
    store = DigitStore(tmp_path / "digits")
    kept = store.create("me")
    sample = dataset.load_test("sample")
    for digit in range(10):
        for image in sample.images[sample.labels == digit][:3]:
            kept.add(digit, np.rot90(image.numpy(), 2).repeat(4, 0).repeat(4, 1))
    return store


@pytest.fixture
def base(trained):
    return trained(epochs=4)


def taught(base, store, sets, **changes):
    settings = teaching.settings(base.id, ("me",), store) | {"epoch_images": 640, "device": "cpu"}
    run = teaching.create_run(TrainConfig(**settings | changes), store, sets)
    for _ in train_run(run):
        pass
    return run


def test_a_model_learns_own_digits_and_says_what_it_read_before(base, store, sets):
    run = taught(base, store, sets, lr=0.02, epochs=6, augment="none", distillation=0.0)
    start, *_, end = run.records()
    assert (end["own_learnt"], end["own_held_back"]) == (20, 10)
    assert end["own_accuracy"] > end["own_accuracy_before"] + 0.2
    assert end["test_accuracy_before"] == base.end()["test_accuracy"]
    assert start["own_accuracy"] == end["own_accuracy_before"]
    held_back = dataset.Dataset.of(inputs.read_own(run.path).held_back)
    for model, figure in ((base.id, "own_accuracy_before"), (run.id, "own_accuracy")):
        read = predictor.load(model, store).predictions(held_back)
        assert read.right.mean() == pytest.approx(end[figure])
    epochs = [record for record in run.records() if record["event"] == "epoch"]
    assert epochs[-1]["own_accuracy"] == end["own_accuracy"]
    assert end["chosen_epoch"] == 6


def test_before_and_after_are_of_the_digits_that_were_held_back(base, store, sets):
    run = taught(base, store, sets, lr=0.01)
    outcome = teaching.outcome(run)
    assert len(outcome.before) == len(outcome.after) == 10
    for number in outcome.won:
        assert outcome.before.digits[number] != outcome.before.labels[number] == outcome.after.digits[number]
    for number in outcome.lost:
        assert outcome.before.digits[number] == outcome.before.labels[number] != outcome.after.digits[number]
    end = run.end()
    assert len(outcome.won) - len(outcome.lost) == round(10 * (end["own_accuracy"] - end["own_accuracy_before"]))
    assert teaching.outcome(base) is None


def test_a_run_needs_neither_its_base_nor_its_sets_any_more(base, store, sets):
    run = taught(base, store, sets)
    other = teaching.create_run(run.config(), store, sets)
    for record in train_run(other):
        if record["event"] == "epoch":
            other.request_stop()
    base.delete()
    sets.delete("me")
    for _ in train_run(other):
        pass
    assert other.weights.read_bytes() == run.weights.read_bytes()
    assert curves(other) == curves(run)


def test_a_taught_run_is_taken_along_whole(base, store, sets, tmp_path):
    run = taught(base, store, sets)
    export_run(run, tmp_path / "run.zip")
    run.delete()
    again = import_run(tmp_path / "run.zip", store)
    assert teaching.outcome(again).after.right.sum() == round(10 * again.end()["own_accuracy"])


def test_distillation_is_the_distance_from_the_logits_that_were_right(base, store):
    config = dataclasses.replace(base.config(), start_from=base.id, distillation=0.5, optimizer="sgd", lr=0.1)
    state = TrainState.of(config, inputs.read_base(teaching.create_run(config, store).path))
    with torch.no_grad():
        for parameter in state.model.parameters():
            parameter += 0.1
    expected = copy.deepcopy(state.model)
    sample = dataset.load_test("sample")[:64]
    images = dataset.normalise(sample.images)
    logits, old = expected(images), state.teacher(images).detach()
    right = old.argmax(1) == sample.labels
    assert 0 < right.sum() < 64
    distance = ((logits - old)[right] ** 2).sum() / (10 * 64)
    (F.cross_entropy(logits, sample.labels) + 0.5 * distance).backward()
    trainer._step(config, state, images, sample.labels, 0.1, evaluation.Tally())
    for parameter, started in zip(state.model.parameters(), expected.parameters(), strict=True):
        assert torch.allclose(parameter, started - 0.1 * started.grad, atol=1e-6)


def test_distillation_keeps_what_was_known_and_needs_a_model_that_knows(base, store, sets):
    def distance(weight):
        run = taught(base, store, sets, lr=0.02, distillation=weight)
        images = dataset.load_test("sample").images
        old, new = (evaluation.logits(predictor.load(one.id, store).network, images) for one in (base, run))
        return float((old - new).square().mean())

    assert distance(1.0) < distance(0.0) / 2
    with pytest.raises(ConfigError, match="distillation needs a model to go on from"):
        TrainConfig(distillation=0.1)


def test_batch_norm_keeps_its_means_where_a_model_is_taught(store, sets, trained):
    base = trained(model="cnn", hidden=(64,), width=4, epochs=1)
    run = taught(base, store, sets)
    before, after = (predictor.load(one.id, store).network.state_dict() for one in (base, run))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not [name for name in moved if "running" in name or "num_batches" in name]


def test_frozen_layers_stay_as_they_are_also_where_the_run_is_resumed(store, sets, trained):
    base = trained(model="cnn", hidden=(64,), width=4, epochs=1)
    whole = taught(base, store, sets, frozen=2)
    run = teaching.create_run(whole.config(), store, sets)
    for _ in range(2):
        for record in train_run(run):
            if record["event"] == "epoch" and record["epoch"] == 1:
                run.request_stop()
    assert run.weights.read_bytes() == whole.weights.read_bytes()
    before, after = (predictor.load(one.id, store).network.state_dict() for one in (base, run))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.partition(".")[0] for name in moved} == {"features", "classifier"}
    assert not [name for name in moved if name.startswith(("features.1.", "features.3.", "features.5.", "features.6."))]
    with pytest.raises(ModelError, match="The network has 4 layers with weights: fewer have to be frozen, got 4"):
        taught(base, store, sets, frozen=4)
    with pytest.raises(ConfigError, match="frozen needs a model to go on from"):
        TrainConfig(frozen=1)


def test_from_scratch_the_set_is_learnt_beside_the_data(small, store, sets):
    run = teaching.create_run(dataclasses.replace(small, digits=("me",), own_share=0.3), store, sets)
    *_, end = train_run(run)
    assert end["own_learnt"] == 20
    assert "own_accuracy_before" not in end
    assert not (run.path / inputs.BASE).exists()


def test_a_pupil_s_set_may_judge_what_a_class_has_taught(base, store, sets):
    pupil = sets.create("pupil")
    pupil.add(7, np.eye(60, dtype=np.uint8) * 255)
    run = taught(base, store, sets, judged_by=["pupil"])
    assert (run.end()["own_learnt"], run.end()["own_held_back"]) == (30, 1)
    with pytest.raises(ConfigError, match="The set me is to be learnt: it cannot judge as well"):
        TrainConfig(digits=("me",), judged_by=("me",))


def test_one_drawing_is_learnt_alone(base, store, sets):
    path = sets.open("me").files()[0][0]
    image = f"me/{sets.open('me').place(path)}"
    settings = teaching.settings(base.id, (image,), store)
    assert settings["epochs"] == 1
    run = teaching.create_run(TrainConfig(**settings, device="cpu"), store, sets)
    *_, end = train_run(run)
    assert end["own_learnt"] == 1
    assert "own_accuracy" not in end
    assert teaching.outcome(run) is None


def test_a_model_goes_on_with_its_own_config_where_no_set_is_named(base, store):
    settings = teaching.settings(base.id, store=store)
    assert TrainConfig(**settings) == dataclasses.replace(base.config(), start_from=base.id)
    run = teaching.create_run(TrainConfig(**settings), store)
    start, *_ = train_run(run)
    assert start["val_accuracy"] > 0.5


def test_the_shipped_models_can_all_be_taught(store):
    for name in catalog.shipped():
        config = TrainConfig(**teaching.settings(name, ("me",), store))
        assert config.seed == catalog.config_of(name).seed
        assert config.validation_images == 1_000


def test_what_does_not_fit_is_one_sentence(base, store, sets, small):
    with pytest.raises(ConfigError, match=r"has hidden \(16,\), not \(8,\): its weights fit its own network alone"):
        teaching.create_run(dataclasses.replace(small, start_from=base.id, hidden=(8,)), store, sets)
    with pytest.raises(RunError, match=r"There is no run nobody .* Shipped models are"):
        teaching.settings("nobody", ("me",), store)
    with pytest.raises(DatasetError, match="There is no set you"):
        teaching.create_run(dataclasses.replace(small, digits=("you",)), store, sets)
    sets.create("empty")
    with pytest.raises(DatasetError, match="The set empty is empty"):
        teaching.create_run(dataclasses.replace(small, digits=("empty",)), store, sets)
    with pytest.raises(ModelError, match=f"The weights of {base.id}, which the training starts from, are missing"):
        TrainState.of(dataclasses.replace(small, start_from=base.id))
    with pytest.raises(ConfigError, match=r"start_from cannot be '\.\./x'"):
        dataclasses.replace(small, start_from="../x")
    assert [run.id for run in store.runs()] == [base.id]


@pytest.mark.parametrize("name", [inputs.BASE, inputs.OWN])
def test_a_missing_input_is_one_sentence(base, store, sets, name):
    config = TrainConfig(**teaching.settings(base.id, ("me",), store) | {"device": "cpu"})
    run = teaching.create_run(config, store, sets)
    (run.path / name).unlink()
    with pytest.raises(ModelError, match="are missing"):
        list(train_run(run))


def test_taught_weights_come_back_with_their_card_alone(base, store, sets, tmp_path):
    run = taught(base, store, sets)
    model_card.export([run], tmp_path / "taught.safetensors")
    again = import_run(tmp_path / "taught.safetensors", store)
    assert again.config() == run.config()
    assert teaching.outcome(again) is None
    assert predictor.load(again.id, store).config.start_from == base.id


@pytest.mark.parametrize("name", [inputs.BASE, inputs.OWN])
def test_a_damaged_input_is_one_sentence(base, store, sets, name):
    config = TrainConfig(**teaching.settings(base.id, ("me",), store) | {"device": "cpu"})
    run = teaching.create_run(config, store, sets)
    (run.path / name).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=f"{name} is damaged"):
        list(train_run(run))
    assert run.status().state == "failed"


def test_the_shell_teaches_as_the_pages_do(base, store, sets, capsys):
    where = ["--runs-dir", str(store.folder), "--digits-dir", str(sets.folder), "--device", "cpu"]
    assert main(["train", "--from", base.id, "--digits", "me", "--epochs", "1", "--json", *where]) == 0
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end["own_held_back"] == 10
    config = store.open(end["run"]).config()
    assert config == TrainConfig(**teaching.settings(base.id, ("me",), store) | {"epochs": 1, "device": "cpu"})
    assert main(["train", "--from", base.id, "--digits", "me", "--epochs", "1", *where]) == 0
    assert "20 own digits were learnt. Of 10 that were held back," in capsys.readouterr().out


def test_the_state_keeps_what_was_read_before(small):
    state = TrainState.of(small)
    for _ in trainer.fit(small, state):
        pass
    for before in (None, Before(0.5), Before(0.5, 0.25), Before(0.5, None, 0.75), Before(0.5, 0.0, 1.0)):
        state.before = before
        again = TrainState.of(small)
        again.load(state.tensors())
        assert again.before == before


def test_an_epoch_has_its_share_of_own_digits_each_as_often():
    labels = torch.tensor([3, 3, 3, 7])
    sampler = dataset.Sampler(data=100, images=60, own=20, labels=labels)
    torch.manual_seed(0)
    order = sampler()
    assert len(order) == len(sampler) == 60
    own = order[order >= 100] - 100
    assert sorted(labels[own].tolist()) == [3] * 10 + [7] * 10
    assert len(set(order[order < 100].tolist())) == 40
    torch.manual_seed(1)
    whole = dataset.Sampler(data=50, images=50)()
    torch.manual_seed(1)
    assert torch.equal(whole, torch.randperm(50))


def test_only_own_digits_are_changed_where_a_model_is_taught(base, store, sets):
    config = TrainConfig(**teaching.settings(base.id, ("me",), store) | {"device": "cpu"})
    from mnist_core.state import Loaders

    loaders = Loaders.of(config, OwnSplit.of(config, sets))
    images = {image.numpy().tobytes() for image in dataset.normalise(loaders.train.dataset.images)}
    seen = torch.cat([batch for batch, _ in loaders.train])
    same = sum(image.numpy().tobytes() in images for image in seen)
    assert same == pytest.approx(len(seen) * (1 - config.own_share), abs=1)
