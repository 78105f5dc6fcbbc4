"""TrainConfig: all that decides a training, in one checked record.

A hyperparameter is one field here. The command line's flag, the page's control, the check of its value and the
record in the run's folder follow from it. Nothing in this module needs torch, so that a page can show the controls
before torch is imported.
"""

import contextlib
import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from typing import Any

from mnist_core.errors import ConfigError
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.rules import Rule, checked, field
from mnist_core.text import parse_json, quoted

DEVICES = ("auto", "cpu", "cuda", "mps")
REPORT_STEPS, REPORT_IMAGES = 20, 2_560  # a report comes at the latest after so many
# Images of each data set that are not test images: what training and validation share.
TRAINING_IMAGES = {"mnist": 60_000, "sample": 1_500}
SET_NAME = r"[^\W_][\w-]{0,39}"
ONE_IMAGE = r"/[0-9]/[\w-]{1,60}\.png"  # behind a set's name
SET_NAME_IN_WORDS = "a set's name is made of letters, digits, - and _, 40 at most"
TEST_IMAGES = {"mnist": 10_000, "sample": 297}
SAMPLE_IN_WORDS = "the built-in sample (1,797 small digits from scikit-learn), not MNIST"


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Every choice that makes a training what it is. Raises ConfigError when made with a value that cannot be used.

    The same config on the same device gives the same weights, bit for bit.
    """

    data: str = field(
        "mnist",
        "MNIST, or the small sample that is built in and needs no download.",
        "data",
        choices=tuple(TRAINING_IMAGES),
        is_searchable=False,
    )
    validation_size: int | None = field(
        None,
        "Images held out of training to choose by. Empty: one in six, 10,000 of MNIST's 60,000.",
        "data",
        minimum=1,
        maximum=max(TRAINING_IMAGES.values()) - 1,
        unit="images",
        is_searchable=False,
    )
    augment: str = field(
        "none",
        "Random changes to each training image: none, affine (turned, scaled, sheared and shifted a little) or "
        "handwriting (bent, with thinner and thicker strokes, and in forms that MNIST lacks, such as a 1 with a flag). "
        "Where a model learns own digits, only those are changed.",
        "data",
        choices=("none", "affine", "handwriting"),
    )
    background: float = field(
        0.0,
        "Images that are no digits, such as letters and scribbles made by code, as a share of the training images: the "
        "network learns to say that it sees none.",
        "data",
        minimum=0.0,
        maximum=1.0,
        searched=(0.0, 0.1),
    )
    digits: tuple[str, ...] = field(
        (),
        "Sets of digits that people wrote, to learn beside the data; a part of them is held back to judge by. "
        "Or single images of them, such as me/4/one.png.",
        "own",
        most_items=50,
        pattern=f"{SET_NAME}({ONE_IMAGE})?",
        pattern_in_words=SET_NAME_IN_WORDS,
        label="Sets to learn",
        is_searchable=False,
    )
    judged_by: tuple[str, ...] = field(
        (),
        "Sets of digits to judge by alone, in place of a part of the others. None of them is learnt.",
        "own",
        most_items=50,
        pattern=SET_NAME,
        pattern_in_words=SET_NAME_IN_WORDS,
        label="Sets to judge by",
        is_searchable=False,
    )
    own_share: float = field(
        0.1,
        "Share of the training images that are from the sets, each of the ten digits as often as any other.",
        "own",
        minimum=0.01,
        maximum=1.0,
        searched=(0.1, 0.6),
    )
    start_from: str = field(
        "",
        "A model that the training goes on from, a shipped one or a run. Empty: random weights.",
        "own",
        pattern="([a-z0-9][a-z0-9-]{0,79})?",
        pattern_in_words="a model is a shipped one's name or a run's id",
        label="Go on from",
        flag="--from",
        is_searchable=False,
    )
    frozen: int = field(
        0,
        "Layers of the model that it goes on from, counted from the input, that stay as they are.",
        "own",
        minimum=0,
        maximum=16,
        label="Frozen layers",
        searched=(0, 3),
    )
    distillation: float = field(
        0.0,
        "Weight in the loss of how far the logits have moved away from those of the model that it goes on from, for "
        "images which that reads right: less is forgotten, and less is learnt.",
        "own",
        minimum=0.0,
        maximum=10.0,
        searched=(0.01, 1.0),
        log=True,
    )
    epoch_images: int | None = field(
        None,
        "Training images in one pass, drawn by chance. Empty: all of them.",
        "data",
        minimum=10,
        maximum=max(TRAINING_IMAGES.values()),
        unit="images",
        searched=(1_000, 50_000),
        log=True,
    )
    model: str = field(
        "mlp",
        "The network. " + "; ".join(f"{name}: {network.sentence}" for name, network in NETWORKS.items()) + ".",
        "network",
        choices=tuple(NETWORKS),
    )
    hidden: tuple[int, ...] = field(
        (64,),
        "Units of each hidden layer of the mlp, from the input on.",
        "network",
        minimum=1,
        maximum=4096,
        most_items=8,
        unit="units",
        searched=(16, 256),
        log=True,
    )
    activation: str = field(
        "relu",
        "The non-linearity behind each hidden layer of the mlp; with identity there is none, and all layers together "
        "are one linear layer.",
        "network",
        choices=("relu", "tanh", "gelu", "sigmoid", "identity"),
    )
    width: int = field(
        32,
        "Channels of the first convolutions of cnn, convnet and resnet; the later ones have more.",
        "network",
        minimum=4,
        maximum=256,
        unit="channels",
        searched=(8, 64),
        log=True,
    )
    dropout: float = field(
        0.0,
        "Share of the units that is silenced at random in each training step.",
        "network",
        minimum=0.0,
        maximum=0.9,
        searched=(0.0, 0.5),
    )
    optimizer: str = field(
        "adamw",
        "How a gradient becomes a step: sgd, momentum (SGD with Nesterov momentum 0.9) or adamw.",
        "optimizer",
        choices=("sgd", "momentum", "adamw"),
    )
    lr: float = field(
        0.01,
        "Learning rate: the size of a step, at its highest where the schedule changes it.",
        "optimizer",
        minimum=1e-6,
        maximum=100.0,
        label="Learning rate",
        searched=(0.001, 0.1),
        log=True,
    )
    schedule: str = field(
        "one-cycle",
        "The learning rate over the training: constant, cosine (falls to 0) or one-cycle (rises, then falls to 0).",
        "optimizer",
        choices=("constant", "cosine", "one-cycle"),
    )
    weight_decay: float = field(
        0.0,
        "Pull of the weights towards 0 in each step.",
        "optimizer",
        minimum=0.0,
        maximum=1.0,
        searched=(1e-5, 0.1),
        log=True,
    )
    label_smoothing: float = field(
        0.0,
        "Share of the target that is spread over all ten digits.",
        "optimizer",
        minimum=0.0,
        maximum=0.5,
        searched=(0.0, 0.2),
    )
    precision: str = field(
        "float32",
        "Numbers that the network is trained with: float32, or bfloat16 (16 bits), about twice as fast on processors "
        "made for it.",
        "optimizer",
        choices=("float32", "bfloat16"),
    )
    batch_size: int = field(
        128,
        "Images in one training step.",
        "optimizer",
        minimum=1,
        maximum=10_000,
        unit="images",
        searched=(32, 512),
        log=True,
    )
    epochs: int = field(
        5,
        "Passes over all training images.",
        "optimizer",
        minimum=1,
        maximum=1_000,
        unit="passes",
        searched=(2, 10),
        log=True,
    )
    seed: int = field(
        0,
        "Number that all randomness follows from: split, first weights, order, augmentation.",
        "data",
        minimum=0,
        maximum=2**32 - 1,
        is_searchable=False,
    )
    device: str = field(
        "auto",
        "Where the training runs. auto: a GPU if there is one, else the CPU.",
        "data",
        choices=DEVICES,
        is_searchable=False,
    )

    def __post_init__(self) -> None:
        for name in RULES:
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if both := set(self.digits) & set(self.judged_by):
            raise ConfigError("judged_by", f"The set {min(both)} is to be learnt: it cannot judge as well.")
        if self.frozen and not self.start_from:
            raise ConfigError("frozen", "frozen needs a model to go on from: random weights have to learn.")
        if self.distillation and not self.start_from:
            raise ConfigError("distillation", "distillation needs a model to go on from: random weights know nothing.")
        applicable = NETWORKS[self.model].hyperparameters
        for name in HYPERPARAMETERS:
            if name not in applicable and getattr(self, name) != DEFAULTS[name]:
                raise ConfigError(name, f"{name} cannot be set for {self.model}, which has no such hyperparameter.")
        trainable = TRAINING_IMAGES[self.data]
        if self.validation_images >= trainable:
            raise ConfigError(
                "validation_size",
                f"validation_size must leave images to train on: {self.data} has {trainable:,} for both, "
                f"got {self.validation_images:,}.",
            )

    @property
    def validation_images(self) -> int:
        """Number of validation images, also where validation_size is left empty."""
        return TRAINING_IMAGES[self.data] // 6 if self.validation_size is None else self.validation_size

    @property
    def background_images(self) -> int:
        """Number of training images that are no digits."""
        return round(self.background * (TRAINING_IMAGES[self.data] - self.validation_images))

    @property
    def training_images(self) -> int:
        """Number of images that an epoch takes, those that are no digits and those of own sets included."""
        whole = TRAINING_IMAGES[self.data] - self.validation_images + self.background_images
        return whole if self.epoch_images is None else min(self.epoch_images, whole)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training steps, each of a batch, that an epoch takes."""
        return math.ceil(self.training_images / self.batch_size)

    @property
    def report_every(self) -> int:
        """Number of steps between two reports of a training."""
        return max(1, min(REPORT_STEPS, REPORT_IMAGES // self.batch_size))

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The network's own hyperparameters, as `model.build` takes them."""
        return {name: getattr(self, name) for name in NETWORKS[self.model].hyperparameters}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that count: all but the hyperparameters that the network has not."""
        return tuple(name for name in RULES if name not in HYPERPARAMETERS or name in self.hyperparameters)

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON-able values."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """The config of `to_dict`, also of an earlier version's.

        Fields left out take their default; raises ConfigError for one that it does not know.
        """
        values = {name: value for name, value in values.items() if name not in GONE}
        for name in values:
            if name not in RULES:
                raise ConfigError(
                    str(name), f"There is no hyperparameter {quoted(name)}; known are {', '.join(RULES)}."
                )
        return cls(**values)

    def flags(self) -> list[str]:
        """The command line's arguments that make this config: those of the fields that are not the default."""
        arguments: list[str] = []
        for name, value in self.to_dict().items():
            if getattr(self, name) != DEFAULTS[name]:
                arguments += [flag(name), *map(str, value if is_list(name) else [value])]
        return arguments

    def to_query(self) -> dict[str, str]:
        """The fields that are not the default as words for a link, a list's items with commas between."""
        return {
            name: ",".join(map(str, value)) if is_list(name) else str(value)
            for name, value in self.to_dict().items()
            if getattr(self, name) != DEFAULTS[name]
        }

    @classmethod
    def from_query(cls, words: Mapping[str, str]) -> "tuple[TrainConfig, list[str]]":
        """The config of `to_query`, and a sentence for each word that cannot be used; the default stands in for it."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, word in words.items():
            try:
                values[name] = parse(name, word)
            except ConfigError as error:
                problems.append(str(error))
        while True:
            try:
                return cls(**values), problems
            except ConfigError as error:  # each by itself is right, but not together
                problems.append(str(error))
                if error.field not in values:  # what the missing field's default does not go with is in the others
                    return cls(), problems
                del values[error.field]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrainConfig":
        """Raises ConfigError for text that is no JSON object or holds a value that cannot be used."""
        try:
            values = parse_json(text)
        except ValueError as error:
            raise ConfigError("", f"A config must be JSON: {error}.") from error
        return cls.from_dict(values)


RULES: dict[str, Rule] = {field.name: field.metadata["rule"] for field in dataclasses.fields(TrainConfig)}
DEFAULTS: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
GONE = ("base_share",)  # fields of earlier versions, which runs that were trained with them still hold
# int, float or str: the type of a value, or of its items where is_list says so
ITEM_TYPES: dict[str, type] = {
    name: next(t for t in (typing.get_args(hint) or (hint,)) if t not in (type(None), ...))
    for name, hint in typing.get_type_hints(TrainConfig).items()
}


def label_of(name: str) -> str:
    """The field's name for people."""
    return RULES[name].label or name.replace("_", " ").capitalize()


def flag(name: str) -> str:
    """The command line's flag for the field."""
    return RULES[name].flag or "--" + name.replace("_", "-")


def is_list(name: str) -> bool:
    """Whether the field holds a list of values."""
    return isinstance(DEFAULTS[name], tuple)


def parse(name: str, word: str) -> Any:
    """The value that `word` writes for the field. Raises ConfigError."""
    if name not in RULES:
        raise ConfigError(name, f"There is no hyperparameter {quoted(name)}.")
    items: list[Any] = [item for item in word.split(",") if item] if is_list(name) else [word]
    for index, item in enumerate(items):
        with contextlib.suppress(ValueError):  # what is no number is said by the check
            items[index] = ITEM_TYPES[name](item)
    return check(name, items if is_list(name) else items[0])


def check(name: str, value: Any) -> Any:
    """The value as the field `name` holds it. Raises ConfigError for one that it cannot hold."""
    rule = RULES[name]
    if value is None and DEFAULTS[name] is None:
        return None
    if not is_list(name):
        return checked(name, rule, ITEM_TYPES[name], value)
    if not isinstance(value, list | tuple):
        raise ConfigError(name, f"{name} must be a list, got {quoted(value)}.")
    if rule.most_items is not None and len(value) > rule.most_items:
        raise ConfigError(name, f"{name} can have at most {rule.most_items} items, got {len(value)}.")
    return tuple(checked(name, rule, ITEM_TYPES[name], item) for item in value)
