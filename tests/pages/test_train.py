"""The Train page as a script."""

import dataclasses
import re
import shutil

import pytest
import torch

from mnist_core import device, weights
from mnist_core.config import RULES
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.presets import PRESETS
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.worker_pool import Workers
from pages.shared import data, live_network
from tests.conftest import MNIST_ROOT, NESTED, needs_mnist, progress_of, wait_until
from tests.pages import control, controls, metrics, open_train, text


@pytest.mark.parametrize("model", NETWORKS)
def test_each_network_has_controls_for_its_own_hyperparameters_alone(app, model):
    open_train(app)
    control(app, "model").select(model).run()
    for name, rule in RULES.items():
        if name not in HYPERPARAMETERS or name in NETWORKS[model].hyperparameters:
            assert control(app, name).help == rule.help
        else:
            assert f"config-{name}" not in controls(app)


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
    wait_until(lambda: not run.status().state.is_active, progress_of(run))
    app.run()
    assert not app.exception
    assert metrics(app)["Epoch"] == "5 of 5"
    assert metrics(app)["Test accuracy"] == f"{run.end()['test_accuracy']:.2%}"
    assert not app.button(key="train-start").disabled


def test_a_run_is_shown_though_a_stroke_brings_the_address_from_before_its_start(app, finished, store):
    app.query_params["run"] = finished.id
    open_train(app)
    control(app, "data").select("sample").run()
    app.button(key="train-start").click().run()
    (run,) = (run for run in store.runs() if run.id != finished.id)
    app.query_params["run"] = finished.id
    app.run()
    assert app.query_params["run"] == run.id
    assert app.selectbox(key="train-run").value == run.id
    wait_until(lambda: not run.status().state.is_active, progress_of(run))


@pytest.mark.parametrize("page", ["draw", "browse"])
def test_a_finished_run_is_taken_along(app, finished, page):
    app.query_params["run"] = finished.id
    open_train(app)
    app.button(key=f"to-{page}").click().run()
    assert not app.exception
    assert app.selectbox(key=f"{page}-model").value == finished.id


@pytest.fixture
def stopped(trained):
    """A run that was stopped behind its first epoch."""
    return trained(until_epoch=1)


def test_a_link_opens_a_run_and_it_can_be_resumed(app, stopped, at_once):
    app.query_params["run"] = stopped.id
    open_train(app)
    app.query_params["run"] = stopped.id
    app.run()
    assert metrics(app)["Epoch"] == "1 of 2"
    app.button(key="train-resume").click().run()
    assert not app.exception
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
    assert "Validation accuracy" in metrics(app)


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


def test_what_the_training_takes_is_said_and_too_much_is_refused(app, monkeypatch, tmp_path):
    open_train(app)
    assert re.search(r"It takes about \*\*\d{3} MB\*\* of memory and \d MB of disk", text(app))
    assert not app.warning
    monkeypatch.setattr(device, "free_memory", lambda name: 1_000_000)
    app.button(key="train-start").click().run()
    for shown in (*app.error, *app.warning):
        assert "of memory, and 1 MB are free" in shown.value
    assert (len(app.error), len(app.warning)) == (1, 1)
    assert not RunStore(tmp_path / "runs").runs()


def test_a_link_sets_the_controls_and_its_faults_are_said(app):
    app.query_params.update({"model": "cnn", "lr": "1000", "epochs": "7", "hidden": "3", "who": "me"})
    open_train(app)
    assert control(app, "epochs").value == 7
    assert control(app, "lr").value == 0.01
    said = text(app)
    for fault in ("lr must be between", "hidden cannot be set for cnn", "no hyperparameter 'who'"):
        assert fault in said
    assert {name: word for name, word in app.query_params.items() if name != "data"} == {"model": "cnn", "epochs": "7"}
    control(app, "epochs").set_value(8).run()
    assert "must be between" not in text(app)
    assert app.query_params["epochs"] == "8"


def test_settings_survive_a_switch_of_the_page(app):
    open_train(app)
    control(app, "epochs").set_value(3).run()
    control(app, "hidden").set_value("12 8").run()
    control(app, "model").select("cnn").run()
    app.switch_page("draw.py").run()
    app.switch_page("train.py").run()
    assert control(app, "epochs").value == 3
    control(app, "model").select("mlp").run()
    assert control(app, "hidden").value == "12 8"


def test_before_the_start_the_network_and_the_first_loss_are_shown(app):
    open_train(app)
    assert "50,890 parameters" in text(app)
    assert "2.303" in text(app)
    assert [row["layer"] for _, row in app.dataframe[0].value.iterrows()] == ["Flatten", "Linear", "ReLU", "Linear"]


def test_a_device_that_is_not_there_is_said(app):
    open_train(app)
    control(app, "device").select("mps" if not torch.backends.mps.is_available() else "cuda").run()
    assert "This machine has no device" in app.error[0].value


def test_without_mnist_training_offers_the_sample(app, without_mnist):
    open_train(app)
    assert control(app, "data").value == "sample"
    assert "MNIST is not on this machine" in app.info[0].value


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


def test_the_learning_rate_that_is_shown_is_the_one_that_is_used(app, tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    with run.locked():
        run.set_status(RunState.PAUSED)
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


def test_a_hint_says_what_was_seen_and_its_button_trains_with_the_change(app, trained, at_once, store):
    run = trained(optimizer="sgd", lr=5.0, schedule="constant")
    app.query_params["run"] = run.id
    open_train(app)
    app.query_params["run"] = run.id
    app.run()
    assert "The loss grows" in text(app)
    assert app.button(key="hint-0").label == "Learning rate 0.5"
    app.button(key="hint-0").click().run()
    assert not app.exception
    (new,) = (one for one in store.runs() if one.id != run.id)
    assert new.config() == dataclasses.replace(run.config(), lr=0.5)
    assert app.query_params["run"] == new.id
    assert control(app, "lr").value == 0.5


def test_opened_anew_the_page_shows_what_trains(app, monkeypatch, small, store):
    one, other, third = store.create(small), store.create(small), store.create(small)
    monkeypatch.setattr(Workers, "ids", lambda _: [one.id, other.id, third.id])
    monkeypatch.setattr(Workers, "place", lambda _, run: int(run.id == third.id))
    with one.locked(), other.locked(), third.locked():
        one.set_status(RunState.PAUSED)
        other.set_status(RunState.RUNNING)
        third.set_status(RunState.WAITING)
        open_train(app)
        assert app.query_params["run"] == other.id
        said = [element.value for element in app.caption]
        assert "Paused:" in said
        assert "In line:" in said
        links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
        assert f"run={one.id}" in links.values()
        assert f"run={third.id}" in links.values()


def test_the_answer_is_of_the_step_of_the_weights_not_of_the_newest_record(app, monkeypatch, trained, store):
    run = trained(until_epoch=1)
    reached = run.records()[-1]["step"]
    shown = []
    monkeypatch.setattr(live_network, "show", lambda *_, step=None, **__: shown.append(step))
    for saved, expected in ((0, 0), (None, reached)):  # an earlier version did not save it
        weights.save(run.weights, weights.load(run.weights), run.fingerprint(), step=saved)
        app.query_params["run"] = run.id
        open_train(app)
        assert not app.exception
        assert shown[-1] == expected
