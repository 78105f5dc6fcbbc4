"""What a training works on: the data it reads, and its state between two steps, which is all it takes to go on."""

import copy
import dataclasses

import torch
from torch import Tensor, nn

from mnist_core import dataset, device, evaluation, model, weights
from mnist_core.augmentation.augment import AUGMENTATIONS
from mnist_core.augmentation.non_digits import background
from mnist_core.config import TrainConfig
from mnist_core.dataset import NO_DIGIT, Dataset
from mnist_core.errors import ModelError
from mnist_core.evaluation import Loader
from mnist_core.optimizer import Optimizer
from mnist_core.own_digits.digit_set import OwnDigits
from mnist_core.own_digits.digit_store import DIGITS, DigitStore
from mnist_core.torch_startup import freeze_imports, keep_freed_memory

UNKNOWN = -1.0  # in a saved state, a share that is not known


@dataclasses.dataclass(frozen=True)
class OwnSplit:
    """Own digits to learn, and others that are held back to judge by."""

    learnt: OwnDigits
    held_back: OwnDigits

    @classmethod
    def of(cls, config: TrainConfig, store: DigitStore = DIGITS) -> "OwnSplit":
        """Those of the config's sets. Raises DatasetError."""
        own = store.load(config.digits)
        if config.judged_by:
            return cls(own, store.load(config.judged_by))
        return cls(*own.split(config.seed))


@dataclasses.dataclass(frozen=True)
class Base:
    """The model that a training goes on from, and the share of test images that it reads right, if that is known."""

    weights: dict[str, Tensor]
    test_accuracy: float | None = None


@dataclasses.dataclass(frozen=True)
class Before:
    """Shares that were read right before the first step; None where there was nothing to read or it is not known."""

    val_accuracy: float
    own_accuracy: float | None = None
    test_accuracy: float | None = None


@dataclasses.dataclass(frozen=True)
class Loaders:
    """What a training reads: `train` in every epoch, `validation` at each one's end, `test` once, at the very end.

    `changed`, where it differs from `validation`, are its images changed as those of `train` are. `own` are digits of
    own sets that are held back, read at each epoch's end; `own_learnt` is how many others are learnt.
    """

    train: Loader
    validation: Loader
    test: Loader
    changed: Loader | None = None
    own: Loader | None = None
    own_learnt: int = 0

    @classmethod
    def of(cls, config: TrainConfig, own: "OwnSplit | None" = None) -> "Loaders":
        """The config's data on the config's device, with its own digits, read from their sets where they are not given.

        Raises DatasetError and DeviceError.
        """
        place = device.pick(config.device)
        splits = dataset.load(config)
        own = own or OwnSplit.of(config)
        train = splits.train + _background(config, splits.train) if config.background else splits.train
        learnt, held_back = (Dataset.of(part) for part in (own.learnt, own.held_back))
        sampler = dataset.Sampler(
            data=len(train),
            images=config.training_images,
            own=round(config.own_share * config.training_images) if len(learnt) else 0,
            labels=learnt.labels,
        )
        # what a model knows already is only to be kept, and the more it is changed, the more of it is lost
        augment_from = len(train) if config.start_from and len(learnt) else 0
        train += learnt
        validation, augment = splits.validation.to(place), AUGMENTATIONS[config.augment]
        return cls(
            train=dataset.Batches(train.to(place), config.batch_size, sampler, augment, augment_from),
            validation=dataset.Batches(validation, evaluation.BATCH),
            changed=dataset.Batches(validation, evaluation.BATCH, augment=augment) if augment else None,
            test=dataset.Batches(splits.test.to(place), evaluation.BATCH),
            own=dataset.Batches(held_back.to(place), evaluation.BATCH) if len(held_back) else None,
            own_learnt=len(learnt),
        )


def _background(config: TrainConfig, train: Dataset) -> Dataset:
    """The config's share of images that are no digits, from its seed."""
    count = config.background_images
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return Dataset(background(count, train.images, train.labels), torch.full((count,), NO_DIGIT))


@dataclasses.dataclass
class Checkpoint:
    """A network's weights at the end of `epoch` (from 1), and the share of validation images that it read right."""

    weights: dict[str, Tensor]
    epoch: int
    accuracy: float


@dataclasses.dataclass
class TrainState:
    """A training between two steps: the network, its optimizer, and how far it is.

    `best` is the checkpoint with the highest validation accuracy so far, of the newest such epoch. A training that goes
    on from a model, its `base`, is short and has nothing to choose: its newest epoch counts. `lr` is the learning
    rate at its highest. It may be changed between two records of `fit`, which goes on with it. `threads` is the number
    of CPU threads that `fit` has torch use; with another number a result differs in its last bits. `teacher` is the
    base's network, where the config has distillation.
    """

    model: nn.Module
    optimizer: Optimizer
    lr: float
    epoch: int = 0  # epochs finished
    step: int = 0  # steps taken
    seconds: float = 0.0  # spent on steps; evaluating is not counted
    best: Checkpoint | None = None
    threads: int = 1
    base: Base | None = None
    teacher: nn.Module | None = None
    before: Before | None = None

    @classmethod
    def of(cls, config: TrainConfig, base: Base | None = None) -> "TrainState":
        """The state before the first step; `base` is the model that the config starts from.

        Raises DeviceError, and ModelError where the base is missing or another network.
        """
        place = device.pick(config.device)
        network = model.initial(config)  # built on the CPU: the same on all devices
        if config.start_from:
            if base is None:
                raise ModelError(f"The weights of {config.start_from}, which the training starts from, are missing.")
            weights.check(base.weights, network.state_dict())
            network.load_state_dict(base.weights)
            model.freeze(network, config.frozen)
        network = network.to(place)
        teacher = copy.deepcopy(network).eval() if config.distillation else None
        multiply_adds = sum(row.multiply_adds for row in model.summary(network)) * config.batch_size
        threads = device.choose_threads(multiply_adds)
        optimizer = Optimizer(config, model.trainable(network))
        state = cls(network, optimizer, config.lr, threads=threads, base=base, teacher=teacher)
        freeze_imports()
        keep_freed_memory()
        return state

    def tensors(self) -> dict[str, Tensor]:
        """All of the state, by name; what `load` takes."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for index, slots in self.optimizer.slots.items():
            tensors |= {f"optimizer.{index}.{slot}": value for slot, value in slots.items()}
        tensors["progress"] = torch.tensor([self.epoch, self.step, self.seconds, self.lr], dtype=torch.float64)
        if self.best:
            tensors |= {f"best.{name}": value for name, value in self.best.weights.items()}
            tensors["checkpoint"] = torch.tensor([self.best.epoch, self.best.accuracy], dtype=torch.float64)
        if self.before:
            figures = [UNKNOWN if value is None else value for value in dataclasses.astuple(self.before)]
            tensors["before"] = torch.tensor(figures, dtype=torch.float64)
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Become the state that `tensors` was made from, given the same config.

        Raises ModelError for tensors that are of another config's state, or not finite.
        """
        weights.check(tensors, self._expected({name.partition(".")[0] for name in tensors}))
        network: dict[str, Tensor] = {}
        best: dict[str, Tensor] = {}
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            part, _, rest = name.partition(".")
            if part == "model":
                network[rest] = value
            elif part == "best":
                best[rest] = value
            elif part == "optimizer":
                index, _, slot = rest.partition(".")
                slots.setdefault(int(index), {})[slot] = value
        self.model.load_state_dict(network)
        for number, parameter in enumerate(self.optimizer.parameters):
            # in the order in memory that its parameter has, channels last for example: a fused step goes by that
            for slot, value in slots.get(number, {}).items():
                like = parameter if value.shape == parameter.shape else value.to(parameter.device)
                slots[number][slot] = torch.empty_like(like, requires_grad=False).copy_(value)
        self.optimizer.slots = slots
        epoch, step, seconds, lr = tensors["progress"].tolist()
        has_begun = bool(slots) or not self.optimizer.slot_names
        if not (0 <= epoch == int(epoch) and step >= 0 and (has_begun or step == 0) and seconds >= 0 and lr > 0):
            raise ModelError("The progress of the training is none that a training can have.")
        self.epoch, self.step, self.seconds, self.lr = int(epoch), int(step), seconds, lr
        if best:
            epoch, accuracy = tensors["checkpoint"].tolist()
            self.best = Checkpoint(best, int(epoch), accuracy)
        if "before" in tensors:
            validation, own, test = tensors["before"].tolist()
            self.before = Before(validation, None if own == UNKNOWN else own, None if test == UNKNOWN else test)

    def _expected(self, parts: set[str]) -> dict[str, Tensor]:
        """Tensors of the names, shapes and types that `load` takes, where they begin with `parts`.

        Before the first step there is nothing of the optimizer, and an early version saved no checkpoint.
        """
        network = self.model.state_dict()
        expected = {f"model.{name}": value for name, value in network.items()}
        if "best" in parts:
            expected |= {f"best.{name}": value for name, value in network.items()}
            expected["checkpoint"] = torch.empty(2, dtype=torch.float64)
        if "before" in parts:
            expected["before"] = torch.empty(len(dataclasses.fields(Before)), dtype=torch.float64)
        if "optimizer" in parts:
            for index, parameter in enumerate(self.optimizer.parameters):
                for slot in self.optimizer.slot_names:
                    expected[f"optimizer.{index}.{slot}"] = torch.empty(()) if slot == "step" else parameter
        return expected | {"progress": torch.empty(4, dtype=torch.float64)}

    def end_epoch(self, accuracy: float) -> None:
        """One more epoch is done, and the network reads this share of the validation images right."""
        self.epoch += 1
        if self.best is None or self.base or accuracy >= self.best.accuracy:
            weights = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.best = Checkpoint(weights, self.epoch, accuracy)
