import json

import numpy as np
import pytest

from mnist_core.figures import training
from mnist_core.runs.curves import History
from tests.sample_records import end, epoch, start, step

RECORDS = [start(), step(), step(step=40, loss=0.5, accuracy=0.8, lr=0.05), epoch(step=40), end()]
CHARTS = (training.loss_curves, training.accuracy_curves, training.lr_curve)


def history_of(records, path):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    history = History(path)
    history.update()
    return history


def data(options):
    return {series["name"]: series["data"] for series in options["series"]}


def test_curves_hold_the_records_points(tmp_path):
    curves = history_of(RECORDS, tmp_path / "metrics.jsonl").curves
    loss, accuracy = data(training.loss_curves(curves)), data(training.accuracy_curves(curves))
    assert loss["unsmoothed"] == [[0, 2.3], [20, 1.0], [40, 0.5]]
    assert loss["validation"] == [[40, 0.4]]
    assert accuracy["unsmoothed"] == [[20, 0.5], [40, 0.8]]
    assert accuracy["validation"] == [[40, 0.9]]
    assert data(training.lr_curve(curves)) == {"learning rate": [[20, 0.1], [40, 0.05]]}
    for smoothed, raw in ((loss["training"], loss["unsmoothed"]), (accuracy["training"], accuracy["unsmoothed"])):
        assert [x for x, _ in smoothed] == [x for x, _ in raw]
        values = [y for _, y in raw]
        assert all(min(values) <= y <= max(values) for _, y in smoothed)


def test_curves_are_plain_json(tmp_path):
    curves = history_of(RECORDS, tmp_path / "metrics.jsonl").curves
    for chart in CHARTS:
        assert json.loads(json.dumps(chart(curves), allow_nan=False)) == chart(curves)


def test_curves_of_one_kind_are_together(tmp_path):
    curve = history_of(RECORDS, tmp_path / "metrics.jsonl").curves["loss"]
    options = training.together("loss", {"slow": curve, "quick": curve}, "%.3f", highest=4.0)
    assert data(options) == {name: [[0, 2.3], [20, 1.0], [40, 0.5]] for name in ("slow", "quick")}
    assert len({series["color"] for series in options["series"]}) == 2
    assert options["yAxis"]["max"] == 4
    assert "max" not in training.together("loss", {"one": curve}, "%.3f")["yAxis"]


def test_curves_without_points_are_empty(tmp_path):
    curves = History(tmp_path / "none").curves
    for chart in CHARTS:
        assert all(points == [] for points in data(chart(curves)).values())


def long_training(steps):
    for number, loss in enumerate(np.random.default_rng(0).random(steps).tolist(), start=1):
        yield step(step=number, loss=loss, accuracy=1 - loss / 3, lr=loss / 70)
        if number % 100 == 0:
            yield epoch(step=number, val_loss=1 / number, val_accuracy=1 - 1 / number)


def test_a_long_trainings_curves_stay_small(tmp_path):
    curves = history_of(long_training(100_000), tmp_path / "metrics.jsonl").curves
    assert sum(len(json.dumps(chart(curves))) for chart in CHARTS) < 40_000
    for chart in CHARTS:
        assert all(points[-1][0] == 100_000 for points in data(chart(curves)).values())


def test_the_axis_is_as_long_as_the_training_and_a_run_before_stands_behind(tmp_path):
    curves = history_of(RECORDS, tmp_path / "metrics.jsonl").curves
    for chart in (training.loss_curves, training.accuracy_curves):
        options = chart(curves, 500, before=curves)
        assert options["xAxis"]["max"] == 500
        behind = options["series"][0]
        assert behind["name"] == "training, last run"
        assert behind["name"] in options["legend"]["data"]
        assert "unsmoothed" not in options["legend"]["data"]
        assert json.loads(json.dumps(options, allow_nan=False)) == options


def test_guessing_and_goals_are_marked(tmp_path):
    curves = history_of(RECORDS, tmp_path / "metrics.jsonl").curves
    (loss,) = training.loss_curves(curves)["series"][-1]["markLine"]["data"]
    assert loss["yAxis"] == pytest.approx(2.3026, abs=1e-4)
    guessing, goal = training.accuracy_curves(curves, goals={0.99: "cnn"})["series"][-1]["markLine"]["data"]
    assert (guessing["yAxis"], goal["yAxis"]) == (0.1, 0.99)
    assert goal["label"]["formatter"] == "cnn"
