import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mnist_core import dataset, model
from mnist_core.inside import attribution
from mnist_core.reading import catalog, predictor

IMAGE = dataset.load_test("sample").images[0].numpy()
GREY = np.full((28, 28), 40.0, np.float32)


@pytest.mark.parametrize("name", catalog.shipped())
@pytest.mark.parametrize("against", [None, 9])
@pytest.mark.parametrize("baseline", [None, GREY])
def test_completeness(name, against, baseline):
    network = predictor.load(name).network
    found = attribution.integrated_gradients(network, IMAGE, 7, against, baseline)
    images = np.stack([IMAGE, np.zeros((28, 28)) if baseline is None else baseline]).astype(np.float32)
    with torch.inference_mode():
        logits = network(dataset.normalise(torch.from_numpy(images)))
    scores = logits[:, 7] - (logits[:, against] if against is not None else 0)
    assert [found.score, found.baseline_score] == pytest.approx(scores.tolist(), abs=1e-4)
    assert found.pixels.shape == (28, 28)
    reach = abs(found.score - found.baseline_score)
    assert abs(found.gap) <= 0.02 * max(1, reach) + 0.02 * float(np.abs(found.pixels).sum())
    assert found.gap == pytest.approx(float(found.pixels.sum()) - (found.score - found.baseline_score), abs=1e-3)


def test_a_linear_model_counts_each_weight_times_the_way():
    torch.manual_seed(0)
    network = model.build("softmax").eval()
    weights = network.layers[-1].weight.detach().numpy().reshape(10, 28, 28)
    found = attribution.integrated_gradients(network, IMAGE, 3, baseline=GREY)
    way = (IMAGE.astype(np.float32) - GREY) / (255 * dataset.STD)
    assert np.allclose(found.pixels, weights[3] * way, atol=1e-4)
    against = attribution.integrated_gradients(network, IMAGE, 3, 5, GREY)
    assert np.allclose(against.pixels, (weights[3] - weights[5]) * way, atol=1e-4)
    assert abs(found.gap) < 1e-3


def test_the_integral_is_exact_for_a_polynomial():
    class Cubes(nn.Module):
        """Ten equal logits: the sum of the cubes of all pixels, whose integral on the way is known."""

        def forward(self, images: Tensor) -> Tensor:
            return (images**3).sum((1, 2, 3))[:, None].expand(-1, 10)

    image, grey = dataset.normalise(torch.from_numpy(np.stack([IMAGE.astype(np.float32), GREY])))[:, 0].numpy()
    found = attribution.integrated_gradients(Cubes(), IMAGE, 3, baseline=GREY)
    assert np.allclose(found.pixels, image**3 - grey**3, rtol=1e-5, atol=1e-5)


def test_where_image_and_baseline_are_the_same_nothing_counts():
    found = attribution.integrated_gradients(predictor.load("mlp").network, IMAGE, 2)
    assert (found.pixels[IMAGE == 0] == 0).all()
    assert (found.pixels[IMAGE > 0] != 0).any()


def test_the_network_keeps_no_gradients():
    network = predictor.load("mlp").network
    attribution.integrated_gradients(network, IMAGE, 2)
    assert all(parameter.grad is None for parameter in network.parameters())
