"""What a run's curves and weights say about its hyperparameters, and which others to try.

The signs are those of the textbooks: a loss that grows from steps too large (Goodfellow, Bengio and Courville, Deep
Learning, 2016, section 11.4.1), underfitting and overfitting from the training's accuracy and the validation's (section
5.2), a validation loss that has risen above its lowest (Prechelt, Early stopping - but when?, 1998: his generalization
loss), and rectified units that give 0 for every image and so learn no more (Lu et al., Dying ReLU and initialization,
2019). The thresholds are ours. Nothing in this module needs torch.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_core.config import RULES, TrainConfig
from mnist_core.records import Epoch

GROWN, BY = 1.5, 0.3  # times the lowest smoothed loss, and so much above it, ...
POINTS = 10  # ... behind so many points of the curve: a start may be rough
GAP = 0.02  # of accuracy, between training and validation
RISEN = 1.05  # times the lowest validation loss
LEARNT, GOOD = 0.9, 0.99  # accuracy with which much was learnt, and with which nothing is missing
GUESSED = 0.2  # accuracy below which hardly anything was learnt
RISING = 0.003  # of validation accuracy in the last epoch
DEAD = 1 / 3  # share of the rectified units


@dataclasses.dataclass(frozen=True)
class Way:
    """Something to try: words for a button, and the fields of the config that change."""

    words: str
    changes: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Hint:
    """What was seen, in a sentence, and ways on from there."""

    seen: str
    ways: tuple[Way, ...]


def loss_grows(config: TrainConfig, loss: Sequence[tuple[float, float]], diverged: bool = False) -> Hint | None:
    """A hint where the smoothed training `loss`, by step, grows, or the run `diverged`: smaller steps."""
    values = [value for _, value in loss]
    if not diverged and (len(values) < POINTS or values[-1] < max(GROWN * min(values), min(values) + BY)):
        return None
    return Hint("The loss grows: the steps are too large.", (_smaller_steps(config),))


def at_the_end(config: TrainConfig, epochs: Sequence[Epoch], dead: tuple[int, int] = (0, 0)) -> Hint | None:
    """A hint on a run that was trained to its end, from its epochs and from how many of how many ReLUs are `dead`."""
    if dead[0] > DEAD * dead[1]:
        return _on_dead_units(config, *dead)  # the rest may follow from it
    if not epochs:
        return None
    last = epochs[-1]
    lowest = min(epoch["val_loss"] for epoch in epochs)
    has_risen = last["val_loss"] > RISEN * lowest
    gap = last["train_accuracy"] - last["val_accuracy"]
    if gap > GAP and last["train_accuracy"] > (LEARNT if has_risen else GOOD):
        return _on_the_gap(config, last)
    if GUESSED < max(last["train_accuracy"], last["val_accuracy"]) < GOOD:
        return _on_what_is_missing(config, epochs)
    return None


def _smaller_steps(config: TrainConfig) -> Way:
    smaller = max(RULES["lr"].minimum or 0.0, float(f"{config.lr / 10:.3g}"))
    return Way(f"Learning rate {smaller:g}", {"lr": smaller})


def _on_dead_units(config: TrainConfig, dead: int, units: int) -> Hint:
    ways = [_smaller_steps(config)]
    if "activation" in config.fields:
        ways.append(Way("Activation gelu", {"activation": "gelu"}))
    return Hint(f"{dead:,} of {units:,} ReLU units never fire: 0 for every image, so they learn no more.", tuple(ways))


def _on_the_gap(config: TrainConfig, last: Epoch) -> Hint:
    ways = []
    if config.augment == "none":
        ways.append(Way("Augment the images", {"augment": "affine"}))
    if "dropout" in config.fields and config.dropout < 0.5:
        dropout = min(0.5, config.dropout + 0.25)
        ways.append(Way(f"Dropout {dropout:g}", {"dropout": dropout}))
    if not ways:
        ways.append(Way("Fewer epochs", {"epochs": max(1, config.epochs // 2)}))
    return Hint(
        f"It reads {last['train_accuracy']:.1%} of the training images right, but {last['val_accuracy']:.1%} of "
        "others: it learns them by heart.",
        tuple(ways),
    )


def _on_what_is_missing(config: TrainConfig, epochs: Sequence[Epoch]) -> Hint:
    """More epochs where the validation accuracy was still rising, else a larger network as well."""
    most = int(RULES["epochs"].maximum or config.epochs)
    longer = Way(f"{min(most, 2 * config.epochs)} epochs", {"epochs": min(most, 2 * config.epochs)})
    gains = [after["val_accuracy"] - before["val_accuracy"] for before, after in itertools.pairwise(epochs)]
    if not gains or gains[-1] > RISING:
        return Hint("It was still getting better when it ended.", (longer,))
    return Hint("It has flattened: a larger network, or more time, may read more.", (_larger(config), longer))


def _larger(config: TrainConfig) -> Way:
    if "hidden" in config.fields and config.hidden:
        hidden = tuple(min(4096, 2 * units) for units in config.hidden)
        return Way(f"Hidden {' '.join(map(str, hidden))}", {"hidden": hidden})
    if "width" in config.fields:
        return Way(f"Width {min(256, 2 * config.width)}", {"width": min(256, 2 * config.width)})
    return Way("A hidden layer (mlp)", {"model": "mlp"})
