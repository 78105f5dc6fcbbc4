"""Train networks to read handwritten digits, measure them, and have them read images.

The names below are imported from their modules when they are first used: most need torch, which takes seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mnist_core.torch_startup import limit_spinning

if TYPE_CHECKING:
    from mnist_core.config import TrainConfig as TrainConfig
    from mnist_core.drawing import to_mnist as to_mnist
    from mnist_core.errors import LabError as LabError
    from mnist_core.image_files import open_image as open_image
    from mnist_core.reading.predictor import Prediction as Prediction
    from mnist_core.reading.predictor import Predictor as Predictor
    from mnist_core.reading.predictor import load as load
    from mnist_core.state import TrainState as TrainState
    from mnist_core.trainer import fit as fit

_MODULES = {
    "TrainConfig": "config",
    "TrainState": "state",
    "fit": "trainer",
    "open_image": "image_files",
    "to_mnist": "drawing",
    "load": "reading.predictor",
    "Predictor": "reading.predictor",
    "Prediction": "reading.predictor",
    "LabError": "errors",
}
__all__ = list(_MODULES)

limit_spinning()  # here, as every way to a training passes here before it imports torch


if not TYPE_CHECKING:  # or a type checker would take any name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return sorted([*globals(), *_MODULES])
