import threading

from mnist_core import jobs
from mnist_core.errors import ModelError
from mnist_core.jobs import Jobs
from tests.conftest import wait_until


def counting(to, begun=None):
    """Work that gives the numbers up to `to`."""

    def work():
        if begun is not None:
            begun.append(to)
        for number in range(1, to + 1):
            yield number / to, number

    return work


def waiting(gate, result):
    """Work that is half done until the gate opens."""

    def work():
        yield 0.5, None
        gate.wait(30)
        yield 1.0, result

    return work


def test_work_is_done_once_for_each_key():
    all_jobs, begun = Jobs(), []
    first = all_jobs.get("a", counting(3, begun))
    wait_until(lambda: first.done)
    assert (first.result, first.progress, first.problem) == (3, 1.0, "")
    assert all_jobs.get("a", counting(3, begun)) is first
    other = all_jobs.get("b", counting(4, begun))
    wait_until(lambda: other.done)
    assert begun == [3, 4]


def test_many_who_ask_at_once_get_the_same():
    all_jobs, begun, found = Jobs(), [], []
    threads = [threading.Thread(target=lambda: found.append(all_jobs.get("a", counting(5, begun)))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: found[0].done)
    assert begun == [5]
    assert len(set(map(id, found))) == 1


def test_progress_and_what_there_is_so_far_are_seen():
    gate = threading.Event()
    job = Jobs().get("a", waiting(gate, 9))
    wait_until(lambda: job.progress == 0.5)
    assert not job.done
    assert job.result is None
    gate.set()
    wait_until(lambda: job.done)
    assert job.result == 9


def test_the_newest_is_the_next():
    all_jobs, gate, begun = Jobs(), threading.Event(), []
    first = all_jobs.get("first", waiting(gate, 0))
    wait_until(lambda: first.progress == 0.5)
    found = [all_jobs.get(number, counting(number, begun)) for number in (1, 2, 3)]
    gate.set()
    wait_until(lambda: all(job.done for job in found))
    assert begun == [3, 2, 1]


def test_a_problem_is_said_until_it_is_forgotten():
    def work():
        yield 0.1, 1
        raise ModelError("The weights are gone.")

    all_jobs = Jobs()
    job = all_jobs.get("a", work)
    wait_until(lambda: job.done)
    assert job.problem == "The weights are gone."
    assert all_jobs.get("a", counting(2)) is job
    all_jobs.forget("a")
    again = all_jobs.get("a", counting(2))
    wait_until(lambda: again.done)
    assert (again.problem, again.result) == ("", 2)


def test_an_unforeseen_error_is_logged_and_the_jobs_that_wait_are_done(caplog):
    gate = threading.Event()

    def work():
        yield 0.1, 1
        gate.wait(30)
        raise ZeroDivisionError("nobody foresaw this")

    def fails_at_once():
        raise KeyError("nor this")

    all_jobs = Jobs()
    job, *others = [all_jobs.get(*asked) for asked in (("a", work), ("b", counting(2)), ("c", fails_at_once))]
    gate.set()
    wait_until(lambda: job.done and all(other.done for other in others), seconds=20)
    assert [job.problem, *(other.problem for other in others)] == [jobs.FAILED, "", jobs.FAILED]
    assert others[0].result == 2
    assert caplog.text.count("Traceback") == 2
    assert "ZeroDivisionError: nobody foresaw this" in caplog.text


def test_what_nobody_looks_at_any_more_is_dropped(monkeypatch):
    all_jobs, gate, begun = Jobs(), threading.Event(), []
    running = all_jobs.get("running", waiting(gate, 0))
    wait_until(lambda: running.progress == 0.5)
    forgotten = all_jobs.get("forgotten", counting(7, begun))
    monkeypatch.setattr(jobs, "FORGOTTEN", -1.0)
    gate.set()
    wait_until(lambda: all_jobs._jobs.keys() <= {"running"})
    monkeypatch.undo()
    assert not begun
    assert not forgotten.done
    again = all_jobs.get("forgotten", counting(7, begun))
    wait_until(lambda: again.done)
    assert begun == [7]


def test_a_job_that_runs_ends_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(jobs, "FORGOTTEN", -1.0)
    all_jobs = Jobs()

    def work():
        for share in range(1, 1_000_000):
            yield share / 1e6, share

    job = all_jobs.get("a", work)
    wait_until(lambda: not all_jobs._jobs)
    assert not job.done or job.progress < 1


def test_only_so_many_are_kept():
    all_jobs = Jobs(kept=3)
    for number in range(6):
        job = all_jobs.get(number, counting(1))
        wait_until(lambda job=job: job.done)
        all_jobs.get(0, counting(1))
    assert len(all_jobs._jobs) <= 4
    assert 0 in all_jobs._jobs
