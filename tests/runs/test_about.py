import json
import shutil

import pytest

from mnist_core.errors import ConfigError, RunError
from mnist_core.runs.about import About


def test_a_run_has_no_name_until_it_gets_one(small, store):
    run = store.create(small)
    assert run.about() == About("", "", "")
    run.set_about(name="Seven of nine")
    run.set_about(note="Wide <b>is</b> slow.\nTry 32.", group="20260102-030405")
    assert run.about() == About("Seven of nine", "Wide <b>is</b> slow.\nTry 32.", "20260102-030405")
    run.set_about(name="")
    assert run.about() == About("", "Wide <b>is</b> slow.\nTry 32.", "20260102-030405")
    assert run.config() == small
    assert run.status().state == "waiting"


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "/etc", "<script>alert(1)</script>", "naïve 手 ٣ 👩‍🔬", "a" * 80, "'; --", "%00", "{0}"],
)
def test_text_is_text(small, store, text):
    run = store.create(small)
    before = {path.name for path in store.folder.rglob("*")}
    run.set_about(name=text, note=text, group=text)
    assert run.about() == About(text, text, text)
    assert {path.name for path in store.folder.rglob("*")} == before | {"about.json"}


@pytest.mark.parametrize("field", ["name", "note", "group"])
@pytest.mark.parametrize("text", ["a\0b", "a\x1b[31m", "a\rb", "a\x85b", "\ud800", "a" * 2_001, 7])
def test_what_is_no_plain_text_or_too_long_is_refused(small, store, field, text):
    run = store.create(small)
    run.set_about(name="Seven")
    with pytest.raises(ConfigError, match=f"A run's {field} (must be|can have at most)") as caught:
        run.set_about(**{field: text})
    assert caught.value.field == field
    assert run.about() == About("Seven")


@pytest.mark.parametrize("field", ["name", "group"])
@pytest.mark.parametrize("text", ["two\nlines", "a\tb", "a" * 81])
def test_a_note_may_be_longer_than_a_name_and_have_lines(small, store, field, text):
    run = store.create(small)
    run.set_about(note=text)
    with pytest.raises(ConfigError, match=f"A run's {field}"):
        run.set_about(**{field: text})


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": 3}', '{"name": "a\\u0000b"}', '{"note": null}'])
def test_damage_is_said(small, store, content):
    run = store.create(small)
    (run.path / "about.json").write_text(content)
    with pytest.raises(RunError, match=f"name and the note of run {run.id} are damaged"):
        run.about()


def test_what_a_newer_version_says_beside_is_left_alone(small, store):
    run = store.create(small)
    (run.path / "about.json").write_text(json.dumps({"name": "Seven", "color": "red"}))
    assert run.about() == About("Seven")


def test_a_run_that_is_gone_cannot_be_named(small, store):
    run = store.create(small)
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match=r"cannot be named in .*: No such file"):
        run.set_about(name="Seven")
    assert not run.path.exists()
