"""How far a network's confidence can be trusted, and whether what it sees is a digit at all.

Both are set on validation images: a temperature that its logits are divided by, and a threshold that the score of a
digit reaches.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from mnist_core.metrics import Labels

ACCEPTED = 0.99  # share of the validation digits that are accepted as digits
HOTTEST = 20.0  # a temperature is between one part in so many and this


@dataclasses.dataclass(frozen=True)
class Calibration:
    """`temperature` divides the logits; what scores less than `threshold` is not taken for a digit."""

    temperature: float = 1.0
    threshold: float = -np.inf


def calibrate(logits: Tensor, labels: Tensor, changed: Tensor) -> Calibration:
    """The calibration of a network by its logits (N, 10) on validation images with the `labels` (N,).

    `changed` (M, 10): its logits on validation images that are changed as in the training. They count for the threshold
    as well, so that digits in forms that the validation images lack stay accepted.
    """
    scores = digit_score(torch.cat([logits, changed]))
    return Calibration(temperature(logits, labels), float(torch.quantile(scores, 1 - ACCEPTED)))


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes the cross-entropy of logits (N, 10) least (Guo, Pleiss, Sun and Weinberger, 2017)."""
    from scipy.optimize import minimize_scalar  # takes a while, for which an answer need not wait

    logits, labels = logits.double().cpu(), labels.cpu()

    def loss(log: float) -> float:
        return float(F.cross_entropy(logits / np.exp(log), labels))

    bound = float(np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=(-bound, bound), method="bounded").x))


def digit_score(logits: Tensor) -> Tensor:
    """How much logits (N, 10) speak for a digit, of whatever kind: (N,), the higher the more.

    The log of the odds that a network trained with a background gives to a digit against no digit, whose logit is 0; of
    any other network, the negative free energy (Liu, Wang, Owens and Li, 2020).
    """
    return logits.logsumexp(1)


def calibration_error(probabilities: npt.NDArray[np.floating], labels: Labels, bins: int = 15) -> float:
    """The expected calibration error of probabilities (N, 10), 0 to 1: how far accuracy and confidence are apart.

    The mean over `bins` equal ranges of confidence, each weighted by its images (Naeini, Cooper and Hauskrecht, 2015).
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    off = np.bincount(place, right - confidence, minlength=bins)  # summed up in each range
    return float(np.abs(off).sum() / len(labels))
