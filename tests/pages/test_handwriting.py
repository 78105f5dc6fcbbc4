"""The Handwriting page as a script."""

import io
import zipfile

import numpy as np
import pytest
import streamlit as st

from mnist_core.exchange import digit_sets, digit_sheet
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.runs.run_store import RunStore
from tests.conftest import needs_mnist
from tests.exchange.test_digit_sheet import photographed, written
from tests.pages import drawing, metrics, text

ONE = [(140, 40), (140, 240)]


@pytest.fixture
def page(app):
    app.run()
    app.switch_page("handwriting.py").run()
    assert not app.exception
    return app


@pytest.fixture
def sets(tmp_path):
    return DigitStore(tmp_path / "digits")


def strokes(seed: int) -> np.ndarray:
    ink = np.zeros((60, 60), np.uint8)
    ink[8:50, 10 + seed : 16 + seed] = 255
    return ink


def write(page, *points) -> None:
    page.session_state[page.session_state["canvas"].key] = drawing(*points)
    page.run()


def ask(page) -> int:
    """The digit that the page asks for."""
    return int(page.header[0].value.split()[-1])


def test_what_is_written_is_kept_in_turn(page, sets):
    assert page.caption[0].value == "1 of 30; 0 in the set"
    wanted = ask(page)
    page.button(key="clear-keep").click().run()
    assert f"write a {wanted}, or skip it" in text(page)
    for count in (1, 2):
        wanted = ask(page)
        write(page, ONE)
        page.button(key="clear-keep").click().run()
        assert not page.exception
        assert sum(sets.open("me").counts()) == count
        assert sets.open("me").files()[-1][1] >= 0
    assert page.caption[0].value == "3 of 30; 2 in the set"
    page.button(key="own-back").click().run()
    assert sum(sets.open("me").counts()) == 1
    page.button(key="clear-skip").click().run()
    assert page.caption[0].value == "3 of 30; 1 in the set"


def test_a_round_asks_for_each_digit_once(page):
    asked = []
    for _ in range(10):
        asked.append(ask(page))
        page.button(key="clear-skip").click().run()
    assert sorted(asked) == list(range(10))


@pytest.mark.slow
@needs_mnist
def test_a_network_is_taught_the_set_and_says_before_and_after(page, sets, tmp_path, at_once):
    kept = sets.create("me")
    for digit in range(10):
        for seed in range(3):
            kept.add(digit, strokes(digit * 3 + seed))
    page.run()
    assert page.caption[0].value == "1 of 30; 30 in the set"
    page.button(key="teach").click().run()
    assert not page.exception
    (run,) = RunStore(tmp_path / "runs").runs()
    end = run.end()
    assert metrics(page)["Yours, held back"] == f"{round(10 * end['own_accuracy'])} of 10"
    assert metrics(page)["MNIST's test images"] == f"{end['test_accuracy']:.2%}"
    page.button(key="own-undo").click().run()
    assert "Yours, held back" not in metrics(page)
    assert len(RunStore(tmp_path / "runs").runs()) == 1


@pytest.mark.slow
@needs_mnist
def test_all_of_a_class_is_taught_and_judged_by_one_pupil(page, sets, tmp_path, at_once):
    page.segmented_control(key="own-section").set_value("Several people").run()
    assert "Each person writes a set of their own" in text(page)
    assert page.button(key="teach").disabled
    for name, each in (("anna", 1), ("ben", 2), ("zoe", 1)):
        kept = sets.create(name)
        for number in range(10 * each):
            kept.add(number % 10, strokes(number))
    page.run()
    assert page.button_group(key="own-sets-").value == ["anna", "ben", "zoe"]
    assert "40 digits, a part of which is held back to judge by." in text(page)
    page.selectbox(key="own-judge").select("zoe").run()
    assert page.button_group(key="own-sets-zoe").value == ["anna", "ben"]
    assert "30 digits, judged by all 10 of zoe." in text(page)
    page.button(key="teach").click().run()
    assert not page.exception
    (run,) = RunStore(tmp_path / "runs").runs()
    assert (run.config().digits, run.config().judged_by) == (("anna", "ben"), ("zoe",))
    end = run.end()
    assert (end["own_learnt"], end["own_held_back"]) == (30, 10)
    assert metrics(page)["Digits of zoe"] == f"{round(10 * end['own_accuracy'])} of 10"


def test_few_digits_are_not_enough_to_teach(page, sets):
    sets.create("me").add(1, strokes(1))
    page.run()
    page.button(key="teach").click().run()
    assert "The set me has 1 of the 10 digits that it takes to learn from." in text(page)


def test_digits_go_to_the_set_that_is_chosen(page, sets):
    sets.create("Zoë")
    page.run()
    page.selectbox(key="own-set-choice").select("Zoë").run()
    write(page, ONE)
    page.button(key="clear-keep").click().run()
    assert sum(sets.open("Zoë").counts()) == 1
    assert not sets.has("me")


def test_two_visitors_who_begin_at_once_have_sets_of_their_own(app, sets, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", "192.0.2.1")
    page = app.run().switch_page("handwriting.py").run()
    assert page.selectbox(key="own-set-choice").value == "me"
    sets.create("me").add(1, strokes(1))  # the other one
    for count in (1, 2):
        write(page, ONE)
        page.button(key="clear-keep").click().run()
        assert not page.exception
        assert page.selectbox(key="own-set-choice").value == "me-2"
        assert sum(sets.open("me-2").counts()) == count
    assert sum(sets.open("me").counts()) == 1


def test_what_is_kept_is_shown_and_the_set_deleted_and_brought_back(page, sets):
    kept = sets.create("me")
    kept.add(1, strokes(1))
    (kept.path / "1" / "broken.png").write_bytes(b"no image")
    page.segmented_control(key="own-section").set_value("What is kept").run()
    assert not page.exception
    assert str(kept.path) in text(page)
    page.button(key="own-delete").click().run()
    assert sets.sets() == []
    page.button(key="own-restore").click().run()
    assert not page.exception
    assert sets.open("me").counts()[1] == 2


def test_a_large_set_is_shown_by_pages_and_by_digit(page, sets, monkeypatch):
    monkeypatch.setattr("pages.handwriting_sections.keeping.A_PAGE", 4)
    kept = sets.create("me")
    for number in range(6):
        kept.add(1 + number // 5, strokes(number))
    page.segmented_control(key="own-section").set_value("What is kept").run()
    assert not page.exception
    assert "6 digits" in text(page)
    assert page.dataframe[0].value["digit"].tolist() == ["1"]
    page.selectbox(key="own-digit").select("2").run()
    assert page.dataframe[0].value["digit"].tolist() == ["2"]
    page.selectbox(key="own-digit").select("3").run()
    assert not page.exception


def test_a_zip_is_read_once_and_kept(page, sets, monkeypatch):
    kept = sets.create("zoe")
    for number in range(20):
        kept.add(1, strokes(number))
    packed = digit_sets.packed(kept)
    times = []
    reading = digit_sets.reading
    monkeypatch.setattr(digit_sets, "reading", lambda file: times.append(file) or reading(file))
    page.segmented_control(key="own-section").set_value("From paper").run()
    page.file_uploader(key="own-file").set_value(("zoe.zip", packed, "application/zip")).run()
    assert page.button(key="own-keep-all").label == "Keep these 20"
    page.button(key="own-keep-all").click().run()
    assert not page.exception
    assert sets.open("me").counts()[1] == 20
    assert len(times) == 1


def test_a_photo_of_the_sheet_is_looked_at_and_kept(page, sets):
    page.segmented_control(key="own-section").set_value("From paper").run()
    content = io.BytesIO()
    photographed(written()).save(content, "JPEG")
    page.file_uploader(key="own-file").set_value(("sheet.jpg", content.getvalue(), "image/jpeg")).run()
    assert not page.exception
    page.button(key="own-keep-all").click().run()
    assert not page.exception
    assert sets.open("me").counts() == [3] * 10


@pytest.mark.parametrize("name", ["../x", "<b>x</b>", "![x](http://192.0.2.1/x.png)", "x" * 10_000])
def test_a_name_that_is_none_is_one_sentence_and_no_markup(app, sets, name):
    app.session_state["own-set"] = name
    page = app.run().switch_page("handwriting.py").run()
    assert not page.exception
    (error,) = page.error
    assert "cannot be a set's name" in error.value
    assert "](" not in error.value
    assert len(error.value) < 400
    assert sets.sets() == []


def test_names_in_a_zip_are_no_markup(page, sets):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("1/![x](x.png).txt", b"no image")
        archive.write(sets.create("zoe").add(1, strokes(1)), "1/a.png")
    page.segmented_control(key="own-section").set_value("From paper").run()
    page.file_uploader(key="own-file").set_value(("x.zip", content.getvalue(), "application/zip")).run()
    assert page.button(key="own-keep-all").label == "Keep it"
    assert "is not an image" in page.warning[0].value
    assert "](" not in page.warning[0].value


def test_a_file_that_is_no_sheet_is_one_sentence(page, sets):
    page.segmented_control(key="own-section").set_value("From paper").run()
    content = io.BytesIO()
    digit_sheet.draw().crop((0, 0, 900, 900)).save(content, "PNG")
    for name, data, words in (
        ("half.png", content.getvalue(), "four black squares"),
        ("broken.jpg", b"no image", "not an image"),
        ("broken.zip", b"no zip", "whole zip file"),
    ):
        page.file_uploader(key="own-file").set_value((name, data, "image/png")).run()
        assert not page.exception
        assert words in page.error[0].value
    assert sets.sets() == []
