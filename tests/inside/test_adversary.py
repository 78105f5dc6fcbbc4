import numpy as np
import pytest
import torch

from mnist_core import dataset, model
from mnist_core.inside import adversary
from mnist_core.reading import predictor

TEST = dataset.load_test("sample")


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
@pytest.mark.parametrize("towards", [None, 9])
def test_it_flips_at_that_step_and_at_none_before(name, towards):
    loaded = predictor.load(name)
    image = TEST.images[int((TEST.labels == 7).nonzero()[0])].numpy()
    flip = adversary.smallest_flip(loaded.network, image, towards)
    assert flip is not None
    assert flip.was == loaded.predict_one(image).digit
    assert loaded.predict_one(flip.image).digit == flip.digit != flip.was
    assert towards in (None, flip.digit)
    difference = flip.image.astype(int) - image
    assert np.abs(difference).max() <= flip.step
    way = np.sign(difference)
    for step in range(1, flip.step):
        earlier = np.clip(image.astype(int) + step * way, 0, 255).astype(np.uint8)
        assert (
            loaded.predict_one(earlier).digit == flip.was
            if towards is None
            else towards != loaded.predict_one(earlier).digit
        )


def test_a_linear_model_by_hand():
    network = model.build("softmax").eval().requires_grad_(False)
    linear = network.layers[-1]
    linear.weight.zero_()
    linear.bias.fill_(-100)
    linear.bias[1], linear.bias[2] = 0.0, -1.0
    linear.weight[2, 0] = 1.0  # only the first pixel counts, and for a 2 alone
    image = np.zeros((28, 28), np.uint8)
    needed = next(
        step
        for step in range(256)
        if (step / 255 - dataset.MEAN) / dataset.STD > 1 - 0  # its logit above 0
    )
    flip = adversary.smallest_flip(network, image)
    assert flip is not None
    assert (flip.step, flip.was, flip.digit) == (needed, 1, 2)
    assert flip.image[0, 0] == needed
    assert not flip.image[0, 1:].any()


def test_a_network_that_always_says_the_same_is_never_flipped():
    network = model.build("softmax").eval().requires_grad_(False)
    network.layers[-1].weight.zero_()
    network.layers[-1].bias[4] = 9.0
    assert adversary.smallest_flip(network, TEST.images[0].numpy()) is None
    assert adversary.smallest_flip(network, TEST.images[0].numpy(), 3) is None


def test_the_network_keeps_no_gradients():
    network = predictor.load("mlp").network
    adversary.smallest_flip(network, TEST.images[0].numpy())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.is_grad_enabled()
