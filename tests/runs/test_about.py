import json
import shutil

import pytest

from mnist_core.runs import run
from mnist_core.runs.about import About
from mnist_core.errors import ConfigError, RunError


def test_a_run_has_no_name_until_it_gets_one(small, runs_dir):
    this = run.create(small, runs_dir)
    assert this.about() == About("", "", "")
    this.set_about(name="Seven of nine")
    this.set_about(note="Wide <b>is</b> slow.\nTry 32.", group="20260102-030405")
    assert this.about() == About("Seven of nine", "Wide <b>is</b> slow.\nTry 32.", "20260102-030405")
    this.set_about(name="")
    assert this.about() == About("", "Wide <b>is</b> slow.\nTry 32.", "20260102-030405")
    assert this.config() == small
    assert this.status().state == "waiting"


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "/etc", "<script>alert(1)</script>", "naïve 手 ٣ 👩‍🔬", "a" * 80, "'; --", "%00", "{0}"],
)
def test_text_is_text(small, runs_dir, text):
    this = run.create(small, runs_dir)
    before = {path.name for path in runs_dir.rglob("*")}
    this.set_about(name=text, note=text, group=text)
    assert this.about() == About(text, text, text)
    assert {path.name for path in runs_dir.rglob("*")} == before | {"about.json"}


@pytest.mark.parametrize("field", ["name", "note", "group"])
@pytest.mark.parametrize("text", ["a\0b", "a\x1b[31m", "a\rb", "a\x85b", "\ud800", "a" * 2_001, 7])
def test_what_is_no_plain_text_or_too_long_is_refused(small, runs_dir, field, text):
    this = run.create(small, runs_dir)
    this.set_about(name="Seven")
    with pytest.raises(ConfigError, match=f"A run's {field} (must be|can have at most)") as caught:
        this.set_about(**{field: text})
    assert caught.value.field == field
    assert this.about() == About("Seven")


@pytest.mark.parametrize("field", ["name", "group"])
@pytest.mark.parametrize("text", ["two\nlines", "a\tb", "a" * 81])
def test_a_note_may_be_longer_than_a_name_and_have_lines(small, runs_dir, field, text):
    this = run.create(small, runs_dir)
    this.set_about(note=text)
    with pytest.raises(ConfigError, match=f"A run's {field}"):
        this.set_about(**{field: text})


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": 3}', '{"name": "a\\u0000b"}', '{"note": null}'])
def test_damage_is_said(small, runs_dir, content):
    this = run.create(small, runs_dir)
    (this.path / "about.json").write_text(content)
    with pytest.raises(RunError, match=f"name and the note of run {this.id} are damaged"):
        this.about()


def test_what_a_newer_version_says_beside_is_left_alone(small, runs_dir):
    this = run.create(small, runs_dir)
    (this.path / "about.json").write_text(json.dumps({"name": "Seven", "color": "red"}))
    assert this.about() == About("Seven")


def test_a_run_that_is_gone_cannot_be_named(small, runs_dir):
    this = run.create(small, runs_dir)
    shutil.rmtree(this.path)
    with pytest.raises(RunError, match=r"cannot be named in .*: No such file"):
        this.set_about(name="Seven")
    assert not this.path.exists()
