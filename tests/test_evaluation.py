import dataclasses
import math

import pytest
import torch

from mnist_core import dataset, evaluation
from mnist_core.state import Loaders, TrainState


def test_predict_is_the_network_on_normalised_images(small):
    network = TrainState.of(dataclasses.replace(small, dropout=0.5)).model.train()
    images = torch.randint(0, 256, (2_100, 28, 28), dtype=torch.uint8)
    logits = evaluation.logits(network, images)
    assert network.training
    with torch.no_grad():
        assert torch.allclose(logits, network.eval()(dataset.normalise(images)), atol=1e-5)


def test_measure_by_hand():
    logits = torch.zeros(4, 10)
    logits[0, 3] = 50.0
    figures = evaluation.measure(logits, torch.tensor([3, 0, 1, 2]))
    assert figures.accuracy == 0.5  # a tie is read as the first digit
    assert figures.loss == pytest.approx(0.75 * math.log(10), abs=1e-6)


def test_evaluate_is_measure_over_all_batches(small):
    network = TrainState.of(small).model
    loader = Loaders.of(small).train
    splits = dataset.load(small)
    torch.manual_seed(0)
    ours = evaluation.evaluate(network, loader)
    logits = evaluation.logits(network, splits.train.images)
    expected = evaluation.measure(logits, splits.train.labels)
    assert ours.accuracy == expected.accuracy
    assert ours.loss == pytest.approx(expected.loss, rel=1e-5)


def test_a_tally_merges_without_changing_the_other():
    one, other, both = (evaluation.Tally() for _ in range(3))
    logits, labels = torch.randn(8, 10), torch.arange(8)
    one.add(logits[:1], labels[:1])
    one.add(logits[1:3], labels[1:3])
    other.add(logits[3:], labels[3:])
    both.merge(one)
    both.merge(other)
    expected = evaluation.measure(logits, labels)
    assert both.images == 8
    assert both.mean().accuracy == expected.accuracy
    assert both.mean().loss == pytest.approx(expected.loss, rel=1e-6)
    assert other.mean() == evaluation.measure(logits[3:], labels[3:])
