"""The pages as scripts, through Streamlit's AppTest; what needs a real browser is in tests/browser."""

import base64
import io
import json
import pathlib
import time

import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_core import config, run, worker
from mnist_core.config import RULES
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from pages.shared.workers import processes

APP = pathlib.Path(__file__).parent.parent / "streamlit_app.py"


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where `runs` is made
    yield AppTest.from_file(APP, default_timeout=60)  # seconds; torch may have to be imported
    for child in processes().values():
        child.kill()
        child.communicate()
    processes().clear()


def drawing(*strokes: list[tuple[int, int]]) -> dict:
    """What the canvas sends for strokes drawn on it."""
    image = Image.new("RGBA", (280, 280), "black")
    for points in strokes:
        ImageDraw.Draw(image).line(points, fill="white", width=20, joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    data = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return {"drawing": {"raw": {"objects": [{}] * len(strokes)}, "data": data}, "backgroundFit": None}


def text(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.metric, app.caption, app.info, app.error) for element in kind)


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


def open_train(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception


def control(app: AppTest, name: str):
    (found,) = (
        widget
        for kind in (app.sidebar.selectbox, app.sidebar.number_input, app.sidebar.text_input)
        for widget in kind
        if widget.key == f"config-{name}"
    )
    return found


@pytest.mark.parametrize("model", NETWORKS)
def test_each_network_has_controls_for_its_own_hyperparameters_alone(app, model):
    open_train(app)
    control(app, "model").select(model).run()
    for name, rule in RULES.items():
        if name not in HYPERPARAMETERS or name in NETWORKS[model].hyperparameters:
            assert control(app, name).help == rule.help
        else:
            with pytest.raises(ValueError, match="not enough values"):
                control(app, name)


def test_wrong_hidden_sizes_are_said_and_nothing_starts(app):
    open_train(app)
    control(app, "hidden").set_value("64 many").run()
    assert "hidden must be a whole number, got 'many'" in app.sidebar.error[0].value
    assert app.button(key="train-start").disabled
    control(app, "hidden").set_value("").run()
    assert not app.button(key="train-start").disabled


def test_start_trains_in_a_process_and_shows_the_end(app, tmp_path):
    open_train(app)
    control(app, "data").select("sample").run()
    control(app, "hidden").set_value("32, 16").run()
    app.button(key="train-start").click().run()
    assert not app.exception
    (this,) = run.list_runs(tmp_path / "runs")
    assert this.config().hidden == (32, 16)
    assert app.query_params["run"] == this.id
    assert app.button(key="train-start").disabled
    end = time.monotonic() + 60
    while this.status().is_active:
        assert time.monotonic() < end
        time.sleep(0.1)
    app.run()
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Epoch"] == "5 of 5"
    assert shown["Test accuracy"] == f"{this.overview()['test_accuracy']:.2%}"
    assert config.SAMPLE_IN_WORDS in text(app)
    assert not app.button(key="train-start").disabled


@pytest.fixture
def stopped(tmp_path, small):
    this = run.create(small, tmp_path / "runs")
    for record in worker.train(this):
        if record["event"] == "epoch":
            this.request_stop()
    return this


def test_a_link_opens_a_run_and_it_can_be_resumed(app, stopped):
    app.query_params["run"] = stopped.id
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert {metric.label: metric.value for metric in app.metric}["Epoch"] == "1 of 2"
    app.button(key="train-resume").click().run()
    assert not app.exception
    end = time.monotonic() + 60
    while stopped.status().is_active:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert stopped.status().state == "finished"


@pytest.mark.parametrize("name", ["../x", "nope", "<b>"])
def test_a_link_to_no_run_is_said_and_the_page_stays(app, name):
    open_train(app)
    app.query_params["run"] = name
    app.run()
    assert not app.exception
    assert "run" in app.error[0].value
    assert not app.button(key="train-start").disabled


def test_a_run_that_diverged_says_what_to_do(app, tmp_path, small):
    this = run.create(small, tmp_path / "runs")
    this.set_status("diverged", "Try a learning rate of 1 or less instead of 10.")
    open_train(app)
    app.query_params["run"] = this.id
    app.run()
    assert app.error[0].value == "Try a learning rate of 1 or less instead of 10."


def test_damaged_metrics_are_said(app, stopped):
    (stopped.path / "metrics.jsonl").write_text("nonsense\n" + json.dumps({}))
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert not app.exception
    assert "are damaged" in app.error[0].value
