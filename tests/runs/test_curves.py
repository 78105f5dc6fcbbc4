import json
import random
import threading

import numpy as np
import pytest

from mnist_core.errors import RunError
from mnist_core.runs.curves import Curve, History, Smoothed
from tests import sample_records

MOST = 300


def filled(points, most=MOST):
    curve = Curve(most)
    for x, y in points:
        curve.add(x, y)
    return curve


def noise(count):
    return list(zip(range(1, count + 1), np.random.default_rng(0).random(count).tolist(), strict=True))


@pytest.mark.parametrize("most", [2, 4, 10, MOST])
def test_a_curve_never_has_more_points_than_it_may(most):
    curve = Curve(most)
    for x in range(20 * most):
        curve.add(x, 1.0)
        assert most // 2 <= len(curve.points) <= most or x + 1 < most


@pytest.mark.parametrize("count", [0, 1, 2, MOST - 1])
def test_a_curve_is_exact_while_it_fits(count):
    assert filled(noise(count)).points == noise(count)


@pytest.mark.parametrize("count", [MOST, MOST + 1, 2 * MOST - 1, 2 * MOST, 4_567, 10_000])
def test_a_full_curve_holds_the_means_of_neighbours(count):
    points, merged = noise(count), 1
    while count // merged >= MOST:
        merged *= 2
    groups = [points[i : i + merged] for i in range(0, count, merged)]
    got = filled(points).points
    assert [x for x, _ in got] == [group[-1][0] for group in groups]
    assert [y for _, y in got] == pytest.approx([np.mean([y for _, y in group]) for group in groups])


@pytest.mark.parametrize("most", [2, 4, 10, MOST])
def test_a_curve_keeps_the_mean_of_what_it_holds(most):
    points = noise(most * 2**5)
    got = filled(points, most).points
    assert np.mean([y for _, y in got]) == pytest.approx(np.mean([y for _, y in points]))


@pytest.mark.parametrize("count", [1, 299, 300, 301, 12_345])
def test_a_curve_ends_where_its_data_end(count):
    assert filled(noise(count)).points[-1][0] == count


def test_smoothing_is_the_weighted_mean_of_the_formula():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.integers(1, 40, 60))
    y = rng.random(60)
    smoothed = Smoothed(forgets=50)
    for last in range(60):
        # each point's weight is what its own gap let in, faded by all that has passed since
        weights = (1 - np.exp(-np.diff(x[: last + 1], prepend=0) / 50)) * np.exp(-(x[last] - x[: last + 1]) / 50)
        assert smoothed.add(int(x[last]), float(y[last])) == pytest.approx(np.average(y[: last + 1], weights=weights))


def test_two_points_are_smoothed_as_by_hand():
    smoothed = Smoothed(forgets=10 / np.log(2))  # half is forgotten in 10 steps
    assert smoothed.add(10, 4.0) == pytest.approx(4.0)
    assert smoothed.add(20, 1.0) == pytest.approx((0.25 * 4 + 0.5 * 1) / 0.75)


@pytest.mark.parametrize("steps", [range(0, 500, 20), [0, 0, 0], [7], [5, 5, 6, 1_000_000]])
def test_a_constant_stays_itself_smoothed(steps):
    smoothed = Smoothed()
    assert [smoothed.add(step, 0.7) for step in steps] == pytest.approx([0.7] * len(steps))


def test_a_far_step_forgets_all_before():
    smoothed = Smoothed(forgets=50)
    smoothed.add(1, 100.0)
    assert smoothed.add(100_000, 1.0) == pytest.approx(1.0)


def training(epochs=3, steps=7, loss=1.0, lr=0.1):
    """A training's records as fit gives them, as far as a history minds them."""
    yield sample_records.start(steps=epochs * steps)
    for epoch in range(1, epochs + 1):
        for step in range((epoch - 1) * steps + 1, epoch * steps + 1):
            figures = {"loss": loss / step, "accuracy": 1 - loss / step / 2, "lr": lr / step}
            yield sample_records.step(epoch=epoch, step=step, images_per_s=1000.0 + step, **figures)
        figures = {"val_loss": loss / epoch, "val_accuracy": 1 - loss / epoch / 2}
        yield sample_records.epoch(epoch=epoch, step=epoch * steps, **figures)
    yield {"event": "lr", "step": epochs * steps, "lr": 0.3}
    yield {"event": "end", "reason": "finished", "epoch": epochs}


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def seen(history):
    curves = {name: curve.points for name, curve in history.curves.items()}
    return curves, history.start, history.step, history.epoch, history.end, history.lr, history.images_per_s


def fresh(path):
    history = History(path)
    history.update()
    return history


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


@pytest.fixture
def resumable(small, store):
    """A run of which two epochs and a part of the third are on disk."""
    run = store.create(small)
    append(run, list(training())[:20])
    return run


def append(run, records):
    with run.recorder() as recorder:
        for record in records:
            recorder.append(record)


def test_a_history_holds_what_the_records_say(path):
    records = list(training())
    path.write_bytes(lines(records))
    history = fresh(path)
    steps = [record for record in records if record["event"] == "step"]
    epochs = [record for record in records if record["event"] == "epoch"]
    curves = {name: curve.points for name, curve in history.curves.items()}
    assert curves["loss"] == [(0, 2.3), *((record["step"], record["loss"]) for record in steps)]
    assert curves["accuracy"] == [(record["step"], record["accuracy"]) for record in steps]
    assert curves["lr"] == [(record["step"], record["lr"]) for record in steps]
    assert curves["val_loss"] == [(record["step"], record["val_loss"]) for record in epochs]
    assert curves["val_accuracy"] == [(record["step"], record["val_accuracy"]) for record in epochs]
    smoothed = Smoothed()
    assert curves["loss_smoothed"] == [(x, smoothed.add(x, y)) for x, y in curves["loss"]]
    assert (history.start, history.step, history.epoch) == (records[0], steps[-1], epochs[-1])
    assert history.end == records[-1]
    assert history.lr == 0.3
    assert steps[0]["images_per_s"] < history.images_per_s < steps[-1]["images_per_s"]


def test_a_history_that_has_not_looked_is_empty(path):
    path.write_bytes(lines(training()))
    history = History(path)
    assert all(points == [] for points in seen(history)[0].values())
    assert seen(history)[1:] == (None, None, None, None, None, 0.0)


def test_a_file_that_grows_is_followed(path):
    whole = lines(training(epochs=12, steps=40))
    pieces = random.Random(0)  # noqa: S311
    history, done = History(path), 0
    while done < len(whole):
        size = pieces.choice([0, 1, 10, 300, 2_000])
        with open(path, "ab") as file:
            file.write(whole[done : done + size])
        done += size
        history.update()
    assert seen(history) == seen(fresh(path))
    assert history.end["reason"] == "finished"


def test_a_line_that_is_being_written_is_left_out_until_it_is_whole(path):
    records = list(training())
    whole = lines(records[:3])
    path.write_bytes(whole[:-5])
    history = fresh(path)
    assert history.step == records[1]
    path.write_bytes(whole)  # the same file, now longer
    history.update()
    assert history.step == records[2]
    assert len(history.curves["accuracy"].points) == 2


def test_looking_again_adds_nothing(path):
    path.write_bytes(lines(training()))
    history = fresh(path)
    before = seen(history)
    for _ in range(3):
        history.update()
    assert seen(history) == before


def test_a_missing_file_is_an_empty_history(path):
    history = fresh(path)
    assert history.start is None
    path.write_bytes(lines(training()))
    history.update()
    assert history.end["reason"] == "finished"
    path.unlink()
    history.update()
    assert seen(history) == seen(History(path))


def test_of_a_damaged_file_all_before_the_damage_is_shown(path):
    records = list(training())
    path.write_bytes(lines(records[:5]))
    history = fresh(path)
    assert history.damage == ""
    before = seen(history)
    with open(path, "ab") as file:
        file.write(b"\0\0\0nonsense\n" + lines(records[5:]))
    for _ in range(2):
        history.update()
        assert "are damaged from byte" in history.damage
        assert seen(history) == before
    assert seen(fresh(path)) == before
    path.unlink()
    path.write_bytes(lines(records))  # it is repaired
    history.update()
    assert history.damage == ""
    assert history.end["reason"] == "finished"


@pytest.mark.parametrize("record", [{"event": "step", "step": 1}, {"event": "epoch", "epoch": 1}, {"event": "lr"}])
def test_a_record_that_lacks_what_belongs_to_it_is_damage(path, record):
    start = sample_records.start()
    path.write_bytes(lines([start, record, *training()]))
    history = fresh(path)
    for _ in range(2):
        assert ": it lacks " in history.damage
        assert history.start == start
        assert history.step is history.epoch is history.end is None
        history.update()


def test_a_file_that_cannot_be_read_is_said(path):
    path.mkdir()
    with pytest.raises(RunError, match=r"metrics in .*metrics\.jsonl cannot be read: Is a directory"):
        History(path).update()


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_rewound_file_is_read_anew(resumable, epoch):
    history = fresh(resumable.path / "metrics.jsonl")
    assert history.step["step"] == 17
    resumable.rewind(epoch)
    history.update()
    assert (history.step["step"] if epoch else history.step) == (epoch * 7 or None)
    assert seen(history) == seen(fresh(resumable.path / "metrics.jsonl"))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_rewound_file_that_has_outgrown_the_last_look_is_read_anew(resumable, times):
    path = resumable.path / "metrics.jsonl"
    history = fresh(path)
    size = path.stat().st_size
    for _ in range(times):
        resumable.rewind(1)
    append(resumable, [record | {"loss": 12.345678} for record in training(epochs=9) if record["event"] == "step"])
    assert path.stat().st_size > size
    history.update()
    assert seen(history) == seen(fresh(path))


def test_a_resumed_run_has_not_ended(path):
    records = list(training())
    path.write_bytes(lines([*records[:-1], {"event": "end", "reason": "stopped"}]))
    history = fresh(path)
    assert history.end["reason"] == "stopped"
    with open(path, "ab") as file:
        file.write(lines([sample_records.resume(epoch=3, step=21)]))
    history.update()
    assert history.end is None
    assert history.start["event"] == "resume"
    assert history.step["step"] == 21


def test_threads_that_look_at_once_count_every_record_once(path):
    path.touch()
    history, done, errors = History(path), threading.Event(), []

    def look():
        try:
            while not done.is_set():
                history.update()
        except Exception as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    whole = lines(training(epochs=4, steps=50))
    with open(path, "ab", buffering=0) as file:
        for start in range(0, len(whole), 97):
            file.write(whole[start : start + 97])
    done.set()
    for thread in threads:
        thread.join()
    assert not errors
    history.update()
    assert len(history.curves["accuracy"].points) == 200
    assert seen(history) == seen(fresh(path))
