import contextlib
import dataclasses
import errno
import os
import signal

import pytest

from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.runs import summary, worker, worker_pool
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from tests.conftest import wait_until

SHORT = TrainConfig(data="sample", hidden=(16,), epochs=2, device="cpu")
LONG = dataclasses.replace(SHORT, epochs=1_000)


@pytest.fixture
def workers_for():
    """Makes Workers, and ends their processes behind the test."""
    made = []

    def make(at_once):
        made.append(Workers(at_once))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def make_run(store):
    return lambda config=SHORT: store.create(config)


def state(run):
    return run.status().state


def ended(these, run):
    """Whether the run is neither in line nor has a process, and the next one has been let in."""
    with these._mutex:
        return not these.place(run) and run.id not in these._children


def kill(these, run):
    os.kill(these._children[run.id].pid, signal.SIGKILL)
    wait_until(lambda: ended(these, run))


def take_away(run):
    """Remove the run's folder at once, whoever writes to it."""
    run.path.rename(run.path.parent.parent / run.id)


def test_the_first_to_come_is_the_first_in(workers_for, make_run):
    these = workers_for(1)
    runs = [make_run() for _ in range(4)]
    for run in runs:
        these.submit(run)
    for count, run in enumerate(runs):
        assert [these.place(other) for other in runs[count:]] == list(range(len(runs) - count))
        assert list(these._children) == [run.id]
        assert these.busy()
        assert all(state(other) == "waiting" for other in runs[count + 1 :])
        kill(these, run)
    assert not these.busy()
    assert these._children == {}


def test_as_many_run_at_a_time_as_there_is_room_for(workers_for, make_run):
    these = workers_for(2)
    runs = [make_run() for _ in range(4)]
    for run in runs:
        these.submit(run)
    assert [these.place(run) for run in runs] == [0, 0, 1, 2]
    assert these.busy()
    kill(these, runs[1])
    assert [these.place(run) for run in runs] == [0, 0, 0, 1]
    assert these._children.keys() == {runs[0].id, runs[2].id}


def test_a_paused_run_makes_room_and_goes_on_at_the_lines_end(workers_for, make_run):
    these = workers_for(1)
    first, second, third = make_run(LONG), make_run(), make_run()
    for run in (first, second, third):
        these.submit(run)
    wait_until(lambda: first.records())
    these.pause(first)
    assert [these.place(run) for run in (first, second, third)] == [0, 0, 1]
    wait_until(lambda: state(first) == "paused")
    done = len(first.records())
    these.resume(first)
    assert [these.place(run) for run in (first, second, third)] == [2, 0, 1]
    kill(these, second)
    assert [these.place(run) for run in (first, third)] == [1, 0]
    assert first.pause_requested()
    kill(these, third)
    wait_until(lambda: state(first) == "running" and len(first.records()) > done)


def test_a_killed_process_is_noted_and_lets_the_next_in(workers_for, make_run):
    these = workers_for(1)
    first, second = make_run(dataclasses.replace(SHORT, epochs=30)), make_run()
    these.submit(first)
    these.submit(second)
    wait_until(first.state.exists)
    kill(these, first)
    assert state(first) == "interrupted"
    assert "memory" in first.status().message
    assert list(these._children) == [second.id]
    kill(these, second)
    these.resume(first)
    wait_until(lambda: state(first) == "finished")
    assert [record["event"] for record in first.records()].count("resume") == 1
    assert summary.row(first).epochs == 30


def test_a_run_that_has_just_stopped_can_be_taken_up_again(workers_for, make_run):
    these, run = workers_for(1), make_run()
    these.submit(run)
    these.stop(run)
    stopped = these._children[run.id]
    wait_until(lambda: state(run) == "stopped")
    these.resume(run)
    wait_until(lambda: these._children.get(run.id) not in (None, stopped), seconds=20)
    assert state(run) == "waiting"
    assert not run.stop_requested()


def test_a_run_that_waits_can_be_stopped_and_taken_up_again(workers_for, make_run):
    these = workers_for(1)
    first, second, third = make_run(), make_run(), make_run()
    for run in (first, second, third):
        these.submit(run)
    these.stop(second)
    assert state(second) == "stopped"
    assert [these.place(run) for run in (first, second, third)] == [0, 0, 1]
    assert not second.is_locked()
    these.resume(second)
    assert state(second) == "waiting"
    assert [these.place(run) for run in (first, second, third)] == [0, 2, 1]
    these.stop(second)
    second.delete()
    assert [these.place(run) for run in (first, third)] == [0, 1]


def test_a_run_is_taken_once(workers_for, make_run):
    these = workers_for(1)
    first, second = make_run(), make_run()
    these.submit(first)
    these.submit(second)
    for run in (first, second):  # one whose process is on its way, and one in line
        with pytest.raises(RunError, match=f"{run.id} is being trained already"):
            these.submit(run)
    assert [these.place(run) for run in (first, second)] == [0, 1]
    assert list(these._children) == [first.id]


def test_a_run_that_another_process_trains_is_refused(workers_for, make_run):
    these, run = workers_for(1), make_run()
    with run.locked(), pytest.raises(RunError, match="is being trained already"):
        these.submit(run)
    assert not these.busy()
    assert these.place(run) == 0


def test_resuming_what_is_not_paused_changes_nothing(workers_for, make_run):
    these, run = workers_for(1), make_run()
    these.submit(run)
    with contextlib.suppress(RunError):
        these.resume(run)
    assert these.place(run) == 0
    these.pause(run)
    assert run.pause_requested()
    assert not these.busy()


def test_pausing_what_waits_to_go_on_keeps_it_paused(workers_for, make_run):
    these = workers_for(1)
    first, second = make_run(), make_run()
    these.submit(first)
    these.submit(second)
    these.pause(first)
    these.resume(first)
    assert these.place(first) == 1
    these.pause(first)
    kill(these, second)
    assert first.pause_requested()
    assert not these.busy()


def test_a_run_that_was_to_pause_while_it_waited_can_go_on(workers_for, make_run):
    these = workers_for(1)
    first, second = make_run(), make_run()
    these.submit(first)
    these.submit(second)
    with contextlib.suppress(RunError):
        these.pause(second)
    kill(these, first)
    with contextlib.suppress(RunError):
        these.resume(second)
    assert list(these._children) == [second.id]
    assert not second.pause_requested()
    assert these.place(second) == 0
    assert these.busy()


@pytest.mark.parametrize("end", ["finished", "diverged"])
def test_what_has_ended_for_good_is_not_trained_again(workers_for, make_run, end):
    diverging = {"optimizer": "sgd", "lr": 30.0, "schedule": "constant"} if end == "diverged" else {}
    these, run = workers_for(1), make_run(dataclasses.replace(SHORT, **diverging))
    for _ in train_run(run):
        pass
    records = run.records()
    for again in (these.submit, these.resume):
        with pytest.raises(RunError):
            again(run)
        assert state(run) == end
        assert run.records() == records
    assert not these.busy()
    assert not run.is_locked()


def test_a_run_that_is_gone_is_refused_and_not_brought_back(workers_for, make_run):
    these, run = workers_for(1), make_run()
    take_away(run)
    for ask in (these.submit, these.resume, these.pause, these.stop):
        with pytest.raises(RunError):
            ask(run)
    assert not run.path.exists()
    assert not these.busy()


@pytest.mark.slow
def test_deleted_runs_harm_no_other(workers_for, make_run):
    these = workers_for(2)
    running, whole, waiting, stopped, last = make_run(LONG), make_run(), make_run(), make_run(), make_run()
    for run in (running, whole, waiting, stopped, last):
        these.submit(run)
    take_away(waiting)
    take_away(stopped)
    with contextlib.suppress(RunError):
        these.stop(stopped)
    assert these.place(stopped) == 0
    wait_until(lambda: state(running) == "running")
    take_away(running)
    wait_until(lambda: all(ended(these, run) for run in (running, whole, waiting, last)))
    assert state(whole) == state(last) == "finished"
    assert not these._children
    assert not these.busy()
    assert {path.name for path in whole.path.parent.iterdir()} == {whole.id, last.id}


def test_closing_ends_every_process(workers_for, make_run):
    these = workers_for(2)
    first, second = make_run(), make_run()
    these.submit(first)
    these.submit(second)
    these.pause(first)
    these.warm_up()
    children = [these._executor._ready, *these._children.values()]
    assert len(children) == 3
    these.close()
    assert all(child.poll() is not None for child in children)
    wait_until(lambda: state(first) == state(second) == "interrupted")
    assert not these.busy()
    these.close()


def test_closing_lets_go_of_the_line(workers_for, make_run):
    these, others = workers_for(1), workers_for(1)
    first, second = make_run(), make_run()
    these.submit(first)
    these.submit(second)
    these.close()
    assert these.place(second) == 0
    assert not second.is_locked()
    others.submit(second)
    assert list(others._children) == [second.id]
    assert these._children == {}


def test_a_process_kept_ready_is_used(workers_for, make_run):
    these = workers_for(1)
    these.warm_up()
    ready = these._executor._ready
    assert ready.poll() is None
    run = make_run()
    these.submit(run)
    assert these._children[run.id].pid == ready.pid
    assert these._executor._ready is None
    kill(these, run)
    assert these._executor._ready.poll() is None
    assert these._executor._ready.pid != ready.pid
    these.warm_up()
    assert these._executor._ready.poll() is None


def test_a_process_is_kept_ready_only_where_there_is_room(workers_for, make_run):
    these = workers_for(1)
    first = make_run()
    these.submit(first)
    these.warm_up()
    assert these._executor._ready is None
    these.pause(first)
    assert these._executor._ready.poll() is None


def test_a_ready_process_that_has_died_is_replaced(workers_for, make_run):
    these = workers_for(1)
    these.warm_up()
    dead = these._executor._ready
    dead.kill()
    dead.wait()
    run = make_run()
    these.submit(run)
    assert these._children[run.id].pid != dead.pid
    assert these._children[run.id].poll() is None
    assert state(run) == "waiting"


@pytest.mark.parametrize(
    ("returncode", "log", "expected", "part"),
    [
        (-signal.SIGKILL, None, "interrupted", "memory"),
        (-signal.SIGTERM, None, "interrupted", "signal 15"),
        (0xC0000005, None, "failed", "no reason known"),  # how Windows says that memory was misused
        (1, "x" * 100_000 + "\n", "failed", "Its process failed: xxx"),
        (1, "Traceback:\n  x\nKeyError: 'x'\n", "failed", "Its process failed: KeyError: 'x'"),
        (1, "", "failed", "no reason known"),
        (1, None, "failed", "no reason known"),
    ],
)
def test_a_sudden_end_is_put_in_words(make_run, monkeypatch, returncode, log, expected, part):
    run = make_run()
    run.set_status(RunState.RUNNING)
    if log is not None:
        run.log.write_text(log)
    monkeypatch.delattr(signal, "SIGKILL")  # Windows has none
    worker_pool._note_sudden_end(run, returncode)
    assert state(run) == expected
    assert part in run.status().message
    assert len(run.status().message) < 1_000


def test_the_next_is_let_in_whatever_goes_wrong_when_an_end_is_noted(workers_for, make_run, monkeypatch, caplog):
    def fails(*_):
        raise AttributeError("nobody foresaw this")

    monkeypatch.setattr(worker_pool, "_note_sudden_end", fails)
    these, first, second = workers_for(1), make_run(), make_run()
    these.submit(first)
    these.submit(second)
    kill(these, first)
    assert list(these._children) == [second.id]
    assert "AttributeError: nobody foresaw this" in caplog.text


def test_a_run_that_gets_no_process_fails_with_a_sentence_and_lets_the_next_in(workers_for, make_run, monkeypatch):
    these, first, second, third = workers_for(1), make_run(), make_run(), make_run()
    for run in (first, second, third):
        these.submit(run)
    spawn, refusals = worker.spawn, [BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")]
    monkeypatch.setattr(worker, "spawn", lambda: spawn() if not refusals else raising(refusals.pop()))
    kill(these, first)
    assert state(second) == "failed"
    assert "No process could be started" in second.status().message
    assert not second.is_locked()
    assert list(these._children) == [third.id]


def raising(error):
    raise error


@pytest.mark.parametrize("returncode", [-signal.SIGKILL, 1])
@pytest.mark.parametrize("end", ["finished", "diverged", "stopped"])
def test_an_end_that_was_noted_stays(make_run, end, returncode):
    run = make_run()
    run.set_status(end, "Said before its process ended.")
    before = run.status()
    worker_pool._note_sudden_end(run, returncode)
    assert run.status() == before


def test_a_process_that_fails_lets_the_next_in(workers_for, make_run):
    these = workers_for(1)
    first, second = make_run(), make_run()
    (first.path / "metrics.jsonl").mkdir()
    these.submit(first)
    these.submit(second)
    wait_until(lambda: ended(these, first))
    assert state(first) == "failed"
    assert list(these._children) == [second.id]


def test_room_is_what_is_used_where_none_is_named(monkeypatch, workers_for, make_run):
    monkeypatch.setenv("RUNS_AT_ONCE", "2")
    these = workers_for(None)
    runs = [make_run() for _ in range(3)]
    for run in runs:
        these.submit(run)
    assert [these.place(run) for run in runs] == [0, 0, 1]


def test_a_stranger_has_no_place(workers_for, make_run):
    these, run = workers_for(1), make_run()
    assert these.place(run) == 0
    these.stop(run)
    assert run.stop_requested()
