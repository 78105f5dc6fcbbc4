"""What is asked of the process that trains a run: files in the run's folder, there until it has been done."""

import contextlib
import dataclasses
import pathlib

from mnist_core.config import check
from mnist_core.errors import ConfigError, RunError
from mnist_core.files import oserror_as, replacing


@dataclasses.dataclass(frozen=True)
class Requests:
    """The requests to the run whose folder is `path`, which any process may make."""

    path: pathlib.Path

    @property
    def id(self) -> str:
        """The run's."""
        return self.path.name

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Raises RunError where the folder cannot be written."""
        return oserror_as(RunError, f"The run {self.id} cannot be saved in {self.path}")

    def request_stop(self) -> None:
        """Ask the process that trains the run to stop at its next report."""
        self._request("stop")

    def stop_requested(self) -> bool:
        return (self.path / "stop").exists()

    def request_pause(self) -> None:
        """Ask the process that trains the run to wait, at its next report, until `end_pause`."""
        self._request("pause")

    def pause_requested(self) -> bool:
        return (self.path / "pause").exists()

    def end_pause(self) -> None:
        self._clear("pause")

    def request_lr(self, lr: float) -> None:
        """Ask the process that trains the run to go on with this learning rate from its next report on.

        Raises ConfigError for one that no config could have.
        """
        self._request("lr", repr(check("lr", lr)))

    def lr_requested(self) -> float | None:
        try:
            return float(check("lr", float((self.path / "lr").read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return None
        except (ValueError, ConfigError) as error:
            raise RunError(f"The file {self.path / 'lr'} holds no learning rate: delete it.") from error

    def clear_lr_request(self) -> None:
        self._clear("lr")

    def clear_requests(self) -> None:
        self._clear("stop", "pause", "lr")

    def _clear(self, *names: str) -> None:
        with self.writing():
            for name in names:
                (self.path / name).unlink(missing_ok=True)

    def _request(self, name: str, content: str = "") -> None:
        with self.writing(), replacing(self.path / name) as fresh:
            fresh.write_text(content, encoding="utf-8")
