"""Searches that train real networks on the sample."""

import contextlib
import shutil
import subprocess
import sys
import time

import pytest

from mnist_core.errors import RunError, SearchError
from mnist_core.runs.status import RunState
from mnist_core.runs.worker_pool import Workers
from mnist_core.search import results
from mnist_core.search.driver import Background, drive


def test_each_trial_is_a_run_like_all_others(led, store):
    search = led("one", trials=4, pruner="none")
    trials = search.trials()
    assert [trial.state for trial in trials] == ["finished"] * 4
    assert search.status().state == "finished"
    assert search.status().seconds > 0
    assert store.open(trials[0].run).config().lr == search.config().base.lr  # it begins with what it is to improve
    for trial in trials:
        run = store.open(trial.run)
        config, end = run.config(), run.end()
        assert trial.values == (end["val_accuracy"],)
        assert max(trial.reported) == config.epochs == 2
        assert config.batch_size == trial.params["batch_size"]
        assert config.lr == pytest.approx(trial.params["lr"], rel=0.01)
        assert run.about().group == "Search one"
    assert results.best(trials, search.config().kind)[0].value == max(trial.value for trial in trials)


def test_what_falls_behind_is_stopped_by_its_runs_own_stop_and_counts(led, store):
    search = led("one", "lr=0.00001,0.01", sampler="grid", trials=None, minutes=5.0, epochs=6, pruner="none")
    assert len(search.trials()) == 2  # the grid's end is the search's
    search = led("two", "lr=0.00001..0.02", trials=14, epochs=6, seed=1)
    pruned = [trial for trial in search.trials() if trial.state == "pruned"]
    assert pruned
    assert len(search.trials()) == 14
    for trial in pruned:
        assert max(trial.reported) < 6
        assert store.open(trial.run).status().state is RunState.STOPPED
    kept = results.saved(search)
    assert kept.trained < kept.whole == 14 * 6


def test_a_trial_that_diverges_is_said_to(led):
    search = led("one", "lr=50..100", trials=2, sampler="random", epochs=6)
    assert {trial.state for trial in search.trials()} <= {"diverged", "finished", "pruned"}


def test_a_search_that_was_stopped_goes_on_where_it_was(searching, pool, store):
    search = searching("one", trials=4, epochs=4, pruner="none")
    trials = drive(search, pool)
    next(trials)
    trials.close()
    assert search.status().state == "stopped"
    for records in pool.trained.values():  # what was running stops at its next report
        list(records)
    running = [trial for trial in search.trials() if trial.state == "running"]
    again = list(drive(search, pool))
    assert len(search.trials()) == 4
    assert search.status().state == "finished"
    assert {trial.number for trial in running} <= {trial.number for trial in again}
    assert len({trial.run for trial in search.trials()}) == 4  # no trial began anew


def test_a_stop_that_is_asked_for_ends_it_and_its_end_can_be_put_off(searching, pool):
    search = searching("one", trials=3)
    for _ in drive(search, pool):
        search.request_stop()
    assert search.status().state == "stopped"
    assert len(search.trials()) < 3
    list(drive(search, pool))
    with pytest.raises(SearchError, match="at its end"):
        list(drive(search, pool))
    search.set_limits(5, None)
    list(drive(search, pool))
    assert len(search.trials()) == 5


def test_minutes_end_a_search_with_what_it_has(searching, pool):
    search = searching("one", trials=None, minutes=1.0)
    search.set_status("stopped", seconds=59.9)
    list(drive(search, pool))
    assert search.status().state == "finished"
    assert all(trial.state in ("finished", "stopped", "pruned") for trial in search.trials())


def test_nobody_leads_a_search_that_is_led(searching, pool):
    search = searching("one")
    trials = drive(search, pool)
    next(trials)
    with pytest.raises(SearchError, match="led already"):
        next(drive(search, pool))
    assert search.status().state == "running"
    trials.close()


def test_two_figures_make_a_front_that_no_other_trial_beats(led):
    search = led("one", "hidden=4..64", goal="accuracy-parameters", trials=6)
    trials, goal = search.trials(), search.config().kind
    front = results.best(trials, goal)
    for trial in trials:
        assert trial.values[1] == 784 * trial.params["hidden"] + trial.params["hidden"] * 11 + 10
        better = [
            one
            for one in trials
            if one.values[0] >= trial.values[0] and one.values[1] <= trial.values[1] and one != trial
        ]
        assert (trial in front) == (not any(one.values != trial.values for one in better))


def test_a_run_that_is_stopped_by_hand_or_deleted_is_no_end_of_the_search(searching, pool):
    def meddle(run):
        submit(run)
        if len(pool.submitted) == 1:
            run.request_stop()
        elif len(pool.submitted) == 2:
            shutil.rmtree(run.path)

    pool.submit, submit = meddle, pool.submit
    search = searching("one", trials=3, epochs=4, pruner="none")
    with contextlib.suppress(RunError):  # the training in this process finds its folder gone, too
        list(drive(search, pool))
    pool.trained.clear()
    list(drive(search, pool))
    states = [trial.state for trial in search.trials()]
    assert sorted(states) == ["failed", "finished", "finished", "stopped"]


def test_a_search_that_cannot_train_says_why_and_goes_on_later(searching, pool):
    def refuse(run):
        raise RunError("There is no process for it.")

    pool.submit, submit = refuse, pool.submit
    search = searching("one", trials=2)
    with pytest.raises(SearchError, match="no process"):
        list(drive(search, pool))
    assert search.status().state == "failed"
    assert "no process" in search.status().message
    pool.submit = submit
    list(drive(search, pool))
    assert [trial.state for trial in search.trials()] == ["failed", "finished", "finished"]


@pytest.mark.slow
def test_workers_lead_a_search_in_the_background(searching):
    workers = Workers(1)
    try:
        search = searching("one", trials=2)
        Background(workers).start(search)
        assert search.status().state == "running"
        with pytest.raises(SearchError, match="led already"):
            Background(workers).start(search)
        while search.status().state == "running":
            time.sleep(0.05)
        assert [trial.state for trial in search.trials()] == ["finished"] * 2
    finally:
        workers.close()


@pytest.mark.slow
def test_a_search_whose_process_was_killed_shows_so_and_goes_on(searching, pool):
    search = searching("one", trials=2, epochs=25, pruner="none")
    command = ("search", "resume", "one", "--runs-dir", str(search.store.runs.folder), "--json")
    process = subprocess.Popen([sys.executable, "-m", "mnist_core", *command], stdout=subprocess.PIPE)
    try:
        while not any(trial.state == "running" and trial.reported for trial in search.trials()):
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    while search.status().state == "running":
        time.sleep(0.05)
    assert search.status().state == "interrupted"
    (running,) = [trial for trial in search.trials() if trial.state == "running"]
    while search.store.runs.open(running.run).is_locked():  # its process ends with the one that led
        time.sleep(0.05)
    list(drive(search, pool))
    assert [trial.state for trial in search.trials()] == ["finished"] * 2
    assert search.trials()[running.number].run == running.run


def test_an_error_that_nobody_foresaw_is_named_and_is_no_stop(searching, pool):
    def fails(_):
        raise ZeroDivisionError("division by zero")

    search = searching("one")
    with pytest.raises(ZeroDivisionError):
        list(drive(search, pool, fails))
    assert (search.status().state, search.status().message) == ("failed", "ZeroDivisionError: division by zero")
