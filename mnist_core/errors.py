"""The problems a user can mend. A page shows one as a message, the shell prints it and exits with 2."""

from mnist_core.text import shorten

LONGEST = 1_000  # characters of a message


class LabError(Exception):
    """Base of all errors whose text is a sentence for the user: what was wrong and what to do.

    Of a message that is too long, because a path or a name in it is, the middle is left out.
    """

    def __init__(self, message: str):
        super().__init__(shorten(message, LONGEST))


class ConfigError(LabError):
    """A hyperparameter that cannot be used. `field` names it, so that a page can say it at its control."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


class DatasetError(LabError):
    """Data that is missing, damaged or cannot be fetched."""


class DeviceError(LabError):
    """A device that this machine does not have."""


class DrawingError(LabError):
    """An image that cannot be read as a drawing of a digit."""


class EmptyDrawing(DrawingError):  # noqa: N818  # a state of the canvas more than a fault
    """A drawing without ink."""


class ModelError(LabError):
    """Weights that are unknown or damaged."""


class RunError(LabError):
    """A run that does not exist, is not in a state for what was asked, or that this machine has no room for."""


class SearchError(LabError):
    """A search that does not exist, cannot be made or cannot be read."""
