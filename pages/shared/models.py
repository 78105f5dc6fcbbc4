"""Loaded models, shared by all visitors, and torch brought in behind the first paint."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core import catalog
from mnist_core.garbage import freeze_imports
from pages.shared.data import splits
from pages.shared.runs import get_workers, is_active

if TYPE_CHECKING:
    from mnist_core.predictions import Predictions
    from mnist_core.predictor import Predictor


def choose_model(key: str) -> str:
    """A control for one of all models; the name of the one that is chosen."""
    name: str = st.selectbox(  # type: ignore[assignment]  # Streamlit's stubs take any list for an empty one
        "Model",
        catalog.names(),
        key=key,
        help="The shipped networks, then the runs by their id, the newest first, also the one that trains now.",
        persist_state="session",
    )
    if is_active(name):
        st.caption("It is being trained now: what it reads follows its newest weights.")
    return name


def get_predictor(name: str) -> Predictor:
    """The model of that name, loaded once for each state of its weights. Raises LabError."""
    return _load(name, catalog.weights_path(name).stat().st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _load(name: str, _written: int) -> Predictor:
    import torch

    from mnist_core import predictor

    torch.set_num_threads(1)  # a page's few images need no more, and a training beside it does
    return predictor.load(name)


def get_predictions(name: str, data: str, split: str) -> Predictions:
    """What that model reads in a split of "mnist" or "sample"; worked out once for each state of its weights.

    The images are split as they were for the model's training. Raises LabError.
    """
    return _read_all(name, catalog.weights_path(name).stat().st_mtime_ns, data, split)


@functools.lru_cache(maxsize=8)
def _read_all(name: str, written: int, data: str, split: str) -> Predictions:
    loaded = _load(name, written)
    of_its_own = data == loaded.config.data
    parts = splits(data, loaded.config.validation_size if of_its_own else None, loaded.config.seed)
    return loaded.read_all(getattr(parts, split))


@functools.cache
def warm_up() -> None:
    """In the background, once for each server: import torch, load the default model, get a worker process ready.

    Called at a page's end: the page is painted meanwhile, and the first answer need not wait for the import.
    """
    threading.Thread(target=_warm_up, daemon=True).start()


def _warm_up() -> None:
    get_predictor(catalog.DEFAULT_MODEL).answer(np.zeros((28, 28), np.uint8))
    freeze_imports()
    get_workers().warm_up()
