import re

import pytest

from mnist_core.__main__ import main
from mnist_core.errors import ModelError, RunError
from mnist_core.exchange import web_page
from mnist_core.runs.run_store import RunStore


def test_a_page_asks_for_nothing_and_fits_into_a_mail(tmp_path):
    path = tmp_path / "page.html"
    size = web_page.export("cnn", path)
    assert size == path.stat().st_size < 1_000_000
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|\bimport\b|innerHTML|\beval\b", text)
    assert "default-src 'none'" in text
    assert "reads 99." in text


def test_names_are_text(tmp_path):
    path = tmp_path / "page.html"
    web_page.export("tiny", path, "</title><script>alert(1)</script>", 'a "b" <i>')
    text = path.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "trained by a &quot;b&quot; &lt;i&gt;" in text


def test_a_run_becomes_a_page(finished, store, tmp_path, capsys):
    path = tmp_path / "mine.html"
    flags = ["--format", "html", "--title", "Mine", "--trained-by", "class 7b", "--runs-dir", str(store.folder)]
    assert main(["export", finished.id, *flags, "--out", str(path)]) == 0
    assert "open it in a browser" in capsys.readouterr().out
    text = path.read_text(encoding="utf-8")
    assert "<title>Mine</title>" in text
    assert "trained by class 7b" in text
    assert "the built-in sample&#x27;s test images" in text


@pytest.mark.parametrize(
    ("name", "path", "error", "part"),
    [
        ("tiny", "tiny.htm", ModelError, "must end in .html"),
        ("tiny", "none/tiny.html", ModelError, "there is no folder"),
        ("nope", "nope.html", RunError, "There is no run nope"),
    ],
)
def test_what_cannot_be_exported_is_said(name, path, error, part, tmp_path):
    with pytest.raises(error, match=part):
        web_page.export(name, tmp_path / path, store=RunStore(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_one_model_at_a_time(tmp_path, capsys):
    assert main(["export", "tiny", "cnn", "--format", "html", "--out", str(tmp_path / "a.html")]) == 2
    assert "one model is exported at a time" in capsys.readouterr().err
