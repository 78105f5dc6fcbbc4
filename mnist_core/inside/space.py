"""The test images as a network sees them in the end: its last hidden layer, and maps of it in two dimensions."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mnist_core import dataset, evaluation
from mnist_core.drawing import Pixels
from mnist_core.inside import layers
from mnist_core.metrics import Labels
from mnist_core.reading.predictions import Indices
from mnist_core.torch_startup import freeze_imports

MAPPED = 2_000  # images in a map: more cannot be told apart, and take long
EXPLORING, REFINING, ROUNDS = 250, 250, 5  # iterations of t-SNE: the first ones, and of so many rounds behind them
SEED = 0

Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """A principal component analysis: `mean` (D,), the two `axes` (2, D), and the share of the variance on each."""

    mean: Floats
    axes: Floats
    shares: tuple[float, float]

    def place(self, features: Floats) -> Floats:
        """Where features (N, D) lie on the plane: (N, 2)."""
        placed: Floats = (features - self.mean) @ self.axes.T
        return placed


@dataclasses.dataclass(frozen=True, eq=False)
class Space:
    """`features` (N, D), float32: what the network's last layer with weights takes of each image, and `digits` (N,),
    what it makes of that, 0 to 9. `plane` is the one on which they differ most."""

    features: Floats
    digits: Labels
    plane: Plane


def neighbours(features: Floats, one: Floats, count: int) -> tuple[Indices, Floats]:
    """The `count` rows of `features` (N, D) nearest to `one` (D,), the nearest first, and their Euclidean distances."""
    distances = np.linalg.norm(features - one, axis=1)
    nearest = np.argsort(distances, kind="stable")[:count]
    return nearest, distances[nearest]


def read(network: nn.Module, images: Tensor) -> Iterator[tuple[float, Space | None]]:
    """The space of images (N, 28, 28), uint8: the share that is done, and None until all is."""
    network = copy.deepcopy(network).eval()  # others may use it at the same time, and the hook would hear them
    taken: list[Tensor] = []
    path = layers.trace(network, images[0].numpy()).last_with_weights.path
    network.get_submodule(path).register_forward_pre_hook(lambda module, inputs: taken.append(inputs[0]))
    digits: list[Tensor] = []
    for part in torch.split(images, evaluation.BATCH // 2):
        with torch.inference_mode():
            digits.append(network(dataset.normalise(part)).argmax(1))
        yield 0.99 * sum(map(len, digits)) / len(images), None
    features: Floats = torch.cat(taken).flatten(1).numpy()
    yield 1.0, Space(features, torch.cat(digits).numpy(), plane(features))


def features_of(network: nn.Module, image: Pixels) -> Floats:
    """What the network's last layer with weights takes of one image (28, 28), uint8: (D,)."""
    features: Floats = layers.trace(network, image).last_with_weights.taken.flatten().numpy()
    return features


def plane(features: Floats) -> Plane:
    """The plane on which features (N, D) differ most (PCA; Hotelling, 1933)."""
    from sklearn.decomposition import PCA  # takes a second, for which a page need not wait

    freeze_imports("scikit-learn")
    found = PCA(n_components=2, svd_solver="randomized", random_state=SEED).fit(features)
    shares = found.explained_variance_ratio_.tolist()
    return Plane(found.mean_.astype(np.float32), found.components_.astype(np.float32), (shares[0], shares[1]))


def mapped(labels: Labels, digits: Labels, most: int = MAPPED) -> Indices:
    """Which images a map shows, in their order: those read wrong, and the first of the others, `most` in all."""
    wrong, right = np.flatnonzero(labels != digits)[:most], np.flatnonzero(labels == digits)
    return np.sort(np.concatenate([wrong, right[: most - len(wrong)]]))


def t_sne(features: Floats) -> Iterator[tuple[float, Floats]]:
    """Places (N, 2) at which what is near in features (N, D) is near as well, and better ones, round by round.

    t-SNE (van der Maaten and Hinton, 2008), begun from the principal components. Each round goes on from the places of
    the one before, so that there is something to see meanwhile. N is at least 4.
    """
    from sklearn.manifold import TSNE

    begin = plane(features).place(features)
    places: Floats = begin / begin[:, 0].std() * 1e-4  # small, as the method's authors begin
    total = EXPLORING + ROUNDS * REFINING
    for round_ in range(ROUNDS + 1):
        method = TSNE(
            init=places,
            perplexity=min(30, (len(features) - 1) / 3),
            early_exaggeration=1.0 if round_ else 12.0,
            max_iter=REFINING if round_ else EXPLORING,
            random_state=SEED,
            n_jobs=1,
        )
        places = method.fit_transform(features)
        yield (EXPLORING + round_ * REFINING) / total, places


def among(places: Floats, distances: Floats) -> Floats:
    """A place (2,) among those (K, 2) of the neighbours of something that a map does not hold, the nearer the more."""
    weights = 1 / (distances + 1e-6 * (distances.max() or 1))
    place: Floats = (places * weights[:, None]).sum(0) / weights.sum()
    return place
