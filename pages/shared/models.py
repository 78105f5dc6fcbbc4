"""Loaded models, shared by all visitors, and torch brought in behind the first paint."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mnist_core import device, drawing
from mnist_core.browser import program
from mnist_core.browser.program import Program
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError, RunError
from mnist_core.own_digits.digit_store import DIGITS
from mnist_core.reading import catalog
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS
from mnist_core.torch_startup import freeze_imports
from pages.shared.data import splits
from pages.shared.runs import by_name, get_table, get_workers, is_active, titles

if TYPE_CHECKING:
    from mnist_core.reading.predictions import Predictions
    from mnist_core.reading.predictor import Predictor

KEPT = 16  # models in memory


def choose_model(key: str, label: str = "Model") -> str:
    """A control for one of all models; the name of the one that is chosen."""
    try:
        names = catalog.names()
    except RunError as error:  # the shipped ones are there all the same
        st.caption(by_name(error))
        names = catalog.shipped()
    called = titles()
    name: str = st.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
        label,
        names,
        key=key,
        format_func=lambda name: called.get(name, name),
        help="The shipped networks, then your runs, the newest first, also the one that trains now.",
        persist_state="session",
    )
    if is_active(name):
        st.caption("It is being trained now: what it reads follows its newest weights.")
    return name


def get_predictor(name: str) -> Predictor:
    """The model of that name with its newest weights, loaded once for each state of them. Raises LabError."""
    state = written(name)
    kept, predictor = _loaded.get(name, (0, None))
    if predictor is None or kept != state:
        predictor = _load(name)
        if name not in _loaded and len(_loaded) >= KEPT:
            _loaded.pop(next(iter(_loaded)), None)
        _loaded[name] = state, predictor  # in the place of older weights, which may be large
    return predictor


_loaded: dict[str, tuple[int, Predictor]] = {}


def get_program(name: str) -> Program:
    """The model of that name as a browser runs it, with its newest weights. Raises LabError.

    A shipped one's needs no torch.
    """
    if name in catalog.shipped():
        return _shipped_program(name)
    return get_program_and_step(name)[0]


def get_program_and_step(run_id: str) -> tuple[Program, int | None]:
    """The run's network as a browser runs it, and the step that its newest weights are of. Raises LabError."""
    return _program_of_run(run_id, written(run_id))


@functools.cache
def _shipped_program(name: str) -> Program:
    return program.load(catalog.PRETRAINED / f"{name}{program.SUFFIX}")


@functools.lru_cache(maxsize=KEPT)
def _program_of_run(run_id: str, _written: int) -> tuple[Program, int | None]:
    from mnist_core.exchange import browser_program

    predictor = get_predictor(run_id)
    return browser_program.convert(predictor), predictor.step


def get_snapshots(run: Run) -> dict[int, Program]:
    """The run's network at steps along its training, by step, as a browser runs them. Raises LabError."""
    from mnist_core.runs import snapshots

    try:
        state = (run.path / snapshots.NAME).stat().st_mtime_ns
    except OSError:
        return {}
    return _snapshots(run.id, state)


@functools.lru_cache(maxsize=4)
def _snapshots(run_id: str, _written: int) -> dict[int, Program]:
    from mnist_core import model
    from mnist_core.calibration import Calibration
    from mnist_core.exchange import browser_program
    from mnist_core.reading.predictor import Predictor
    from mnist_core.runs import snapshots

    run = RUNS.open(run_id)
    config = run.config()
    states = snapshots.read(run.path)
    network = model.build(config.model, **config.hyperparameters).eval()
    snapshots.check(states, network)
    programs = {}
    for step, values in states.items():
        network.load_state_dict({name: value.float() for name, value in values.items()}, strict=False)
        programs[step] = browser_program.convert(Predictor(run_id, network, config, Calibration()))
    return programs


def get_blank(config: TrainConfig) -> Program:
    """The config's network before its first step, as a browser runs it."""
    return _blank(config.model, tuple(config.hyperparameters.items()), config.seed)


@functools.lru_cache(maxsize=KEPT)
def _blank(name: str, hyperparameters: tuple[tuple[str, Any], ...], seed: int) -> Program:
    import torch

    from mnist_core import model
    from mnist_core.calibration import Calibration
    from mnist_core.exchange import browser_program
    from mnist_core.reading.predictor import Predictor

    config = TrainConfig(model=name, seed=seed, **dict(hyperparameters))
    with torch.random.fork_rng(devices=[]):
        network = model.initial(config).eval()
    return browser_program.convert(Predictor(name, network, config, Calibration()))


def written(name: str) -> int:
    """When the model's weights were written. Raises ModelError and RunError."""
    try:
        return catalog.weights_path(name).stat().st_mtime_ns
    except FileNotFoundError as error:
        raise ModelError(f"The weights of {name} have just been deleted: choose another model.") from error


def _load(name: str) -> Predictor:
    import torch

    from mnist_core.reading import predictor

    torch.set_num_threads(device.choose_threads())  # one: a page's few images need no more
    return predictor.load(name)


def get_predictions(name: str, data: str, split: str) -> Predictions:
    """What that model reads in a split of "mnist" or "sample"; worked out once for each state of its weights.

    The images are split as they were for the model's training. Raises LabError.
    """
    return _read_all(name, written(name), data, split)


def get_own_predictions(name: str, digits: str) -> Predictions:
    """What that model reads in a set of own digits; worked out once for each state of its weights and of the set.

    Raises LabError.
    """
    return _read_own(name, written(name), digits, DIGITS.open(digits).state())


@functools.lru_cache(maxsize=8)
def _read_own(name: str, _written: int, digits: str, _state: int) -> Predictions:
    from mnist_core.dataset import Dataset

    return get_predictor(name).predictions(Dataset.of(DIGITS.load([digits])))


@functools.lru_cache(maxsize=8)
def _read_all(name: str, _written: int, data: str, split: str) -> Predictions:
    loaded = get_predictor(name)
    of_its_own = data == loaded.config.data
    parts = splits(data, loaded.config.validation_size if of_its_own else None, loaded.config.seed)
    return loaded.predictions(getattr(parts, split))


@functools.cache
def warm_up() -> None:
    """In the background, once for each server: import torch, have the default model answer, get a worker process ready.

    Called at a page's end: the page is painted meanwhile, and the first answer need not wait for the import, nor the
    Runs page for every run's files.
    """
    threading.Thread(target=_warm_up, daemon=True).start()


def _warm_up() -> None:
    get_predictor(catalog.DEFAULT_MODEL).predict_one(drawing.to_mnist(np.eye(100, dtype=np.uint8) * 255))
    freeze_imports()
    get_workers().warm_up()
    get_table().rows()
