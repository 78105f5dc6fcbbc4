"""The Browse page as a script."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core.config import SAMPLE_IN_WORDS
from mnist_core.errors import RunError
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.reading import catalog
from mnist_core.runs.run_store import RunStore
from pages.shared import browsed, strangers
from tests.conftest import needs_mnist
from tests.pages import SEVEN, text


def ink_of_a_seven():
    image = Image.new("L", (280, 280))
    ImageDraw.Draw(image).line(SEVEN, fill=255, width=20, joint="curve")
    return np.asarray(image)


def test_without_mnist_browse_shows_the_sample_and_says_so(app, without_mnist):
    app.run()
    app.switch_page("browse.py").run()
    assert not app.exception
    assert "MNIST is not on this machine" in app.info[0].value
    assert f"images of {SAMPLE_IN_WORDS}" in text(app)
    assert app.button(key="download")
    for split in ("validation", "train"):
        app.selectbox(key="browse-images").select(split).run()
        assert not app.exception
        assert f"{split} images of" in text(app)


@needs_mnist
def test_browse_shows_what_is_read_wrong_and_one_image_large(app):
    app.run()
    app.switch_page("browse.py").run()
    assert not app.exception
    wrong = 10_000 - round(catalog.card("cnn")["test_accuracy"] * 10_000)
    assert "right (95 % interval 99" in text(app)
    assert f"**{wrong}** wrong" in text(app)
    assert f"{wrong} of 10,000 images." in text(app)
    first = next(button for button in app.button if str(button.key).startswith("image-"))
    assert "→" in first.label
    first.click().run()
    assert not app.exception
    assert f"Test image {first.key.removeprefix('image-')}, a true" in text(app)
    app.selectbox(key="browse-true").select("3").run()
    assert app.session_state["browse-image"] is None
    app.session_state["browse-outcome"] = "any"
    app.run()
    assert "1,010 of 10,000 images." in text(app)


def test_damaged_weights_are_said_by_browse(app, tmp_path, small):
    broken = RunStore(tmp_path / "runs").create(small)
    broken.weights.write_bytes(b"nonsense")
    app.run()
    app.switch_page("browse.py").run()
    app.selectbox(key="browse-model").select(broken.id).run()
    assert not app.exception
    assert "are damaged or belong to another network" in app.error[0].value
    app.selectbox(key="browse-model").select("mlp").run()
    assert not app.error


@needs_mnist
def test_what_is_mixed_up_is_said_the_worst_first_and_leads_to_its_images(app):
    app.run()
    app.switch_page("browse.py").run()
    pairs = [button for button in app.button if str(button.key).startswith("mix-up-")]
    counts = [1 if "once" in pair.label else int(pair.label.split(": ")[1].split()[0]) for pair in pairs]
    assert counts == sorted(counts, reverse=True)
    true, read = pairs[0].key.split("-")[2:]
    assert pairs[0].label.startswith(f"{true} read as {read}: ")
    pairs[0].click().run()
    assert not app.exception
    assert (app.selectbox(key="browse-true").value, app.selectbox(key="browse-read").value) == (true, read)
    assert f"{counts[0]} of 10,000 images." in text(app)


def test_own_digits_are_browsed_as_well(app, without_mnist, tmp_path):
    store = DigitStore(tmp_path / "digits")
    app.run()
    app.switch_page("browse.py").run()
    assert "own/anna" not in app.selectbox(key="browse-images").options
    anna = store.create("anna")
    for label, image in ((7, ink_of_a_seven()), (1, ink_of_a_seven())):
        anna.add(label, image)
    app.run()
    app.selectbox(key="browse-images").select("own/anna").run()
    assert not app.exception
    assert "of the 2 digits of anna right" in text(app)
    assert app.button(key="mix-up-1-7").label == "1 read as 7: once"
    app.button(key="mix-up-1-7").click().run()
    app.button(key="image-0").click().run()
    assert "Image 0 of anna, a true 1" in text(app)
    anna.add(7, ink_of_a_seven())
    app.run()
    assert "of the 3 digits of anna right" in text(app)
    store.delete("anna")
    app.run()
    assert not app.exception
    assert app.selectbox(key="browse-images").value == "test"


def test_an_own_set_that_cannot_be_read_is_said(app, without_mnist, tmp_path):
    store = DigitStore(tmp_path / "digits")
    store.create("empty")
    app.run()
    app.switch_page("browse.py").run()
    app.selectbox(key="browse-images").select("own/empty").run()
    assert not app.exception
    assert "The set empty is empty" in app.error[0].value
    app.selectbox(key="browse-images").select("test").run()
    assert not app.error


def test_filters_that_leave_nothing_say_so(app, without_mnist):
    app.run()
    app.switch_page("browse.py").run()
    app.selectbox(key="browse-true").select("0").run()
    app.selectbox(key="browse-read").select("1").run()
    assert "No image is left" in app.info[-1].value
    app.button(key="browse-all").click().run()
    assert app.selectbox(key="browse-true").value == "any"


def test_how_well_strangers_are_read_is_said_of_each_shipped_model_as_it_is(app, without_mnist):
    rows = catalog.evaluation()
    assert [row["model"] for row in rows] == catalog.shipped()
    for row in rows:
        card = catalog.card(row["model"])
        assert row["test_accuracy"] == pytest.approx(card["test_accuracy"], abs=2e-4)
        assert [one["set"] for one in row["strangers"]] == list(strangers.SETS)
    app.run()
    app.switch_page("browse.py").run()
    assert not app.exception
    (table,) = [text.value for text in app.markdown if "| read right |" in text.value]
    for i, one in enumerate(rows[0]["strangers"]):
        (line,) = [line for line in table.splitlines() if line.startswith(f"| {strangers.SETS[one['set']]} |")]
        assert f"| {one['images']:,} |" in line
        assert all(f"{row['strangers'][i]['accuracy']:.2%}" in line for row in rows)


@needs_mnist
def test_the_address_holds_what_is_shown_and_opens_it_again(app, open_page):
    app.run()
    app.switch_page("browse.py").run()
    assert dict(app.query_params) == {"model": "cnn", "images": "test", "outcome": "wrong"}
    app.selectbox(key="browse-model").select("mlp").run()
    app.selectbox(key="browse-images").select("validation").run()
    app.segmented_control(key="browse-outcome").set_value("any").run()
    app.selectbox(key="browse-true").select("4").run()
    app.selectbox(key="browse-read").select("9").run()
    app.selectbox(key="browse-sort").select("confidence").run()
    app.slider(key="browse-confidence").set_range(20, 100).run()
    first = next(button for button in app.button if str(button.key).startswith("image-"))
    first.click().run()
    shown = {key: app.session_state[f"browse-{key}"] for key in ("model", "images", *browsed.FILTERS, "image")}
    link = dict(app.query_params)
    assert link == {
        "model": "mlp",
        "images": "validation",
        "outcome": "any",
        "true": "4",
        "read": "9",
        "sort": "confidence",
        "confidence": "20-100",
        "image": first.key.removeprefix("image-"),
    }
    again = open_page("browse", **link)
    assert not again.exception
    assert not again.warning
    assert {key: again.session_state[f"browse-{key}"] for key in shown} == shown
    assert f"Validation image {link['image']}, a true 4" in text(again)
    assert dict(again.query_params) == link


def test_a_link_says_what_of_it_cannot_be_used(open_page, without_mnist):
    app = open_page(
        "browse", model="none", images="own/nobody", true="x", outcome="right", confidence="90-10", image="9999"
    )
    assert not app.exception
    (warning,) = [one.value for one in app.warning]
    for word in ("model", "own/nobody", "true is one of any, 0, 1", "20-80", "no image 9999"):
        assert word in warning
    assert app.session_state["browse-outcome"] == "right"
    app.run()
    assert not app.warning


@pytest.mark.parametrize("link", [{}, {"model": "mlp"}])
def test_the_shipped_models_are_there_where_runs_cannot_be_listed(link, open_page, without_mnist, monkeypatch):
    def fail(*_):
        raise RunError("The runs cannot be read.")

    monkeypatch.setattr(catalog, "names", fail)
    app = open_page("browse", **link)
    assert not app.exception
    assert app.selectbox(key="browse-model").value == link.get("model", "cnn")
    assert not app.warning
