"""The Browse page as a script."""

from mnist_core.config import SAMPLE_IN_WORDS
from mnist_core.reading import catalog
from mnist_core.runs.run_store import RunStore
from tests.conftest import needs_mnist
from tests.pages import metrics, text


def test_without_mnist_browse_shows_the_sample_and_says_so(app, without_mnist):
    app.run()
    app.switch_page("pages/browse.py").run()
    assert not app.exception
    assert "MNIST is not on this machine" in app.info[0].value
    assert f"images of {SAMPLE_IN_WORDS}" in text(app)
    assert app.button(key="download")
    for split in ("validation", "train"):
        app.session_state["browse-split"] = split
        app.run()
        assert not app.exception
        assert f"{split} images of" in text(app)


@needs_mnist
def test_browse_shows_what_is_read_wrong_and_one_image_large(app):
    app.run()
    app.switch_page("pages/browse.py").run()
    assert not app.exception
    wrong = 10_000 - round(catalog.card("cnn")["test_accuracy"] * 10_000)
    assert metrics(app)["Read wrong"] == f"{wrong} of 10,000"
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
    app.switch_page("pages/browse.py").run()
    app.selectbox(key="browse-model").select(broken.id).run()
    assert not app.exception
    assert "are damaged or belong to another network" in app.error[0].value
    app.selectbox(key="browse-model").select("mlp").run()
    assert not app.error
