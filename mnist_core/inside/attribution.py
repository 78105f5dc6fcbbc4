"""Why a network reads what it reads: how much each pixel counts for a digit, or for one digit against another."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mnist_core import dataset
from mnist_core.drawing import Pixels

STEPS = 32  # points on the way from the baseline to the image


@dataclasses.dataclass(frozen=True, eq=False)
class Attribution:
    """What each pixel adds to a score as the image takes the place of the baseline.

    `pixels` (28, 28), float32, above 0 where a pixel speaks for the digit. `score` and `baseline_score` are the score
    of the image and of the baseline: the logit of the digit, or how much it is above that of the other digit.
    """

    pixels: npt.NDArray[np.float32]
    score: float
    baseline_score: float

    @property
    def gap(self) -> float:
        """How far the sum of the pixels is from what it should be by the axiom of completeness, 0 at best."""
        return float(self.pixels.sum(dtype=np.float64)) - (self.score - self.baseline_score)


def integrated_gradients(
    network: nn.Module,
    image: Pixels,
    digit: int,
    against: int | None = None,
    baseline: npt.NDArray[np.floating] | None = None,
) -> Attribution:
    """How much each pixel of `image` (28, 28), uint8, counts for `digit`; with `against`, for it rather than for that.

    Integrated gradients (Sundararajan, Taly and Yan, 2017): the gradient of the score, averaged on the straight way
    from `baseline` (28, 28), 0 to 255, to the image, times the way of each pixel. The baseline is black where None is
    given; a pixel that is the same in both counts nothing.
    """

    def score(images: Tensor) -> Tensor:
        logits: Tensor = network(images)
        return logits[:, digit] - (logits[:, against] if against is not None else 0)

    base = np.zeros((28, 28), np.float32) if baseline is None else baseline
    ends = dataset.normalise(torch.from_numpy(np.stack([image, base]).astype(np.float32)))
    change = ends[0] - ends[1]  # (1, 28, 28)
    # the integral over the way by Gauss and Legendre, whose points and weights are given for -1 to 1
    places, parts = (torch.from_numpy(column)[:, None, None, None] for column in np.polynomial.legendre.leggauss(STEPS))
    with torch.enable_grad():
        way = (ends[1] + ((places + 1) / 2).float() * change).requires_grad_()  # (STEPS, 1, 28, 28)
        (slopes,) = torch.autograd.grad(score(way).sum(), way)
    found = ((parts / 2).float() * slopes).sum(0) * change
    with torch.inference_mode():
        of_image, of_baseline = score(ends).tolist()
    return Attribution(found[0].numpy(), of_image, of_baseline)
