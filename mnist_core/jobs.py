"""Work that takes longer than a click may: done once for each key, in the background, for all who ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from mnist_core.errors import LabError

T = TypeVar("T")
# Gives again and again the share that is done, 0 to 1, and the result so far, None before there is any.
Work = Callable[[], Iterator[tuple[float, T | None]]]

FORGOTTEN = 10.0  # seconds that a job which nobody asks for is kept
FAILED = "This could not be worked out: the server's log says why."


class Job(Generic[T]):
    """One piece of work: the share that is done, 0 to 1, and the result so far, None before there is any.

    When it is `done` the result is whole, or `problem` says in a sentence why there is none.
    """

    def __init__(self) -> None:
        self.progress = 0.0
        self.result: T | None = None
        self.problem = ""
        self.done = False
        self.looked_at = time.monotonic()

    @property
    def is_forgotten(self) -> bool:
        return time.monotonic() - self.looked_at > FORGOTTEN


class Jobs:
    """All jobs of a server. One runs at a time, in a thread that ends with the process; the newest is the next.

    What nobody asks for any more is dropped, so that a visitor who tries many things waits for the last one only.
    """

    def __init__(self, kept: int = 24) -> None:
        self._kept = kept
        self._jobs: dict[Hashable, Job[Any]] = {}  # the last asked for at the end
        self._waiting: list[tuple[Hashable, Job[Any], Work[Any]]] = []
        self._running = False
        self._lock = threading.Lock()

    def get(self, key: Hashable, work: Work[T]) -> Job[T]:
        """The job of that key, which waits, runs or is done; `work` is called for it if nobody has asked before.

        To be asked for again and again until it is done. Where `work` raises a LabError, that is its problem, and
        remains so until the job is forgotten; any other exception is logged, and FAILED is the problem.
        """
        with self._lock:
            job = self._jobs.pop(key, None)
            if job is None:
                job = Job()
                self._waiting.append((key, job, work))
                if not self._running:
                    self._running = True
                    threading.Thread(target=self._run, name="jobs", daemon=True).start()
            job.looked_at = time.monotonic()
            self._jobs[key] = job
            done = [old for old, other in self._jobs.items() if other.done]
            for old in done[: max(0, len(done) - self._kept)]:
                del self._jobs[old]
            return job

    def forget(self, key: Hashable) -> None:
        """Drop the job of that key: the next `get` starts it again."""
        with self._lock:
            self._jobs.pop(key, None)

    def _run(self) -> None:
        while waiting := self._next():
            key, job, work = waiting
            problem = ""
            try:
                for job.progress, job.result in work():
                    if job.is_forgotten:
                        break
            except LabError as error:
                problem = str(error)
            except Exception:  # so that the jobs that wait still run
                logging.getLogger(__name__).exception("A background job failed")
                problem = FAILED
            self._end(key, job, problem)

    def _end(self, key: Hashable, job: Job[Any], problem: str) -> None:
        with self._lock:
            job.problem = problem
            if job.progress < 1 and not problem and self._jobs.get(key) is job:
                del self._jobs[key]
            job.done = True

    def _next(self) -> tuple[Hashable, Job[Any], Work[Any]] | None:
        with self._lock:
            while self._waiting:
                key, job, work = self._waiting.pop()
                if not job.is_forgotten:
                    return key, job, work
                if self._jobs.get(key) is job:
                    del self._jobs[key]
            self._running = False
            return None
