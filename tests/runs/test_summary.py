import dataclasses
import json
import statistics

import pytest

from mnist_core import metrics
from mnist_core.config import TrainConfig
from mnist_core.presets import PRESETS
from mnist_core.runs import summary
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import (
    Row,
    Table,
    differing,
    matches,
    numbered,
    over_seeds,
    setting,
    title_of,
    what_differs,
)
from tests.conftest import NESTED


def test_a_row_says_what_the_records_say(finished, small):
    records = finished.records()
    start, end = records[0], records[-1]
    epochs = [record for record in records if record["event"] == "epoch"]
    row = summary.row(finished)
    assert (row.run, row.state, row.config, row.epochs) == (finished.id, "finished", small, 2)
    assert row.curve == tuple(record["val_accuracy"] for record in epochs)
    assert row.val_accuracy == max(row.curve)
    assert row.test_accuracy == end["test_accuracy"]
    assert row.test_interval == metrics.interval(round(end["test_accuracy"] * 297), 297)
    assert row.parameters == start["parameters"] == 784 * 16 + 16 + 16 * 10 + 10
    assert row.device == start["device"]
    assert row.seconds == pytest.approx(end["seconds"])
    assert row.images_per_s == pytest.approx(2 * 1_250 / row.seconds)
    assert json.loads(json.dumps(row.to_dict()))["config"] == small.to_dict()


def test_a_run_that_has_not_begun_has_no_figures(small, store):
    row = summary.row(store.create(small))
    assert row.state == "waiting"
    figures = (row.val_accuracy, row.test_accuracy, row.test_interval, row.parameters, row.seconds, row.images_per_s)
    assert figures == (None,) * 6
    assert row.curve == ()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", "{", "must be JSON"),
        ("status.json", "{}", "is damaged"),
        ("metrics.jsonl", "nonsense\n", "are damaged"),
        ("metrics.jsonl", '{"event": "epoch"}\n', "are damaged"),
        ("about.json", "[]", "are damaged"),
        pytest.param("config.json", NESTED, "nested too deep", id="config-nested"),
        pytest.param("status.json", NESTED, "nested too deep", id="status-nested"),
        pytest.param("metrics.jsonl", NESTED + "\n", "nested too deep", id="metrics-nested"),
        pytest.param("about.json", NESTED, "are damaged", id="about-nested"),
        ("status.json", "3", "is no object"),
        ("metrics.jsonl", '{"event": "epoch", "epoch": 1, "val_accuracy": NaN, "seconds": 1}\n', "NaN is no JSON"),
        pytest.param("status.json", json.dumps({"x" * 88_760: 1}), "is damaged", id="status-long"),
    ],
)
def test_a_damaged_run_is_a_row_that_says_why_and_hides_no_other(finished, small, store, file, content, said):
    broken = store.create(small)
    (broken.path / file).write_text(content)
    rows = {row.run: row for row in Table(store).rows()}
    assert rows[broken.id].state is RunState.DAMAGED
    assert said in rows[broken.id].message
    assert len(rows[broken.id].message) <= 1_000
    assert rows[finished.id].state == "finished"


def test_the_table_follows_what_changes(finished, small, store):
    shown = Table(store)
    (row,) = shown.rows()
    assert shown.rows()[0] is row  # not read again
    finished.set_about(name="my best")
    assert shown.rows()[0].name == "my best"
    waiting = store.create(small)
    assert [row.state for row in shown.rows()] == ["waiting", "finished"]
    waiting.set_status(RunState.STOPPED)
    assert [row.state for row in shown.rows()] == ["stopped", "finished"]
    finished.delete()
    assert [row.run for row in shown.rows()] == [waiting.id]
    assert Table(RunStore(store.folder / "none")).rows() == []


def test_a_run_whose_process_ended_without_a_word_is_interrupted_at_the_next_look(small, store):
    run = store.create(small)
    shown = Table(store)
    with run.locked():
        run.set_status(RunState.RUNNING)
        assert shown.rows()[0].state == "running"
    assert shown.rows()[0].state == "interrupted"


def test_a_preset_and_what_differs_from_it():
    classic = PRESETS["The classic"].config
    assert what_differs(classic) == "The classic"
    assert what_differs(dataclasses.replace(classic, lr=0.1, seed=3, device="cpu")) == "The classic, lr 0.1"
    assert what_differs(TrainConfig(hidden=(128, 64))) == "mlp, hidden 128 64"
    assert what_differs(TrainConfig(model="softmax", data="sample")) == "No hidden layer, data sample"
    # the nearest is one of the same network
    assert what_differs(TrainConfig(data="sample", epochs=3)) == "mlp, data sample, epochs 3"


def test_what_differs_between_configs_is_named_in_order():
    assert differing([]) == differing([TrainConfig()]) == []
    assert differing([TrainConfig(epochs=2), TrainConfig(lr=0.1), TrainConfig()]) == ["lr", "epochs"]


def test_only_what_a_network_has_is_compared():
    mlp, cnn, softmax = TrainConfig(dropout=0.1), TrainConfig(model="cnn", width=16), TrainConfig(model="softmax")
    assert differing([mlp, cnn]) == ["model", "hidden", "activation", "width", "dropout"]
    assert differing([cnn, TrainConfig(model="convnet", width=16)]) == ["model"]
    assert differing([mlp, TrainConfig(dropout=0.1, lr=0.1)]) == ["lr"]
    settings = [[setting(one, field) for one in (mlp, cnn, softmax)] for field in ("hidden", "width", "dropout", "lr")]
    assert settings == [["64", "-", "-"], ["-", "16", "-"], ["0.1", "0", "-"], ["0.01"] * 3]


def row(run_id: str, accuracy: float | None, **fields: object) -> Row:
    config = TrainConfig(**fields)  # type: ignore[arg-type]
    return Row(run_id, config=config, differs=what_differs(config), test_accuracy=accuracy, state="finished")


def test_seeds_of_one_config_have_a_mean_and_a_deviation():
    rows = [row("a", 0.97, seed=0), row("b", 0.9, epochs=1), row("c", 0.98, seed=1), row("d", None, seed=2)]
    same, other = over_seeds(rows)
    assert [one.run for one in same.rows] == ["a", "c"]
    assert same.mean == pytest.approx(0.975)
    assert same.deviation == pytest.approx(statistics.stdev([0.97, 0.98]))
    assert (other.mean, other.deviation) == (0.9, None)


@pytest.mark.parametrize(
    ("config", "title"),
    [
        (TrainConfig(), "mlp 64, lr 0.01"),
        (TrainConfig(hidden=(32, 16), lr=0.1, seed=3), "mlp 32 16, lr 0.1, seed 3"),
        (TrainConfig(hidden=()), "mlp none, lr 0.01"),
        (TrainConfig(model="softmax", epochs=2, device="cpu"), "softmax, lr 0.01, epochs 2"),
        (TrainConfig(model="cnn", width=16, batch_size=256, lr=0.02), "cnn 16, lr 0.02, batch size 256"),
    ],
)
def test_a_run_is_called_by_what_was_chosen(config, title):
    assert title_of(config) == title


def test_runs_of_one_title_are_numbered_from_the_oldest_on():
    rows = [Row("e", title="a"), Row("d", title="b"), Row("c", title="a"), Row("b", title="mine"), Row("a", title="a")]
    assert [row.title for row in numbered(rows)] == ["a (3)", "b", "a (2)", "mine", "a"]
    assert [row.run for row in numbered(rows)] == ["e", "d", "c", "b", "a"]


def test_a_run_that_goes_on_from_another_is_called_by_that_ones_title():
    config = TrainConfig(start_from="20261124-120000-mlp-aaaa", digits=("anna",))
    one = dataclasses.replace(config, digits=("anna/8/20261124-120000-ab.png",))
    assert title_of(one).endswith("taught an 8 of anna")
    base, taught = Row("20261124-120000-mlp-aaaa", title="grandma"), Row("b", title=title_of(config), config=config)
    assert [row.title for row in numbered([taught, base])] == ["grandma taught anna", "grandma"]
    assert numbered([dataclasses.replace(taught, title="mine", name="mine"), base])[0].title == "mine"
    assert numbered([taught])[0].title == "20261124-120000-mlp-aaaa taught anna"  # which was deleted


def test_a_name_that_a_person_gave_goes_first(finished, store):
    (row,) = Table(store).rows()
    assert row.title == title_of(finished.config())
    finished.set_about(name="mine")
    (row,) = Table(store).rows()
    assert row.title == "mine"


def test_a_row_is_found_by_all_that_is_named_in_any_case():
    one = dataclasses.replace(row("20261124-120000-cnn-aaaa", 0.9, model="cnn", lr=0.1), name="Grandma's try")
    assert all(matches(one, words) for words in ("", "GRANDMA", "lr 0.1", "finished, cnn", "1124"))
    assert not matches(one, "grandma, mlp")


def test_two_thousand_runs_are_not_read_line_by_line(finished, store, monkeypatch):
    """How long it takes is measured in benchmarks.runs; here, that a look at what has not changed reads no file."""
    files = {path.name: path.read_bytes() for path in finished.path.iterdir() if path.is_file()}
    for number in range(2_000):
        folder = store.folder / f"20261124-120000-mlp-{number:04}"
        folder.mkdir()
        for name in ("config.json", "status.json", "metrics.jsonl"):
            (folder / name).write_bytes(files[name])
    shown = Table(store)
    first = shown.rows()
    assert len(first) == 2_001
    assert {row.state for row in first} == {"finished"}
    monkeypatch.delattr(summary, "row")
    assert [row.title for row in shown.rows()] == [row.title for row in first]
    assert first[0].title == f"{first[-1].title} (2001)"
