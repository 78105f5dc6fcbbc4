"""What a search has found: the best trials, and which of the settings mattered."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import optuna

from mnist_core.search import storage
from mnist_core.search.settings import Goal
from mnist_core.search.study import Search, Trial

FEWEST = 8  # trials with a figure, before it is said which setting matters
TREES = 64  # fANOVA's forest takes a quarter of a second with so many


def best(trials: Sequence[Trial], goal: Goal) -> list[Trial]:
    """The finished trials that no other beats: one for a single figure, the Pareto front for two, by the first."""
    finished = [trial for trial in trials if trial.values]
    front = [one for one in finished if not any(_beats(other, one, goal) for other in finished)]
    front.sort(key=lambda trial: _signed(trial, goal), reverse=True)
    return front[:1] if goal.is_single else front


def _signed(trial: Trial, goal: Goal) -> tuple[float, ...]:
    """The trial's figures, such that more is better."""
    return tuple(value if more else -value for value, more in zip(trial.values or (), goal.maximized, strict=True))


def _beats(one: Trial, other: Trial, goal: Goal) -> bool:
    mine, its = _signed(one, goal), _signed(other, goal)
    return mine != its and all(a >= b for a, b in zip(mine, its, strict=True))


def best_so_far(trials: Sequence[Trial]) -> list[tuple[int, float]]:
    """The highest first figure of the finished trials up to each of them, by the trial's number."""
    so_far: list[tuple[int, float]] = []
    for trial in trials:
        if trial.values:
            so_far.append((trial.number, max(trial.values[0], so_far[-1][1] if so_far else 0.0)))
    return so_far


def importances(search: Search) -> dict[str, float]:
    """What share of the first figure's differences each setting explains, the largest first: fANOVA.

    Of the trials that were stopped early what they had reached counts. Empty where there are too few of them, or one
    setting only. From Hutter, Hoos and Leyton-Brown (2014).
    """
    trials = [trial for trial in search.trials() if trial.value is not None]
    fields = set.intersection(*(set(trial.params) for trial in trials)) if trials else set()
    if len(trials) < FEWEST or len(fields) < 2 or len({trial.value for trial in trials}) < 2:
        return {}
    with storage.errors(search.store.where):
        study = _with_all_values(search, trials)
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(optuna.importance.get_param_importances(study, evaluator=evaluator, params=sorted(fields)))


def _with_all_values(search: Search, trials: Sequence[Trial]) -> optuna.Study:
    """A study in memory of the same trials, each finished with its first figure."""
    frozen = {one.number: one for one in search.study().get_trials(deepcopy=False)}
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        one = frozen[trial.number]
        study.add_trial(
            optuna.trial.create_trial(params=one.params, distributions=one.distributions, value=trial.value)
        )
    return study


@dataclasses.dataclass(frozen=True)
class Saved:
    """Epochs that were trained, and those that all trials would have taken without being stopped."""

    trained: int
    whole: int


def saved(search: Search) -> Saved:
    """What stopping trials early has saved, of those that have ended."""
    base = search.config().base.epochs
    ended = [trial for trial in search.trials() if trial.state in ("finished", "pruned")]
    whole = [int(trial.params.get("epochs", base)) for trial in ended]
    trained = [
        epochs if trial.state == "finished" else max(trial.reported, default=0)
        for trial, epochs in zip(ended, whole, strict=True)
    ]
    return Saved(sum(trained), sum(whole))
