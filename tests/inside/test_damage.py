import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from mnist_core import dataset, evaluation, model
from mnist_core.inside import damage
from mnist_core.inside.damage import IMAGE_DAMAGES, WEIGHT_DAMAGES
from mnist_core.reading import predictor

TEST = dataset.load_test("sample")
IMAGES = TEST.images[:20]


def changed(name, strength, images=IMAGES):
    return IMAGE_DAMAGES[name].apply(images, strength)


@pytest.mark.parametrize("damages", [IMAGE_DAMAGES, WEIGHT_DAMAGES], ids=["images", "weights"])
def test_strengths_hold_both_ends_and_the_neutral_one(damages):
    for name, one in damages.items():
        strengths = one.strengths()
        assert strengths == sorted(set(strengths))
        assert {one.least, one.most, one.neutral} <= set(strengths), name
        assert len(strengths) >= 8
        for strength in strengths:
            steps = (strength - one.least) / one.step
            assert steps == pytest.approx(round(steps), abs=1e-6), name


@pytest.mark.parametrize("name", IMAGE_DAMAGES)
def test_the_neutral_strength_changes_nothing_and_the_strongest_much(name):
    one = IMAGE_DAMAGES[name]
    assert (changed(name, one.neutral).int() - IMAGES.int()).abs().max() <= 1
    for strength in (one.least, one.most):
        found = changed(name, strength)
        assert found.shape == IMAGES.shape
        assert found.dtype == torch.uint8
        if strength != one.neutral:
            assert (found.int() - IMAGES.int()).abs().float().mean() > 3


@pytest.mark.parametrize("name", IMAGE_DAMAGES)
def test_one_image_is_changed_as_many_are(name):
    strength = IMAGE_DAMAGES[name].strengths()[-2]
    assert np.array_equal(
        IMAGE_DAMAGES[name].apply_to_one(IMAGES[0].numpy(), strength), changed(name, strength, IMAGES[:1])[0].numpy()
    )


def test_a_quarter_to_the_right():
    assert (changed("rotate", 90).int() - IMAGES.rot90(-1, (1, 2)).int()).abs().max() <= 1


def test_moved_to_the_right():
    found = changed("shift", 4)
    assert (found[:, :, 4:].int() - IMAGES[:, :, :-4].int()).abs().max() <= 1
    assert not found[:, :, :4].any()


def test_made_half_as_large():
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    image[0, 4:24, 4:24] = 255
    found = changed("scale", 0.5, image)[0]
    assert (found[9:19, 9:19] > 250).all()
    assert not found[:8].any()
    assert not found[:, 21:].any()


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_thicker_is_a_dilation_and_thinner_an_erosion(pixels):
    side = 2 * pixels + 1
    image = IMAGES[0].numpy()
    padded = np.pad(image, pixels)
    assert np.array_equal(
        changed("thicken", pixels)[0], ndimage.grey_dilation(padded, (side, side))[pixels:-pixels, pixels:-pixels]
    )
    padded = np.pad(image, pixels, constant_values=255)
    assert np.array_equal(
        changed("thicken", -pixels)[0], ndimage.grey_erosion(padded, (side, side))[pixels:-pixels, pixels:-pixels]
    )


@pytest.mark.parametrize("deviation", [0.5, 1.5, 3.0])
def test_a_point_is_blurred_to_a_bell_curve(deviation):
    points = torch.zeros(2, 28, 28, dtype=torch.uint8)
    points[0, 14, 10] = points[1, 0, 27] = 255
    rows, columns = np.mgrid[:28, :28]
    reach = math.ceil(3 * deviation)
    whole = sum(math.exp(-(step**2) / (2 * deviation**2)) for step in range(-reach, reach + 1))
    for blurred, row, column in zip(changed("blur", deviation, points), (14, 0), (10, 27), strict=True):
        down, across = np.abs(rows - row), np.abs(columns - column)
        bell = np.exp(-(down**2 + across**2) / (2 * deviation**2)) / whole**2
        bell[(down > reach) | (across > reach)] = 0
        assert np.abs(blurred.numpy() - 255 * bell).max() <= 0.51


def test_noise_has_its_deviation_and_grows_with_it():
    grey = torch.full((200, 28, 28), 128, dtype=torch.uint8)
    little, much = (changed("noise", strength, grey).float() - 128 for strength in (10, 20))
    assert float(little.std()) == pytest.approx(10, rel=0.02)
    assert float((much - 2 * little).abs().max()) <= 1.5  # more of the same


def test_a_square_over_the_middle():
    found = changed("occlude", 10)
    assert not found[:, 9:19, 9:19].any()
    found[:, 9:19, 9:19] = IMAGES[:, 9:19, 9:19]
    assert torch.equal(found, IMAGES)
    assert not changed("occlude", 28).any()


def test_inverted():
    assert torch.equal(changed("invert", 1), 255 - IMAGES)
    assert (changed("invert", 0.5).int() - 127).abs().max() <= 1


def network():
    torch.manual_seed(0)
    return model.build("cnn", width=8).eval()


@pytest.mark.parametrize("name", WEIGHT_DAMAGES)
def test_a_network_is_copied_and_changed_where_asked(name):
    before = network()
    state = {key: value.clone() for key, value in before.state_dict().items()}
    for strength in (0, WEIGHT_DAMAGES[name].most):
        for path in (None, "classifier.2"):
            after = WEIGHT_DAMAGES[name].apply(before, strength, path).state_dict()
            different = {key for key, value in after.items() if not torch.equal(value, state[key])}
            assert bool(different) == bool(strength)
            assert all(path is None or key.startswith(path) for key in different)
    assert all(torch.equal(value, state[key]) for key, value in before.state_dict().items())


def test_units_are_removed_by_share():
    after = WEIGHT_DAMAGES["remove units"].apply(network(), 0.5, "features.1")
    weight = after.get_submodule("features.1").weight
    assert int((weight.flatten(1) == 0).all(1).sum()) == 4
    after = WEIGHT_DAMAGES["remove units"].apply(network(), 1, "classifier.2")
    logits = evaluation.logits(after, IMAGES)
    assert not logits.any()


def test_biases_are_removed_by_share():
    before = network().get_submodule("classifier.2")
    for share in (0.25, 1.0):
        after = WEIGHT_DAMAGES["remove biases"].apply(network(), share).get_submodule("classifier.2")
        assert torch.allclose(after.bias, before.bias * (1 - share))
        assert torch.equal(after.weight, before.weight)


def test_weight_noise_is_measured_by_the_weights_own_deviation():
    torch.manual_seed(0)
    before = model.build("mlp", hidden=(200,)).eval().requires_grad_(False)
    after = WEIGHT_DAMAGES["weight noise"].apply(before, 0.5)
    off = after.layers[1].weight - before.layers[1].weight
    assert float(off.std()) == pytest.approx(0.5 * float(before.layers[1].weight.std()), rel=0.02)


def test_layers_with_weights_are_named():
    assert damage.with_weights(model.build("mlp", hidden=(5, 4))) == ["layers.1", "layers.3", "layers.5"]


@pytest.mark.parametrize(("damages", "name"), [(IMAGE_DAMAGES, "occlude"), (WEIGHT_DAMAGES, "remove units")])
def test_accuracy_falls_with_strength(damages, name):
    loaded = predictor.load("mlp")
    *_, (share, curve) = damage.accuracy_by_strength(loaded.network, TEST, damages[name])
    assert share == 1
    assert [strength for strength, _ in curve] == damages[name].strengths()
    right = float((evaluation.logits(loaded.network, TEST.images).argmax(1) == TEST.labels).float().mean())
    assert curve[0][1] == pytest.approx(right)
    assert curve[-1][1] < 0.3


def test_the_curve_so_far_is_reported():
    reports = list(damage.accuracy_by_strength(predictor.load("softmax").network, TEST, IMAGE_DAMAGES["noise"]))
    assert [len(curve) for _, curve in reports] == list(range(1, len(reports) + 1))
    assert [share for share, _ in reports] == pytest.approx([(i + 1) / len(reports) for i in range(len(reports))])
