import numpy as np
import pytest
import torch

from mnist_core import dataset, model
from mnist_core.course import way

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)


def test_a_linear_network_goes_straight_to_its_logits():
    network = model.build("softmax").eval()
    found = way.follow(network, IMAGE)
    assert (found.units, found.worth) == ([], [])
    with torch.inference_mode():
        assert found.logits == pytest.approx(network(dataset.normalise(torch.from_numpy(IMAGE)[None]))[0].tolist())


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_what_the_units_add_makes_up_the_logit(activation):
    network = model.build("mlp", hidden=(32,), activation=activation).eval()
    found = way.follow(network, IMAGE)
    assert len(found.units) == len(found.worth) == 32
    first, last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    with torch.inference_mode():
        sums = first(dataset.normalise(torch.from_numpy(IMAGE)[None]).flatten(1))[0]
    assert found.units == pytest.approx(sums.tolist(), abs=1e-5)
    digit = int(np.argmax(found.logits))
    assert sum(found.worth) + last.bias[digit].item() == pytest.approx(found.logits[digit], abs=1e-4)
    if activation == "relu":
        assert all(worth == 0 for worth, value in zip(found.worth, found.units, strict=True) if value < 0)
