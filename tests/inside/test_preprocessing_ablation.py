import numpy as np
import pytest

from mnist_core import dataset, drawing
from mnist_core.inside import preprocessing_ablation
from mnist_core.reading import predictor
from tests.conftest import needs_mnist

TEST = dataset.load_test("sample")


def test_digits_are_drawn_somewhere_in_some_size_and_always_the_same():
    images = TEST.images[:30].numpy()
    first, second = (preprocessing_ablation.as_drawn(images, np.random.default_rng(0)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    boxes = np.array([drawing.follow(canvas).box for canvas in first])
    assert all(canvas.shape == (preprocessing_ablation.CANVAS, preprocessing_ablation.CANVAS) for canvas in first)
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    assert longer.min() < 50
    assert longer.max() > 80
    assert np.ptp(boxes[:, 0]) > 30


def test_all_is_measured_with_and_without():
    reports = list(preprocessing_ablation.measure(predictor.load("cnn"), TEST[:120]))
    shares = [share for share, _ in reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    found = reports[-1][1]
    assert found.images == 120
    assert list(found.right) == list(preprocessing_ablation.VARIANTS)
    assert found.share("all steps") > found.share("no step")
    assert not found.is_chance("no step")
    low, high = found.interval("all steps")
    assert low < found.share("all steps") < high


@needs_mnist
@pytest.mark.parametrize("name", ["mlp", "tiny"])
def test_size_and_centre_are_worth_much(name):
    *_, (_, found) = preprocessing_ablation.measure(predictor.load(name), dataset.load_test("mnist")[:400])
    assert found.share("all steps") > 0.92
    assert found.share("without centre") < found.share("all steps") - 0.04
    assert found.share("without size") < found.share("all steps") - 0.01
