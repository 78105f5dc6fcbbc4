"""The runs that a server trains, and those that wait in line for room, wherever they are trained."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Protocol

import filelock

from mnist_core.errors import LabError, RunError
from mnist_core.files import reason
from mnist_core.runs import status
from mnist_core.runs.processes import KILLED, Processes
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.text import shorten


class Training(Protocol):
    """A run's training, wherever that is: what subprocess.Popen has of a process.

    `returncode` is that of worker.main's process, or KILLED.
    """

    @property
    def returncode(self) -> int | None: ...

    def wait(self) -> int: ...

    def kill(self) -> None: ...

    def communicate(self) -> object: ...


class Executor(Protocol):
    """Where runs are trained: `processes.Processes` on this machine, or `cluster.Cluster` on several."""

    paused_makes_room: bool  # whether another run can be trained where one is paused
    watch: Callable[[], None]  # to be called when there may be more room, other than for an end

    def room(self) -> int:
        """How many runs can be trained at a time, now."""

    def get_ready(self) -> None:
        """Prepare for the next run, so that it starts at once."""

    def start(self, run: Run) -> Training:
        """Begin to train the run, whose lock is free. Raises OSError and RunError where that cannot be."""

    def close(self) -> None:
        """End what was prepared."""


class Workers:
    """Trains runs, as many at a time as the executor has room for; the others wait in line, first come first.

    The line is this process's: what waits in it, runs or is paused when this process ends shows as interrupted. A
    paused run makes room for the next, and goes to the line's end when it is to go on. Safe for several threads.
    """

    def __init__(self, at_once: int | None = None, executor: Executor | None = None) -> None:
        self._executor = executor or Processes(at_once)
        self._mutex = threading.RLock()
        self._line: list[Run] = []
        self._held: dict[str, filelock.FileLock] = {}  # locks of the runs in line that nobody trains yet
        self._children: dict[str, Training] = {}  # by the id of the run that each is of
        self._paused: set[str] = set()
        self._keep_ready = False
        self._executor.watch = self._look_for_room

    def warm_up(self) -> None:
        """From now on be ready wherever there is room for one more run, so that it starts at once."""
        with self._mutex:
            self._keep_ready = True
            self._advance()

    def submit(self, run: Run) -> None:
        """Train `run`, or go on with it, as soon as there is room. Raises RunError if it is being trained already."""
        with self._mutex:
            if (child := self._children.get(run.id)) and run.status().state.is_resumable:
                child.wait()  # it has stopped or failed, and is on its way out
                del self._children[run.id]
                self._paused.discard(run.id)
            if run.id in self._children or run in self._line:
                raise RunError(f"The run {run.id} is being trained already.")
            if (state := run.status().state).is_over:
                raise RunError(f"The run {run.id} has {state}: there is nothing left to train.")
            lock = run.lock()
            try:
                if status.is_handed_over(run.path):  # by another server, to a process that has not come up yet
                    raise RunError(f"The run {run.id} is being trained already, by another process.")
                run.clear_requests()
                run.set_status(RunState.WAITING)
            except RunError:
                lock.release()
                raise
            self._held[run.id] = lock
            self._line.append(run)
            self._advance()

    def place(self, run: Run) -> int:
        """The run's place in line, from 1 on; 0 if it is not in line."""
        with self._mutex:
            return self._line.index(run) + 1 if run in self._line else 0

    def ids(self) -> list[str]:
        """Of all runs that are trained, paused or in line here."""
        with self._mutex:
            return [*self._children, *(run.id for run in self._line if run.id not in self._children)]

    def busy(self) -> bool:
        """Whether one more run would have to wait."""
        with self._mutex:
            return not self._has_room()

    def pause(self, run: Run) -> None:
        """Have `run` wait at its next report, keeping its process, and make room for the next."""
        with self._mutex:
            run.request_pause()
            if run.id in self._children and self._executor.paused_makes_room:
                if run in self._line:
                    self._line.remove(run)
                self._paused.add(run.id)
                self._advance()

    def resume(self, run: Run) -> None:
        """Go on with a run that is paused, as soon as there is room, or that was stopped. Raises RunError."""
        with self._mutex:
            if run.id not in self._children or run.status().state.is_resumable:
                if run.status().state is RunState.PAUSED:  # by another server or a shell, which keep no line
                    run.end_pause()
                else:
                    self.submit(run)
            elif run.id not in self._paused:  # it has kept its place
                run.end_pause()
            elif run not in self._line:
                self._line.append(run)
                self._advance()

    def stop(self, run: Run) -> None:
        """Stop `run` at its next report, or take it out of the line. Raises RunError where that cannot be noted."""
        with self._mutex:
            if run in self._line:
                self._line.remove(run)
            if lock := self._held.pop(run.id, None):
                try:
                    run.set_status(RunState.STOPPED)
                finally:
                    lock.release()
            else:
                run.request_stop()

    def close(self) -> None:
        """End all processes, at once; their runs show as interrupted."""
        with self._mutex:
            self._line.clear()
            for lock in self._held.values():
                lock.release()
            self._held.clear()
            children = [*self._children.values()]
            self._children, self._keep_ready = {}, False
        for child in children:
            child.kill()
            child.communicate()
        self._executor.close()

    def _look_for_room(self) -> None:
        with self._mutex:
            self._advance()

    def _advance(self) -> None:
        """Start what there is room for, and then get a process ready if there still is room."""
        while self._line and self._has_room():
            run = self._line.pop(0)
            if run.id in self._children:
                with contextlib.suppress(RunError):  # where its folder cannot be written, it stays paused
                    run.end_pause()
                    self._paused.discard(run.id)
            else:
                self._start(run)
        if self._keep_ready and self._has_room():
            with contextlib.suppress(OSError, RunError):  # it is tried again when a run needs it
                self._executor.get_ready()

    def _has_room(self) -> bool:
        there = self._children.keys()
        return len(there - self._paused if self._executor.paused_makes_room else there) < self._executor.room()

    def _start(self, run: Run) -> None:
        lock = self._held.pop(run.id)
        with contextlib.suppress(RunError):  # who trains it says so, too
            run.set_status(RunState.STARTING)
        lock.release()
        try:
            child = self._executor.start(run)
        except (OSError, LabError) as error:
            cause = reason(error) if isinstance(error, OSError) else str(error).rstrip(".")
            with contextlib.suppress(RunError):
                run.set_status(RunState.FAILED, f"No process could be started for it: {cause}. Resume tries again.")
            return
        self._children[run.id] = child
        if run.pause_requested():
            self._paused.add(run.id)
        threading.Thread(target=self._attend, args=(run, child), daemon=True).start()

    def _attend(self, run: Run, child: Training) -> None:
        """Wait for the process's end, note what it could not say itself, and let the next one in."""
        child.wait()
        try:
            with contextlib.suppress(RunError):  # deleted meanwhile, or taken up by another process
                _note_sudden_end(run, child.wait())
        except Exception:  # so that the runs in line still start
            logging.getLogger(__name__).exception("The end of the process of run %s could not be noted", run.id)
        with self._mutex:
            if self._children.get(run.id) is not child:
                child.communicate()
                return  # closed
            del self._children[run.id]
            self._paused.discard(run.id)
            if run in self._line:
                self._line.remove(run)
            self._advance()
        child.communicate()


def _note_sudden_end(run: Run, returncode: int) -> None:
    """Say in the run's folder how its process ended, where that could not do so itself.

    `returncode` is the process's, as subprocess.Popen has it; 0 and 2 are ends that it noted.
    """
    if returncode in (0, 2):
        return
    with run.locked(timeout=0.5):
        if status.read_written(run.path).state.is_active:
            run.set_status(*_sudden_end(run, returncode))


def _sudden_end(run: Run, returncode: int) -> tuple[RunState, str]:
    """The state and the message for the status of a run whose process ended in this way."""
    if returncode == KILLED:
        return (
            RunState.INTERRUPTED,
            "Its process was killed, by somebody or by the system for lack of memory. Resume goes on from its last "
            "epoch; a smaller batch or network needs less memory.",
        )
    if returncode < 0:
        return (
            RunState.INTERRUPTED,
            f"Its process was ended by signal {-returncode}. Resume goes on from its last epoch.",
        )
    try:
        lines = run.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    cause = shorten(lines[-1], 300) if lines else "no reason known"
    return RunState.FAILED, f"Its process failed: {cause}. All of it is in {run.log}."
