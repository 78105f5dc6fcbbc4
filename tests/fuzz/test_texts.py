"""Texts that stand in a run's folder, a card or a link."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import records
from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import LabError
from mnist_core.lesson import Lesson
from mnist_core.runs import summary
from mnist_core.runs.run import Run
from mnist_core.text import parse_json

NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(2**63), 1e308])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TEXTS = (
    st.text(max_size=60)
    | VALUES.map(json.dumps)
    | st.builds(lambda depth, bracket: bracket * depth, st.integers(0, 5_000), st.sampled_from(["[", '{"a":', "[{"]))
)
CONFIGS = st.dictionaries(st.sampled_from([*RULES, "x"]), VALUES, max_size=6)
EVENTS = st.fixed_dictionaries({"event": st.sampled_from(["start", "resume", "step", "epoch", "lr", "end", "x"])})
FIELDS = sorted({name for fields, _ in records._KINDS.values() for name in fields} - {"event"})
RECORDS = st.builds(lambda event, more: event | more, EVENTS, st.dictionaries(st.sampled_from(FIELDS), VALUES))
WHOLE = {"status.json": '{"state": "finished", "since": "2026-01-01T00:00:00+00:00"}', "config.json": "{}"}


@given(TEXTS | st.binary(max_size=60))
def test_json_is_an_object_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert isinstance(parse_json(text), dict)


@given(CONFIGS.map(json.dumps) | TEXTS)
def test_a_config_is_one_or_a_sentence(text):
    with contextlib.suppress(LabError):
        config = TrainConfig.from_json(text)
        assert TrainConfig.from_json(config.to_json()) == config


@given(st.dictionaries(st.sampled_from([*RULES, "config", "lock", "hide", "x"]), TEXTS, max_size=5))
def test_a_link_is_a_lesson_whatever_it_says(words):
    lesson, problems = Lesson.from_query(words)
    assert Lesson.from_query(lesson.to_query()) == (lesson, [])
    assert all(len(problem) <= 1_000 for problem in problems)


@given(RECORDS | VALUES)
def test_a_record_is_one_or_a_value_error(value):
    with contextlib.suppress(ValueError):
        records.to_json(records.check(value))


@pytest.mark.parametrize("name", ["config.json", "status.json", "about.json", "metrics.jsonl"])
@given(st.data())
def test_a_run_with_anything_in_its_files_is_a_row(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp() / f"run-{name.partition('.')[0]}"
    folder.mkdir(exist_ok=True)
    for other, content in WHOLE.items():
        (folder / other).write_text(content)
    texts = st.lists(RECORDS.map(json.dumps) | TEXTS, max_size=4).map("\n".join) if name == "metrics.jsonl" else TEXTS
    (folder / name).write_text(data.draw(texts | CONFIGS.map(json.dumps)) + "\n", encoding="utf-8", errors="replace")
    run = Run(folder)
    assert len(summary.row(run).message) <= 1_000
    for read in (run.config, run.status, run.about, run.records, run.end, run.fingerprint):
        with contextlib.suppress(LabError):
            read()
