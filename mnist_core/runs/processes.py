"""Training on this machine: a process for each run, and one kept ready."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable

from mnist_core import device
from mnist_core.runs import worker
from mnist_core.runs.run import Run

KILLED = -9  # the returncode of a process that SIGKILL ended, a name that Windows has not


class Processes:
    """Trains each run in a process of its own, at most `at_once` at a time. A worker_pool.Executor."""

    paused_makes_room = True

    def __init__(self, at_once: int | None = None) -> None:
        self.watch: Callable[[], None] = lambda: None  # its room is always the same
        self._at_once = at_once or device.trainings_at_once()
        self._ready: subprocess.Popen[bytes] | None = None

    def room(self) -> int:
        return self._at_once

    def get_ready(self) -> None:
        """Have a process ready. Raises OSError."""
        self._ready = self._get()

    def start(self, run: Run) -> subprocess.Popen[bytes]:
        """Begin to train the run in the process that is ready, or in a new one. Raises OSError."""
        child, self._ready = self._get(), None
        with contextlib.suppress(OSError):  # it has just died, which whoever waits for it sees
            worker.hand_over(run, child)
        return child

    def close(self) -> None:
        if self._ready:
            self._ready.kill()
            self._ready.communicate()
            self._ready = None

    def _get(self) -> subprocess.Popen[bytes]:
        if self._ready and self._ready.poll() is None:
            return self._ready
        if self._ready:
            self._ready.communicate()
        return worker.spawn()
