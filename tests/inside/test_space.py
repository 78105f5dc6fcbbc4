import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from mnist_core import dataset
from mnist_core.inside import space
from mnist_core.reading import predictor

TEST = dataset.load_test("sample")


def of(name):
    *_, (progress, found) = space.read(predictor.load(name).network, TEST.images)
    assert progress == 1
    return found


def test_features_are_what_the_last_layer_takes_and_digits_what_is_read():
    loaded = predictor.load("mlp")
    found = of("mlp")
    with torch.inference_mode():
        hidden = loaded.network.layers[:-1](dataset.normalise(TEST.images))
    assert np.allclose(found.features, hidden.numpy(), atol=1e-5)
    assert np.array_equal(found.digits, loaded.predict(TEST.images.numpy())[0].argmax(1))
    one = space.features_of(loaded.network, TEST.images[7].numpy())
    assert np.allclose(one, found.features[7], atol=1e-4)
    assert all(not module._forward_pre_hooks for module in loaded.network.modules())


@pytest.mark.parametrize(("name", "size"), [("softmax", 784), ("cnn", 64)])
def test_every_network_has_a_last_hidden_layer(name, size):
    found = of(name)
    assert found.features.shape == (len(TEST), size)
    assert found.plane.axes.shape == (2, size)


def test_progress_rises_and_there_is_nothing_before_the_end():
    many = TEST.images.repeat(4, 1, 1)
    reports = list(space.read(predictor.load("mlp").network, many))
    shares = [share for share, _ in reports]
    assert shares == sorted(shares)
    assert len(shares) > 3
    assert all(found is None for _, found in reports[:-1])
    assert len(reports[-1][1].digits) == len(many)


def test_the_plane_is_that_of_a_full_decomposition():
    features = of("mlp").features
    oracle = PCA(2, svd_solver="full").fit(features)
    plane = space.plane(features)
    placed, expected = plane.place(features), oracle.transform(features)
    for axis in range(2):
        assert abs(np.corrcoef(placed[:, axis], expected[:, axis])[0, 1]) > 0.999
    assert plane.shares == pytest.approx(oracle.explained_variance_ratio_, abs=1e-3)


def test_neighbours_are_the_nearest():
    features = of("mlp").features
    distances, indices = NearestNeighbors(n_neighbors=6).fit(features).kneighbors(features[11:12])
    found, how_far = space.neighbours(features, features[11], 6)
    assert found.tolist() == indices[0].tolist()
    assert how_far == pytest.approx(distances[0], abs=1e-3)
    assert found[0] == 11
    assert len(space.neighbours(features, features[0], 10_000)[0]) == len(features)


@pytest.mark.parametrize(
    ("most", "expected"), [(0, []), (2, [1, 4]), (3, [0, 1, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])]
)
def test_a_map_shows_what_is_read_wrong_before_all_else(most, expected):
    labels, digits = np.array([1, 2, 3, 4, 5]), np.array([1, 7, 3, 4, 9])
    assert space.mapped(labels, digits, most).tolist() == expected


def test_t_sne_puts_the_same_digits_together():
    features, labels = of("cnn").features[:250], TEST.labels.numpy()[:250]
    rounds = list(space.t_sne(features))
    assert [share for share, _ in rounds] == pytest.approx([1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1])
    places = rounds[-1][1]
    assert places.shape == (250, 2)
    near = KNeighborsClassifier(5).fit(places[:200], labels[:200])
    assert near.score(places[200:], labels[200:]) > 0.9


def test_the_same_seed_gives_the_same_map():
    features = of("mlp").features[:60]
    (*_, (_, first)), (*_, (_, second)) = space.t_sne(features), space.t_sne(features)
    assert np.array_equal(first, second)


def test_a_few_images_can_be_placed():
    *_, (_, places) = space.t_sne(of("mlp").features[:4])
    assert np.isfinite(places).all()


def test_a_place_among_neighbours_is_nearer_to_the_near():
    places = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    assert space.among(places, np.array([1, 1, 1], np.float32)) == pytest.approx([1 / 3, 1 / 3])
    assert space.among(places, np.array([0, 5, 5], np.float32)) == pytest.approx([0, 0], abs=1e-4)
    assert space.among(places, np.array([2, 1, 2], np.float32)) == pytest.approx([0.5, 0.25])
    assert space.among(places[:2], np.array([0, 0], np.float32)) == pytest.approx([0.5, 0])
