"""Experiments to start from, each with its reason. Nothing in this module needs torch."""

import dataclasses
import functools
import operator

from mnist_core.config import RULES, TrainConfig


@dataclasses.dataclass(frozen=True)
class Preset:
    """`reason` says in one or two sentences what there is to see."""

    reason: str
    config: TrainConfig


PRESETS = {
    "The classic": Preset(
        "784 pixels, 64 hidden units, 10 digits, plain SGD with a learning rate of 0.5: the network of most first "
        "courses, at about 97 % after five passes.",
        TrainConfig(optimizer="sgd", lr=0.5, schedule="constant"),
    ),
    "99 % in seconds": Preset(
        "A small convolutional network and one pass over the images: neighbouring pixels belong together, and a "
        "network that knows it needs to see less.",
        TrainConfig(model="cnn", batch_size=256, lr=0.02, label_smoothing=0.1, epochs=1),
    ),
    "99.5 %, patiently": Preset(
        "The same network, with every image turned, scaled and shifted a little differently in each of six passes, so "
        "that it cannot learn them by heart.",
        TrainConfig(model="cnn", batch_size=256, lr=0.02, label_smoothing=0.1, epochs=6, augment="affine"),
    ),
    "Too high a learning rate": Preset(
        "Watch it diverge: steps of 3 throw the classic past every valley, the loss shoots up in the first moments, "
        "and what is left only guesses.",
        TrainConfig(optimizer="sgd", lr=3.0, schedule="constant"),
    ),
    "No hidden layer": Preset(
        "Every pixel votes for every digit, and nothing else: see where a linear model ends, at about 92 %.",
        TrainConfig(model="softmax"),
    ),
    "Learning by heart": Preset(
        "Only 1,000 images to train on, and many passes: training accuracy goes to 100 %, validation accuracy does "
        "not. The gap is overfitting.",
        TrainConfig(validation_size=59_000, epochs=40),
    ),
}

# What each shipped model was trained with.
RECIPES = {
    "softmax": Preset(
        "A linear model, trained until it learns no more: how the shipped softmax was made.",
        TrainConfig(model="softmax", lr=0.005, batch_size=512, epochs=20),
    ),
    "mlp": Preset(
        "The 64 hidden units of the classic, and handwriting of many hands: how the shipped mlp was made.",
        TrainConfig(augment="handwriting", background=0.05, lr=0.004, epochs=60),
    ),
    "tiny": Preset(
        "Fewer than 10,000 parameters, all in small convolutions: how the shipped tiny was made.",
        TrainConfig(model="convnet", width=14, augment="handwriting", background=0.06, lr=0.01, epochs=24),
    ),
    "cnn": Preset(
        "Handwriting of many hands, and images that are no digits: how the cnn was made that reads your drawings, in "
        "about a quarter of an hour on a CPU.",
        TrainConfig(model="resnet", width=32, augment="handwriting", background=0.06, lr=0.004, epochs=18),
    ),
    "wide": Preset(
        "More channels and no shortcuts: how the shipped wide was made, in about a quarter of an hour on a CPU.",
        TrainConfig(
            model="convnet", width=96, augment="handwriting", background=0.06, precision="bfloat16", lr=0.003, epochs=14
        ),
    ),
}

PRESETS |= {f"The shipped {name}": recipe for name, recipe in RECIPES.items()}


def command(config: TrainConfig) -> str:
    """What makes the config's training in a shell, by the name of its recipe where it is one."""
    flags = config.flags()
    for name, recipe in RECIPES.items():
        if dataclasses.replace(config, seed=0, device="auto") == recipe.config:
            flags = ["--recipe", name, *TrainConfig(seed=config.seed, device=config.device).flags()]
    return " ".join(["python -m mnist_core train", *flags])


def nearest(config: TrainConfig) -> tuple[str, list[str]]:
    """What describes the config in fewest words, and the fields in which it differs from that; seed and device apart.

    The network's own name, which stands for it with all else by default, or a preset of that network from which the
    config differs in fewer fields.
    """
    values = _compared(config)
    known = _known(config.model)
    name = min(known, key=lambda name: sum(map(operator.ne, known[name], values)))
    return name, [field for field, one, other in zip(_COMPARED, known[name], values, strict=True) if one != other]


@functools.cache
def _known(model: str) -> dict[str, tuple[object, ...]]:
    """What `nearest` compares with, by name, for a config of that network; of several as near the first counts."""
    presets = {name: _compared(preset.config) for name, preset in PRESETS.items() if preset.config.model == model}
    plain = _compared(TrainConfig(model=model))
    return presets if plain in presets.values() else {model: plain, **presets}


def _compared(config: TrainConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name) for name in _COMPARED)


_COMPARED = [name for name in RULES if name not in ("seed", "device")]
