"""Loaded models, shared by all visitors, and torch brought in behind the first paint."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

import numpy as np

from mnist_core import catalog
from mnist_core.garbage import freeze_imports

if TYPE_CHECKING:
    from mnist_core.predictor import Predictor


def get_predictor(name: str) -> Predictor:
    """The model of that name, loaded once for each state of its weights. Raises LabError."""
    return _load(name, catalog.weights_path(name).stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _load(name: str, _written: int) -> Predictor:
    from mnist_core import predictor

    return predictor.load(name)


@functools.cache
def warm_up() -> None:
    """Import torch and load the default model in the background, once for each server.

    Called at a page's end: the page is painted meanwhile, and the first answer need not wait for the import.
    """
    threading.Thread(target=_warm_up, daemon=True).start()


def _warm_up() -> None:
    get_predictor(catalog.DEFAULT_MODEL).answer(np.zeros((28, 28), np.uint8))
    freeze_imports()
