"""Leading a search: ask Optuna what to try, have it trained, report each epoch, stop what falls behind."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import optuna
from optuna.trial import TrialState

from mnist_core import teaching
from mnist_core.config import TrainConfig
from mnist_core.errors import ConfigError, LabError, RunError, SearchError
from mnist_core.records import Epoch
from mnist_core.runs import metrics_file
from mnist_core.runs.run import Run
from mnist_core.runs.status import RunState
from mnist_core.search import space, storage
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import Search, Trial

POLL = 0.2  # seconds between two looks at the runs that are trained
MOST_ATTEMPTS = 3  # at a run whose process ends without a word
MOST_FAILURES = 3  # one after the other, before a search gives up


class Pool(Protocol):
    """Where runs are trained: a server's own processes, or a cluster."""

    def submit(self, run: Run) -> None: ...

    def stop(self, run: Run) -> None: ...

    def busy(self) -> bool: ...


def drive(search: Search, pool: Pool, create_run: Callable[[TrainConfig], Run] | None = None) -> Iterator[Trial]:
    """Lead the search to its end, or until it is asked to stop, and yield each trial when it has ended.

    Only as many trials are begun as `pool` has room for, so that other runs need not wait behind them. What was
    running when a search stopped goes on from its last epoch. Raises SearchError where the search is led already, has
    come to its end or cannot be saved, and where one trial after the other fails.
    """
    config = search.config()
    with search.locked():
        before = search.status()
        search.clear_stop()
        leader = _Leader(search, config, pool, create_run or _creator(search), before.seconds)
        if before.state == "finished" and leader.is_done():
            raise SearchError(f"The search {search.name} is at its end: give it more trials or minutes to go on.")
        search.set_status("running", seconds=before.seconds)
        try:
            with storage.errors(search.store.where):
                yield from leader.lead()
        except (KeyboardInterrupt, GeneratorExit):  # or whoever iterates has had enough
            leader.leave()
            search.set_status("stopped", seconds=leader.seconds)
            raise
        except Exception as error:
            leader.leave()
            message = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {str(error)[:200]}"
            search.set_status("failed", message, leader.seconds)
            raise
        leader.leave()
        search.set_status("stopped" if search.stop_requested() else "finished", seconds=leader.seconds)


def _creator(search: Search) -> Callable[[TrainConfig], Run]:
    return lambda config: teaching.create_run(config, search.store.runs)


class _Leader:
    def __init__(
        self,
        search: Search,
        config: SearchConfig,
        pool: Pool,
        create_run: Callable[[TrainConfig], Run],
        seconds: float,
    ) -> None:
        self._search, self._config, self._pool, self._create_run = search, config, pool, create_run
        self._study = search.study(sampler=_sampler(config, len(search.trials())), pruner=_pruner(config))
        self._runs: dict[int, Run] = {}  # those of the trials that are running, by the trial's number
        self._attempts: dict[int, int] = {}
        self._begun = time.monotonic() - seconds
        self._failures = 0  # one after the other, up to now
        self._last_message = ""

    @property
    def seconds(self) -> float:
        """Those that the search has taken, before it was stopped as well."""
        return time.monotonic() - self._begun

    def lead(self) -> Iterator[Trial]:
        """Until nothing is left to try, or a stop is asked for."""
        self._take_up()
        while not self._search.stop_requested():
            for number in list(self._runs):
                if self._look_at(number):
                    self._search.set_status("running", seconds=self.seconds)  # a kill loses no more than a trial's
                    yield self._search.trials()[number]
            if self._failures >= MOST_FAILURES:
                raise SearchError(f"{MOST_FAILURES} trials failed, one after the other: {self._last_message}")
            if self._is_over():
                for number in list(self._runs):
                    self._end(number, "stopped", "The search's minutes were over.")
                    yield self._search.trials()[number]
                return
            if not self._pool.busy() and self._has_more():
                self._begin()
            elif not self._runs and not self._has_more():
                return
            else:
                time.sleep(POLL)

    def leave(self) -> None:
        """Have all runs that are trained for the search stop; they go on when it does."""
        for run in self._runs.values():
            with contextlib.suppress(RunError):  # deleted, or its folder cannot be written
                self._pool.stop(run)

    def is_done(self) -> bool:
        """Whether there is nothing left to try."""
        return self._is_over() or not self._has_more()

    def _is_over(self) -> bool:
        return self._config.minutes is not None and self.seconds >= self._config.minutes * 60

    def _has_more(self) -> bool:
        if self._config.sampler == "grid" and not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return False
        return self._config.trials is None or sum(t.counts for t in self._search.trials()) < self._config.trials

    def _take_up(self) -> None:
        """Go on with the trials that were running when the search was stopped or its process was killed."""
        for trial in self._search.trials():
            if trial.state != "running":
                continue
            try:
                self._runs[trial.number] = self._search.store.runs.open(trial.run)
            except RunError:  # deleted, or the process was killed before there was a run
                self._study.tell(trial.number, state=TrialState.FAIL)

    def _begin(self) -> None:
        """Ask for a new trial and have its run trained."""
        trial = self._study.ask()
        try:
            config = space.ask(self._config.space, self._config.base, trial)
            run = self._create_run(config)
            run.set_about(group=f"Search {self._search.name}")
            trial.set_user_attr("run", run.id)
            self._pool.submit(run)
        except ConfigError as error:  # settings that do not go together: Optuna learns to avoid them
            self._tell(trial.number, TrialState.PRUNED, "pruned", str(error))
        except LabError as error:
            self._tell(trial.number, TrialState.FAIL, "failed", str(error))
            raise SearchError(f"No more trials can be made: {error}") from error
        else:
            self._runs[trial.number], self._attempts[trial.number] = run, 1

    def _look_at(self, number: int) -> bool:
        """Report what the trial's run has reached; whether the trial has ended."""
        run = self._runs[number]
        try:
            state, message = run.status().state, run.status().message
            records = metrics_file.read(run.metrics, steps=False)[0]
        except RunError as error:
            return self._fail(number, str(error))
        epochs = [record for record in records if record["event"] == "epoch"]
        if state.is_active and self._falls_behind(number, epochs, run.config().epochs):
            return self._end(number, "pruned")
        if state is RunState.FINISHED:
            end = run.end()
            if end is None:
                return self._fail(number, f"The records of run {run.id} lack their end.")
            self._falls_behind(number, epochs, 0)  # reports the last one
            figures = {**end, "parameters": records[0].get("parameters")}
            values: list[Any] = [figures.get(name) for name in self._config.kind.figures]
            if None in values:
                return self._fail(number, "No own digits were held back to judge by.")
            self._study.tell(number, values)
            self._forget(number)
            self._failures = 0
            return True
        if state is RunState.DIVERGED:
            return self._end(number, "diverged", message)
        if state is RunState.STOPPED and number in self._attempts:
            return self._end(number, "stopped", "It was stopped by hand.")
        if state is RunState.FAILED:
            return self._fail(number, message)
        if state in (RunState.STOPPED, RunState.INTERRUPTED):
            return self._try_again(number, run)
        if not run.stop_requested():  # or it still stops with the search, and goes on then
            self._attempts.setdefault(number, 1)
        return False

    def _falls_behind(self, number: int, epochs: list[Epoch], last: int) -> bool:
        """Report the epochs that are new; whether the trial is so far behind others that it is to be stopped."""
        if not self._config.kind.is_single:
            return False
        trial = optuna.trial.Trial(self._study, self._study.get_trials(deepcopy=False)[number]._trial_id)
        reported = self._study.get_trials(deepcopy=False)[number].intermediate_values
        fresh = [epoch for epoch in epochs if epoch["epoch"] not in reported]
        for epoch in fresh:
            figure: Any = epoch.get(self._config.kind.figures[0])
            if figure is not None:
                trial.report(figure, epoch["epoch"])
        return bool(fresh) and fresh[-1]["epoch"] < last and trial.should_prune()

    def _try_again(self, number: int, run: Run) -> bool:
        """Go on with a run that was stopped with the search, or whose process was killed."""
        self._attempts[number] = attempts = self._attempts.get(number, 0) + 1
        if attempts > MOST_ATTEMPTS:
            return self._fail(number, f"Its process ended {MOST_ATTEMPTS} times without a word.")
        try:
            self._pool.submit(run)
        except RunError as error:
            return self._fail(number, str(error))
        return False

    def _end(self, number: int, how: str, message: str = "") -> bool:
        """The trial ends before its training does."""
        run = self._runs[number]
        with contextlib.suppress(RunError):  # deleted, or its folder cannot be written
            if run.status().state.is_active:
                self._pool.stop(run)
        self._tell(number, TrialState.PRUNED, how, message)
        self._failures = 0
        return True

    def _fail(self, number: int, message: str) -> bool:
        self._tell(number, TrialState.FAIL, "failed", message)
        self._failures += 1
        self._last_message = message
        return True

    def _tell(self, number: int, state: TrialState, end: str, message: str) -> None:
        trial_id = self._study.get_trials(deepcopy=False)[number]._trial_id
        storage = self._search.store.storage()
        storage.set_trial_user_attr(trial_id, "end", end)
        if message:
            storage.set_trial_user_attr(trial_id, "message", message)
        self._study.tell(number, state=state)
        self._forget(number)

    def _forget(self, number: int) -> None:
        self._runs.pop(number, None)
        self._attempts.pop(number, None)


def _sampler(config: SearchConfig, made: int) -> optuna.samplers.BaseSampler:
    """`made` trials before: what is tried by chance is not tried again where a search goes on."""
    seed = config.seed + made
    if config.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, 4 + len(config.space)))
    if config.sampler == "cma-es":
        try:
            return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        except ImportError as error:
            raise SearchError("cma-es needs its library: pip install -r requirements-search.txt.") from error
    return optuna.samplers.RandomSampler(seed=seed)  # a grid's points are in line already


def _pruner(config: SearchConfig) -> optuna.pruners.BasePruner:
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4)
    if config.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
    return optuna.pruners.NopPruner()


class Background:
    """Searches that are led in threads of this process, at most one of a name. Safe for several threads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._mutex = threading.Lock()

    def start(self, search: Search) -> None:
        """Lead the search, or go on with it. Returns once it is led. Raises SearchError."""
        with self._mutex:
            with search.locked():  # raises where another process leads it
                pass
            thread = threading.Thread(target=self._lead, args=(search,), daemon=True)
            thread.start()
            while thread.is_alive() and search.status().state != "running":
                time.sleep(0.02)

    def _lead(self, search: Search) -> None:
        try:
            for _ in drive(search, self._pool):
                pass
        except LabError as error:  # the search's status says so, where that can be written
            logging.getLogger(__name__).warning("The search %s ended: %s", search.name, error)
        except Exception:  # nobody foresaw it: the status names it, the log has all of it
            logging.getLogger(__name__).exception("The search %s ended", search.name)
