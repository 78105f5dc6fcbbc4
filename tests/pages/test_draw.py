"""The Draw page as a script."""

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.reading import catalog
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.summary import title_of
from pages.shared.markdown import plain
from tests.pages import drawing, text


def leave_and_come_back(app: AppTest) -> None:
    """Another page and back to Draw: the canvas is mounted anew, and what the first one sent is gone."""
    app.switch_page("pages/train.py").run()
    if "canvas-0" in app.session_state:
        del app.session_state["canvas-0"]
    app.switch_page("pages/draw.py").run()


def test_an_empty_canvas_asks_for_a_digit(app):
    app.run()
    assert not app.exception
    assert app.info[0].value == "Draw a digit."
    assert not app.metric


def test_a_drawing_is_read(app):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    assert not app.exception
    assert app.metric[0].value == "1"
    assert not app.info
    app.selectbox(key="draw-model").select("mlp").run()
    assert app.metric[0].value == "1"


def test_a_letter_is_doubted_and_still_shown(app):
    app.session_state["canvas-0"] = drawing([(90, 40), (90, 240)], [(190, 40), (92, 145), (195, 240)])
    app.run()
    assert not app.exception
    assert "Not sure this is a digit" in text(app)
    assert app.metric


def test_clear_empties_the_canvas(app):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.button(key="clear").click().run()
    assert not app.exception
    assert app.info[0].value == "Draw a digit."


def test_damaged_weights_are_said_and_the_page_stays(app, tmp_path, small):
    broken = RunStore(tmp_path / "runs").create(small)
    broken.weights.write_bytes(b"nonsense")
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.selectbox(key="draw-model").select(broken.id).run()
    assert "are damaged or belong to another network" in app.error[0].value
    app.selectbox(key="draw-model").select("cnn").run()
    assert app.metric[0].value == "1"


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
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    assert app.metric[0].value == "1"


def test_undo_takes_back_a_stroke_at_a_time_also_from_before_a_switch_of_the_page(app):
    first, second, third = [(70, 60), (200, 60), (120, 240)], [(95, 150), (190, 145)], [(60, 240), (220, 240)]
    for strokes in ([first], [first, second], [first, second, third], [first, second]):  # the canvas undoes its own
        app.session_state["canvas-0"] = drawing(*strokes)
        app.run()
    seven = app.metric[0].value
    leave_and_come_back(app)
    assert app.metric[0].value == seven == "7"
    app.button(key="undo").click().run()
    assert app.metric[0].value == "7"
    app.button(key="undo").click().run()
    assert app.info[0].value == "Draw a digit."
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
    app.session_state["canvas-1"] = drawing(right)
    app.run()
    assert app.metric[0].value == "4"
    assert (app.session_state["canvas"].ink == whole).all()


def test_a_drawing_survives_a_switch_of_the_page(app):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    leave_and_come_back(app)
    assert not app.exception
    assert app.metric[0].value == "1"


def test_all_models_are_compared(app, finished):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.toggle(key="draw-compare").set_value(True).run()
    assert not app.exception
    own = plain(title_of(finished.config()))
    assert [metric.label for metric in app.metric] == ["The network reads", *catalog.shipped(), own]
    assert [metric.value for metric in app.metric][:3] == ["1", "1", "1"]
