"""The pages as scripts, through Streamlit's AppTest; what needs a real browser is in tests/browser."""

import base64
import io
import shutil
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_core.config import RULES, SAMPLE_IN_WORDS
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.presets import PRESETS
from mnist_core.reading import catalog
from mnist_core.runs import worker
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from pages.shared import data
from tests.conftest import APP, MNIST_ROOT, NESTED, needs_mnist, text


def drawing(*strokes: list[tuple[int, int]], size: int = 280) -> dict:
    """What the canvas sends for strokes drawn on it."""
    image = Image.new("RGBA", (size, size))  # transparent
    for points in strokes:
        ImageDraw.Draw(image).line(points, fill="white", width=20, joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    data = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return {"drawing": {"raw": {"objects": [{}] * len(strokes)}, "data": data}, "backgroundFit": None}


def leave_and_come_back(app: AppTest) -> None:
    """Another page and back to Draw: the canvas is mounted anew, and what the first one sent is gone."""
    app.switch_page("pages/train.py").run()
    if "canvas-0" in app.session_state:
        del app.session_state["canvas-0"]
    app.switch_page("pages/draw.py").run()


@pytest.mark.parametrize("page", ["draw", "learn", "train", "browse", "runs", "inside"])
def test_a_page_is_painted_without_torch(page):
    script = (
        "import ast, pathlib, sys\n"
        f"body = ast.parse(pathlib.Path('pages/{page}.py').read_text()).body\n"
        "imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]\n"
        "sys.modules['streamlit_drawable_canvas'] = type(sys)('stand-in')  # needs a running app, and no torch\n"
        "sys.modules['streamlit_drawable_canvas'].st_canvas = None\n"
        "exec(compile(ast.Module(imports, []), 'imports', 'exec'))\n"
        "raise SystemExit('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=APP.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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


def test_all_models_are_compared(app, stopped):
    app.session_state["canvas-0"] = drawing([(140, 40), (140, 240)])
    app.run()
    app.toggle(key="draw-compare").set_value(True).run()
    assert not app.exception
    assert [metric.label for metric in app.metric] == ["The network reads", *catalog.shipped(), stopped.id]
    assert [metric.value for metric in app.metric][:3] == ["1", "1", "1"]


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
    (run,) = RunStore(tmp_path / "runs").runs()
    assert run.config().hidden == (32, 16)
    assert app.query_params["run"] == run.id
    assert app.query_params["hidden"] == "32,16"
    end = time.monotonic() + 60
    while run.status().state.is_active:
        assert time.monotonic() < end
        time.sleep(0.1)
    app.run()
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Epoch"] == "5 of 5"
    assert shown["Test accuracy"] == f"{run.end()['test_accuracy']:.2%}"
    assert not app.button(key="train-start").disabled


@pytest.mark.parametrize("page", ["draw", "browse"])
def test_a_finished_run_is_taken_along(app, tmp_path, small, page):
    run = RunStore(tmp_path / "runs").create(small)
    for _ in worker.train(run):
        pass
    app.query_params["run"] = run.id
    open_train(app)
    app.button(key=f"to-{page}").click().run()
    assert not app.exception
    assert app.selectbox(key=f"{page}-model").value == run.id


@pytest.fixture
def stopped(tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    for record in worker.train(run):
        if record["event"] == "epoch":
            run.request_stop()
    return run


def test_a_link_opens_a_run_and_it_can_be_resumed(app, stopped):
    app.query_params["run"] = stopped.id
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert {metric.label: metric.value for metric in app.metric}["Epoch"] == "1 of 2"
    app.button(key="train-resume").click().run()
    assert not app.exception
    end = time.monotonic() + 60
    while stopped.status().state.is_active:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert stopped.status().state == "finished"


def test_the_learning_rate_that_is_shown_is_the_one_that_is_used(app, tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    with run.locked():
        run.set_status("paused")
        open_train(app)
        app.query_params["run"] = run.id
        app.run()
        field = app.number_input(key=f"train-lr-{run.id}")
        assert field.value == small.lr
        run.request_lr(0.001)  # from another tab; it waits for the next report
        assert app.run().number_input(key=field.key).value == 0.001
        with run.recorder() as recorder:
            recorder.append({"event": "lr", "step": 1, "lr": 0.002})
        run.clear_lr_request()
        assert app.run().number_input(key=field.key).value == 0.002
        app.number_input(key=field.key).set_value(0.003).run()
        assert run.lr_requested() == app.number_input(key=field.key).value == 0.003
    app.run()  # nobody trains it, so that nobody will take up the request
    assert app.number_input(key=field.key).value == 0.002


@pytest.mark.parametrize("name", ["../x", "nope", "<b>"])
def test_a_link_to_no_run_is_said_and_the_page_stays(app, name):
    open_train(app)
    app.query_params["run"] = name
    app.run()
    assert not app.exception
    assert "run" in app.error[0].value
    assert not app.button(key="train-start").disabled


def test_a_run_that_diverged_says_what_to_do(app, tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    run.set_status(RunState.DIVERGED, "Try a learning rate of 1 or less instead of 10.")
    open_train(app)
    app.query_params["run"] = run.id
    app.run()
    assert app.error[0].value == "Try a learning rate of 1 or less instead of 10."


def test_damaged_metrics_are_said_and_shown_up_to_the_damage(app, stopped):
    with open(stopped.path / "metrics.jsonl", "ab") as file:
        file.write(b"\0\0\0nonsense\n")
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert not app.exception
    assert not app.error
    assert "are damaged from byte" in app.warning[0].value
    assert "Validation accuracy" in [metric.label for metric in app.metric]


def test_a_run_deleted_under_the_page_is_said(app, stopped):
    app.query_params["run"] = stopped.id
    open_train(app)
    shutil.rmtree(stopped.path)
    app.button(key="train-resume").click().run()
    assert not app.exception
    assert "There is no run" in app.error[0].value
    assert not app.button(key="train-start").disabled


def test_a_killed_run_says_what_to_do_and_can_be_resumed(app, stopped):
    stopped.set_status(RunState.RUNNING)
    app.query_params["run"] = stopped.id
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert "Resume goes on" in app.warning[0].value
    assert not app.button(key="train-resume").disabled
    assert app.button(key="train-stop").disabled


def test_a_preset_sets_the_controls_and_the_link(app):
    open_train(app)
    for name, preset in PRESETS.items():
        app.selectbox(key="preset").select(name).run()
        assert not app.exception
        assert preset.reason in text(app)
        assert dict(app.query_params) == preset.config.to_query()
        for field, value in preset.config.to_dict().items():
            if field not in HYPERPARAMETERS or field in NETWORKS[preset.config.model].hyperparameters:
                shown = control(app, field).value
                assert shown == (" ".join(map(str, value)) if isinstance(value, list) else value)


def test_a_link_sets_the_controls_and_its_faults_are_said(app):
    app.query_params.update({"model": "cnn", "lr": "1000", "epochs": "7", "hidden": "3", "who": "me"})
    open_train(app)
    assert control(app, "epochs").value == 7
    assert control(app, "lr").value == 0.01
    said = text(app)
    for fault in ("lr must be between", "hidden cannot be set for cnn", "no hyperparameter 'who'"):
        assert fault in said
    assert dict(app.query_params) == {"model": "cnn", "epochs": "7"}
    control(app, "epochs").set_value(8).run()
    assert "must be between" not in text(app)
    assert app.query_params["epochs"] == "8"


@pytest.mark.parametrize("word", ["9" * 5_000, "٣" * 5_000])
def test_what_is_no_number_is_said_where_units_are_listed(app, word):
    open_train(app)
    control(app, "hidden").set_value(f"64 {word}").run()
    assert not app.exception
    (error,) = app.error
    assert "hidden must be a whole number, got '" in error.value
    assert len(error.value) < 500


@pytest.mark.parametrize(
    "words", [{"config": NESTED}, {"lock": ",".join(f"field{i}" for i in range(10_000))}], ids=["nested", "many"]
)
def test_a_link_with_very_much_in_it_is_refused_in_few_words(app, words):
    app.query_params.update(words)
    open_train(app)
    (warning,) = [warning.value for warning in app.warning if "The link holds" in warning.value]
    assert len(warning) < 2_000


def test_settings_survive_a_switch_of_the_page(app):
    open_train(app)
    control(app, "epochs").set_value(3).run()
    control(app, "hidden").set_value("12 8").run()
    control(app, "model").select("cnn").run()
    app.switch_page("pages/draw.py").run()
    app.switch_page("pages/train.py").run()
    assert control(app, "epochs").value == 3
    control(app, "model").select("mlp").run()
    assert control(app, "hidden").value == "12 8"


def test_before_the_start_the_network_and_the_first_loss_are_shown(app):
    open_train(app)
    assert "50,890 parameters" in text(app)
    assert "2.303" in text(app)
    assert [row["layer"] for _, row in app.dataframe[0].value.iterrows()] == ["Flatten", "Linear", "ReLU", "Linear"]


def test_the_steps_of_a_pass_count_the_images_that_are_no_digits(app):
    open_train(app)
    control(app, "data").select("sample").run()
    control(app, "batch_size").set_value(32).run()
    control(app, "background").set_value(0.5).run()
    assert "1,875 images to train on, 625 of them no digits," in text(app)
    assert "59 steps in each of 5 passes" in text(app)


def test_start_several_does_not_start_on_enter(app):
    open_train(app)
    forms = app.get("form")
    assert len(forms) == 2
    assert not any(form.proto.form.enter_to_submit for form in forms)


def test_a_device_that_is_not_there_is_said(app):
    open_train(app)
    control(app, "device").select("mps" if not torch.backends.mps.is_available() else "cuda").run()
    assert "This machine has no device" in app.error[0].value


@pytest.fixture
def without_mnist(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "nothing"))


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


def test_without_mnist_training_offers_the_sample(app, without_mnist):
    open_train(app)
    assert control(app, "data").value == "sample"
    assert "MNIST is not on this machine" in app.info[0].value


@needs_mnist
def test_browse_shows_what_is_read_wrong_and_one_image_large(app):
    app.run()
    app.switch_page("pages/browse.py").run()
    assert not app.exception
    wrong = 10_000 - round(catalog.card("cnn")["test_accuracy"] * 10_000)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Read wrong"] == f"{wrong} of 10,000"
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


def test_a_download_that_fails_says_why(app, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file"))
    open_train(app)
    app.button(key="download").click().run()
    assert not app.exception
    assert "MNIST cannot be saved" in app.error[0].value
    assert not app.button(key="train-start").disabled


@needs_mnist
def test_once_mnist_is_there_training_is_set_to_it_and_nothing_else_changes(app, without_mnist, monkeypatch):
    open_train(app)
    control(app, "epochs").set_value(3).run()
    assert app.query_params["data"] == "sample"
    monkeypatch.setattr(data, "_download", lambda: monkeypatch.setenv("MNIST_ROOT", MNIST_ROOT) or "")
    app.button(key="download").click().run()
    assert not app.exception
    assert control(app, "data").value == "mnist"
    assert control(app, "epochs").value == 3
