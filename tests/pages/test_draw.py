"""The Draw page as a script."""

import base64
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import browser, model, weights
from mnist_core.browser import program
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.reading import catalog
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.summary import title_of
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from pages.shared import live_network
from tests.conftest import needs_mnist
from tests.pages import drawing, framed, read, sent, text

ONE = [(140, 40), (140, 240)]
ROOF = [(40, 90), (190, 50), (130, 240)]  # a 1 with a long flag, which looks like a 7
TWO_DIGITS = [(40, 80), (110, 80), (70, 220)], [(200, 80), (200, 220)]


def number(app: AppTest) -> str:
    """The number of several digits that the browser is told to show."""
    (node,) = [node for node in app.get("bidi_component") if '"strokes"' in node.proto.json]
    return json.loads(node.proto.json)["digits"]


def leave_and_come_back(app: AppTest) -> None:
    """Train, with a canvas of its own, and back to Draw."""
    app.switch_page("train.py").run()
    app.switch_page("draw.py").run()


def test_the_default_model_answers_without_torch_on_the_server(app):
    app.run()
    assert not app.exception
    header, (network,) = sent(app)
    assert header["opened"] is None
    assert [name for name, _ in header["ways"]] == ["inside", "train", "right", "wrong"]
    shipped = program.load(catalog.PRETRAINED / "cnn.program")
    assert network.layers == shipped.layers
    assert (network.weights == shipped.weights).all()


def test_a_drawing_is_read_by_the_model_that_is_chosen(app):
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    assert not app.exception
    assert read(app) == 1
    app.selectbox(key="draw-model").select("mlp").run()
    assert read(app) == 1
    assert len(sent(app)[1][0].layers) == 3


def test_clear_empties_the_canvas(app):
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    app.button(key="clear").click().run()
    assert not app.exception
    assert app.session_state["canvas"].ink is None


def test_damaged_weights_are_said_and_the_page_stays(app, tmp_path, small):
    broken = RunStore(tmp_path / "runs").create(small)
    broken.weights.write_bytes(b"nonsense")
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    app.selectbox(key="draw-model").select(broken.id).run()
    assert "are damaged or belong to another network" in app.error[0].value
    app.selectbox(key="draw-model").select("cnn").run()
    assert not app.error
    assert read(app) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"drawing": "nonsense"},
        {"drawing": {"raw": None, "data": "data:image/png;base64,AAAA"}},
        {"drawing": {"raw": {"objects": [{}]}, "data": "nonsense"}},
        {"drawing": {"raw": {"objects": [{}]}, "data": drawing([(0, 0), (9, 9)], size=28)["drawing"]["data"]}},
        {"drawing": {"raw": {}, "data": drawing([(0, 0), (9, 9)])["drawing"]["data"]}},
    ],
)
def test_what_no_canvas_sends_is_said_and_cleared(app, message):
    app.session_state["canvas-0"] = {**message, "backgroundFit": None}
    app.run()
    assert not app.exception
    assert app.error[0].value == "What the canvas sent cannot be read: press Clear and draw again."
    app.button(key="clear").click().run()
    assert not app.exception
    assert not app.error
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    assert read(app) == 1


def test_undo_takes_back_a_stroke_at_a_time_also_from_before_a_switch_of_the_page(app):
    first, second, third = [(70, 60), (200, 60), (120, 240)], [(95, 150), (190, 145)], [(60, 240), (220, 240)]
    inks = []
    for strokes in ([first], [first, second], [first, second, third], [first, second]):  # the canvas undoes its own
        app.session_state["canvas-0"] = drawing(*strokes)
        app.run()
        inks.append(app.session_state["canvas"].ink)
    leave_and_come_back(app)
    assert (app.session_state["canvas"].ink == inks[3]).all()
    assert read(app) == 7
    app.button(key="undo").click().run()
    assert (app.session_state["canvas"].ink == inks[0]).all()
    app.button(key="undo").click().run()
    assert app.session_state["canvas"].ink is None
    assert app.button(key="undo").disabled


def test_a_drawing_goes_on_after_a_switch_of_the_page(app):
    left, right = [(90, 45), (80, 150), (205, 150)], [(170, 60), (165, 245)]
    app.session_state["canvas-0"] = drawing(left, right)
    app.run()
    whole = app.session_state["canvas"].ink
    app.button(key="clear").click().run()
    app.session_state["canvas-0"] = drawing(left)
    app.run()
    leave_and_come_back(app)
    app.session_state[app.session_state["canvas"].key] = drawing(right)
    app.run()
    assert read(app) == 4
    assert (app.session_state["canvas"].ink == whole).all()


def test_several_digits_are_read_as_a_number(app):
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    assert number(app) == ""
    app.session_state["canvas-0"] = drawing(*TWO_DIGITS)
    app.run()
    assert number(app) == "71"
    assert framed(app) == "71"


def test_a_number_is_read_on_a_wide_canvas_and_the_other_drawing_stays(app):
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    app.toggle(key="draw-wide").set_value(True).run()
    assert "Write a number" in text(app)
    app.session_state["canvas-wide-0"] = drawing(*TWO_DIGITS, [(320, 80), (390, 80), (350, 220)], size=320, width=840)
    app.run()
    assert not app.exception
    assert app.metric[0].value == "717"
    assert framed(app) == "717"
    app.toggle(key="draw-wide").set_value(False).run()
    assert read(app) == 1
    app.toggle(key="draw-wide").set_value(True).run()
    app.button(key="clear").click().run()
    assert "Write a number" in text(app)
    assert not app.metric


def test_a_test_image_takes_the_place_of_a_drawing(app):
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    app.button(key="draw-test-image").click().run()
    assert not app.exception
    opened = app.session_state["canvas"].opened
    assert sent(app)[0]["opened"] == base64.b64encode(opened.image.tobytes()).decode()
    assert any(opened.title in caption.value for caption in app.caption)
    app.button(key="clear").click().run()
    assert app.session_state["canvas"].opened is None


def test_all_models_are_compared_by_the_runs_names(app, finished):
    app.run()
    app.toggle(key="draw-compare").set_value(True).run()
    assert not app.exception
    header, networks = sent(app)
    assert header["titles"] == [*catalog.shipped(), title_of(finished.config())]
    assert len(networks) == 1 + len(header["titles"])


def test_a_network_that_no_browser_can_run_answers_from_the_server(app, tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    weights.save(run.weights, {name: 1e6 + value for name, value in model.initial(small).state_dict().items()})
    app.run()
    app.selectbox(key="draw-model").select(run.id).run()
    assert "16 bits cannot hold" in app.error[0].value
    assert not app.metric
    app.session_state["canvas-0"] = drawing(ONE)
    app.run()
    assert app.metric[0].label == "The network reads"
    assert app.metric[0].value in "0123456789"


def test_the_way_to_browse_shows_what_else_is_taken_for_the_digit(app):
    app.run()
    app.session_state["browse-go-to"] = "7"
    app.switch_page("browse.py").run()
    assert not app.exception
    assert app.selectbox(key="browse-read").value == "7"


@needs_mnist
def test_a_right_answer_is_kept_and_the_network_is_taught_it(app, tmp_path, at_once):
    app.session_state["canvas-0"] = drawing(ROOF)
    app.run()
    assert read(app) != 1
    kept = DigitStore(tmp_path / "digits").create("me")
    place = kept.place(kept.add(1, app.session_state["canvas"].ink))
    app.session_state["draw-kept"] = {"name": f"me/{place}", "digit": 1}
    app.run()
    assert f"Kept as a **1** in `{kept.path / place}`." in text(app)
    app.button(key="teach-one").click().run()
    assert not app.exception
    (run,) = RunStore(tmp_path / "runs").runs()
    assert app.selectbox(key="draw-model").value == run.id
    assert run.config().digits == (f"me/{place}",)
    assert "Of the test images it reads **99.48%** before, " in text(app)
    for _ in range(3):
        if "Your 1 is still read as 7." in text(app):
            app.button(key="teach-again").click().run()
    assert "Your 1 is read right now." in text(app)
    assert read(app) == 1
    app.button(key="taught-undo").click().run()
    assert app.selectbox(key="draw-model").value == "cnn"
    assert read(app) != 1


@needs_mnist
def test_the_cost_is_said_of_a_sample_until_the_test_images_are_read(app, tmp_path, monkeypatch):
    trainings = []

    def submit(_, run):
        """Have the run take all of its steps, and no more for now."""
        trainings.append(train_run(run))
        assert any(record["event"] == "epoch" for record in trainings[-1])

    monkeypatch.setattr(Workers, "submit", submit)
    app.session_state["canvas-0"] = drawing(ROOF)
    app.run()
    kept = DigitStore(tmp_path / "digits").create("me")
    place = kept.place(kept.add(1, app.session_state["canvas"].ink))
    app.session_state["draw-kept"] = {"name": f"me/{place}", "digit": 1}
    app.run()
    app.button(key="teach-one").click().run()
    assert not app.exception
    (run,) = RunStore(tmp_path / "runs").runs()
    assert app.selectbox(key="draw-model").value == run.id
    now = run.records()[-1]["val_accuracy"]
    assert f"Of 500 others it reads **99.80%** before, **{now:.2%}** now (95 % interval " in text(app)
    assert "the test images follow" in text(app)
    *_, end = trainings[0]
    app.run()
    assert f"Of the test images it reads **99.48%** before, **{end['test_accuracy']:.2%}** now." in text(app)


def test_what_was_kept_is_taken_back(app, tmp_path):
    kept = DigitStore(tmp_path / "digits").create("me")
    place = kept.place(kept.add(4, np.eye(60, dtype=np.uint8) * 255))
    app.session_state["draw-kept"] = {"name": f"me/{place}", "digit": 4}
    app.run()
    app.button(key="kept-undo").click().run()
    assert kept.files() == []
    assert "Kept as" not in text(app)


def test_the_scripts_of_a_component_are_one_module():
    text = browser.joined(*live_network.MODULES)
    assert text.count("export default") == 1
    assert "\nimport " not in text
