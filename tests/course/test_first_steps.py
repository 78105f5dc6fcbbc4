import math

import pytest
import torch
import torch.nn.functional as F

from mnist_core import dataset
from mnist_core.config import TrainConfig
from mnist_core.course import first_steps
from mnist_core.dataset import Dataset
from mnist_core.state import TrainState

BATCH = dataset.load_test("sample")[:64]
CONFIG = TrainConfig(data="sample", hidden=(8,), optimizer="sgd", seed=5)
IMAGE = BATCH.images[5].numpy()


def test_before_it_has_learned_a_network_guesses():
    found = first_steps.untrained(CONFIG, BATCH, IMAGE)
    assert found.loss == pytest.approx(math.log(10), abs=0.2)
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-6)
    network = TrainState.of(CONFIG).model  # what a training of the config begins with
    logits = network(dataset.normalise(BATCH.images))
    assert found.loss == pytest.approx(F.cross_entropy(logits, BATCH.labels).item())
    own = network(dataset.normalise(BATCH.images[5:6]))[0].softmax(0)
    assert found.probabilities == pytest.approx(own.tolist())
    assert found.accuracy == pytest.approx(float((logits.argmax(1) == BATCH.labels).float().mean()))


def test_one_step_is_the_one_that_torchs_optimizer_takes():
    rates = [0.01, 0.5, 20.0]
    losses = first_steps.after_one_step(CONFIG, BATCH, rates)
    pixels = dataset.normalise(BATCH.images)
    for rate, loss in zip(rates, losses, strict=True):
        network = first_steps.fresh(CONFIG)
        optimizer = torch.optim.SGD(network.parameters(), lr=rate)
        F.cross_entropy(network(pixels), BATCH.labels).backward()
        optimizer.step()
        assert F.cross_entropy(network(pixels), BATCH.labels).item() == pytest.approx(loss, rel=1e-4)


def test_a_step_of_nothing_changes_nothing_and_a_small_one_helps():
    still, small = first_steps.after_one_step(CONFIG, BATCH, [0.0, 0.01])
    assert still == pytest.approx(first_steps.untrained(CONFIG, BATCH, IMAGE).loss)
    assert small < still


def test_a_fresh_network_leaves_the_random_state_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first_steps.untrained(CONFIG, Dataset(BATCH.images[:1], BATCH.labels[:1]), IMAGE)
    assert torch.equal(torch.rand(1), expected)


def test_rates_grow_by_one_factor():
    rates = first_steps.rates(0.01, 100, 5)
    assert rates == [0.01, 0.1, 1, 10, 100]
