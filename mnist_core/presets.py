"""Experiments to start from, each with its reason. Nothing in this module needs torch."""

import dataclasses

from mnist_core.config import TrainConfig


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
