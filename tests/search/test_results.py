import optuna
import pytest

from mnist_core.figures import search as figures
from mnist_core.search import results
from mnist_core.search.settings import GOALS
from mnist_core.search.study import Trial


def trial(number, state="finished", values=None, reported=None, **params):
    return Trial(number, state, params, values, reported or {}, f"run-{number}", "")


def test_the_best_so_far_never_falls():
    trials = [
        trial(0, values=(0.9,)),
        trial(1, "pruned", reported={1: 0.99}),
        trial(2, values=(0.8,)),
        trial(3, values=(0.95,)),
    ]
    assert results.best_so_far(trials) == [(0, 0.9), (2, 0.9), (3, 0.95)]
    assert [one.number for one in results.best(trials, GOALS["accuracy"])] == [3]
    assert results.best([], GOALS["accuracy"]) == []


def test_a_front_by_hand():
    trials = [trial(i, values=pair) for i, pair in enumerate([(0.9, 10), (0.95, 20), (0.94, 30), (0.8, 5), (0.8, 10)])]
    assert [one.number for one in results.best(trials, GOALS["accuracy-seconds"])] == [1, 0, 3]


def test_what_matters_is_what_optuna_says(led):
    search = led("one", "lr=0.00001..0.1", "batch_size=16..64", trials=12, sampler="random", pruner="none")
    shares = results.importances(search)
    assert sum(shares.values()) == pytest.approx(1)
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=results.TREES, seed=0)
    assert shares == pytest.approx(optuna.importance.get_param_importances(search.study(), evaluator=evaluator))
    assert shares["lr"] > shares["batch_size"]


def test_nothing_is_said_of_too_few_trials(led):
    assert results.importances(led("one", trials=3)) == {}


def test_each_picture_can_be_drawn_of_any_search(led):
    search = led("one", "lr=0.001..0.1", "hidden=8..32", "optimizer=sgd,adamw", trials=6, seed=2)
    trials, config = search.trials(), search.config()
    for some in (trials, trials[:1], []):
        drawn = figures.curves(some, some[0].number if some else None)
        shown = [y for trace in drawn.data for y in trace.y if y is not None]
        assert sorted(shown) == pytest.approx(sorted(1 - y for one in some for y in one.reported.values()))
        figures.history(some, results.best_so_far(some))
        lines = figures.parallel(some, config.space).data[0]
        assert [axis.label for axis in lines.dimensions] == ["Learning rate", "Hidden", "Optimizer", "reached"]
        assert len(lines.dimensions[0]["values"]) == len(some)
        figures.contour(some, *config.space[:2])
    figures.importances({"lr": 0.7, "hidden": 0.3})


def test_the_front_is_drawn_of_all_finished_trials():
    trials = [trial(i, values=pair) for i, pair in enumerate([(0.9, 10.0), (0.95, 20.0), (0.94, 30.0)])]
    drawn = figures.front(trials, results.best(trials, GOALS["accuracy-seconds"]), GOALS["accuracy-seconds"])
    assert list(drawn.data[0].x) == [10, 20, 30]
    assert list(drawn.data[1].x) == [10, 20]
