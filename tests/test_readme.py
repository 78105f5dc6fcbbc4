"""What the README points to is there, and what it shows works."""

import re

import pytest

from mnist_core.files import APP_FOLDER

README = (APP_FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(link):
    assert (APP_FOLDER / link).exists()


@pytest.mark.parametrize("name", re.findall(r"^  ?([\w./]+(?:, [\w./]+)*)  ", README, re.MULTILINE))
def test_every_file_of_the_layout_is_there(name):
    for part in name.split(", "):
        assert any((APP_FOLDER / folder / part).exists() for folder in ("", "mnist_core"))


def test_the_script_runs(capsys):
    (script,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(script, {})  # noqa: S102
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "2", "3"]
