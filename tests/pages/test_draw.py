"""The Draw page as a script."""

import pytest

from mnist_core.reading import catalog
from mnist_core.runs import run
from tests.pages import drawing, text


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
    broken = run.create(small, tmp_path / "runs")
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
    app.session_state["canvas-1"] = drawing([(140, 40), (140, 240)])
    app.run()
    assert app.metric[0].value == "1"


def test_undo_takes_back_a_stroke_at_a_time(app):
    first, second = [(70, 60), (200, 60), (120, 240)], [(60, 240), (220, 240)]
    app.session_state["canvas-0"] = drawing(first)
    app.run()
    alone = app.metric[0].value
    app.session_state["canvas-0"] = drawing(first, second)
    app.run()
    app.button(key="undo").click().run()
    assert app.metric[0].value == alone == "7"
    app.button(key="undo").click().run()
    assert app.info[0].value == "Draw a digit."
    assert app.button(key="undo").disabled


def test_a_drawing_survives_a_switch_of_the_page(app):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.switch_page("pages/train.py").run()
    app.switch_page("pages/draw.py").run()
    assert not app.exception
    assert app.metric[0].value == "1"


def test_all_models_are_compared(app, finished):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.toggle(key="draw-compare").set_value(True).run()
    assert not app.exception
    assert [metric.label for metric in app.metric] == ["The network reads", *catalog.shipped(), finished.id]
    assert [metric.value for metric in app.metric][:3] == ["1", "1", "1"]
