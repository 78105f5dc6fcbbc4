"""The Learn page as a script, step by step, on the sample; its trainings are real runs."""

import functools
import math
import pathlib
import re
import shutil

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from mnist_core import dataset
from mnist_core.config import SAMPLE_IN_WORDS
from mnist_core.course import image_text, sliding, trainings
from mnist_core.course.questions import QUESTIONS
from mnist_core.reading import catalog, predictor
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run
from tests.conftest import MNIST_ROOT, needs_mnist, progress_of, wait_until
from tests.pages import SEVEN, control, controls, drawing, metrics, pictures, text, wait_for_work

STEPS = range(1, 14)
TRAINED = {3: "linear", 4: "hidden", 6: "descent", 7: "split", 8: "classic", 11: "convolution"}
TEST = dataset.load_test("sample")


@pytest.fixture
def learn(open_page, without_mnist):
    """Opens the page at a link, on the sample."""
    return functools.partial(open_page, "learn")


def runs_of(step: str) -> list[Run]:
    return [run for run in RUNS.runs() if run.about().name.startswith(f"{step}: ")]


def go(app: AppTest, step: int) -> None:
    app.selectbox(key=f"learn-step-{app.session_state['learn-now']}").set_value(step).run()


def guess(app: AppTest, name: str, option: int = 0) -> None:
    app.segmented_control(key=f"learn-guess-{name}").set_value(option).run()


def train(app: AppTest, step: str) -> None:
    """Press the step's button, after a guess, and wait for what it starts."""
    if not runs_of(step):
        assert app.button(key=f"learn-train-{step}").disabled
        guess(app, step)
    app.button(key=f"learn-train-{step}").click().run()
    assert not app.exception
    assert {run.about().group for run in runs_of(step)} == {trainings.GROUP}
    started = runs_of(step)
    wait_until(lambda: all(run.status().state in ("finished", "diverged") for run in started), progress_of(*started))
    app.run()


@pytest.fixture(scope="module")
def runs_once(tmp_path_factory):
    """A folder with the runs of a step's networks, trained once."""

    @functools.cache
    def train(step: str, data: str) -> pathlib.Path:
        folder = tmp_path_factory.mktemp(step)
        for name, config in trainings.trainings(step, data).items():
            run = RunStore(folder).create(config)
            run.set_about(name=f"{step}: {name}", group=trainings.GROUP)
            for _ in train_run(run):
                pass
        return folder

    return train


@pytest.fixture
def trained(runs_once, store):
    """Puts a step's runs where the page finds them; the word of a link with which they are the visitor's own."""

    def put(step: str, data: str = "sample") -> str:
        folder = shutil.copytree(runs_once(step, data), store.folder, dirs_exist_ok=True)
        return ",".join(run.id for run in RunStore(folder).runs())

    return put


@pytest.mark.parametrize("step", STEPS)
def test_each_step_opens_by_its_link_and_next_marks_it_as_done(learn, step):
    app = learn(step=step)
    assert not app.error
    assert app.header[0].value.startswith(f"{step}. ")
    assert SAMPLE_IN_WORDS in text(app)
    assert all(pictures(app))
    words = " ".join(element.value for element in app.markdown)
    assert len(words.split()) < 160
    if step < STEPS[-1]:
        assert dict(app.query_params) == {"step": str(step)}
        app.button(key="learn-next").click().run()
        assert app.query_params["step"] == str(step + 1)
        assert str(step) in app.query_params["done"].split(",")
    else:
        assert dict(app.query_params) == {"step": str(step), "done": str(step)}


def test_the_way_through(learn):
    app = learn()
    assert dict(app.query_params) == {"step": "1"}
    assert "learn-back" not in [button.key for button in app.button]
    app.button(key="learn-next").click().run()
    app.button(key="learn-next").click().run()
    assert app.query_params["done"] == "1,2"
    titles = app.selectbox(key="learn-step-3").options
    assert titles[:3] == ["✓ 1. Look at the images", "✓ 2. From picture to row", "3. A linear model"]
    assert app.header[0].value.startswith("3. ")
    app.button(key="learn-back").click().run()
    assert app.header[0].value.startswith("2. ")
    go(app, 5)
    assert app.query_params["step"] == "5"


def test_progress_comes_back_with_the_address(learn):
    app = learn(step=4, done="1,2,3")
    assert app.header[0].value.startswith("4. ")
    assert app.get("progress")[0].proto.text == "3 of 13 done"
    app.switch_page("runs.py").run()
    app.switch_page("learn.py").run()
    assert dict(app.query_params) == {"step": "4", "done": "1,2,3"}


def test_all_done_can_be_begun_again(learn):
    app = learn(step=13, done=",".join(map(str, STEPS)))
    assert app.get("progress")[0].proto.text == "13 of 13 done"
    app.session_state["learn-speed"] = 1
    app.button(key="learn-over").click().run()
    assert app.session_state["learn-speed"] == 0  # what was measured is to be guessed again
    assert dict(app.query_params) == {"step": "1"}
    assert app.get("progress")[0].proto.text == "0 of 13 done"


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ({"step": "14"}, "There is no step '14'"),
        ({"done": "1,x"}, "There is no step 'x'; there are 1"),
        ({"runs": "../a"}, "No run is called '../a'"),
        ({"guesses": "linear.1,linear.9"}, "There is no guess 'linear.9'"),
    ],
)
def test_what_a_link_cannot_mean_is_said_and_the_page_stays(learn, link, fault):
    app = learn(**link)
    assert fault in app.warning[0].value
    assert app.header[0].value.startswith("1. ")
    assert not app.run().warning


def test_a_digit_gets_a_label_among_those_of_others(learn):
    app = learn(step=1)
    assert "1,500 images" in text(app)
    app.segmented_control(key="learn-digit").set_value(3).run()
    shown = [element.value for element in app.markdown if "a training image of a 3" in element.value]
    assert len(shown) == 10
    app.button(key="learn-more").click().run()
    assert shown != [element.value for element in app.markdown if "a training image of a 3" in element.value]


def carrying(app: AppTest, learn, **link: str) -> AppTest:
    """The course, with a 7 that was drawn in its first step."""
    app.session_state["canvas-0"] = drawing(SEVEN)
    learn(step=1, **link)
    app.segmented_control(key="learn-digit").set_value(7).run()
    assert "Your 7 as a network sees it" in pictures(app)
    return app


def test_the_digit_drawn_first_goes_through_the_course(learn, app):
    carrying(app, learn)
    for step in (2, 10, 11):
        go(app, step)
        assert not app.error
        assert "your 7" in text(app).lower() + "".join(pictures(app)).lower()


def test_a_link_holds_the_digit(learn, app):
    carrying(app, learn)
    own = app.session_state["learn-drawing"].tolist()
    for key in ("learn-drawing", "learn-label", "learn-link", "canvas"):  # as after a reload
        del app.session_state[key]
    app.run()
    assert "Your 7 as a network sees it" in pictures(app)
    assert app.session_state["learn-drawing"].tolist() == own


@pytest.mark.parametrize("word", ["7", "7.", "x." + image_text.to_text(np.eye(28, dtype=np.uint8)), "7.nothing"])
def test_a_digit_that_is_none_is_said_and_a_test_image_is_shown(learn, word):
    app = learn(step=2, digit=word)
    assert "digit cannot be read" in app.warning[0].value
    assert "digit" not in app.query_params
    assert f"This {int(TEST.labels[0])} as one line of 784 pixels" in pictures(app)


@pytest.mark.parametrize(("step", "name", "units"), [(3, "linear", 0), (4, "hidden", 32), (8, "classic", 64)])
def test_the_digit_goes_its_way_through_each_network(learn, app, trained, step, name, units):
    carrying(app, learn, runs=trained(name))
    go(app, step)
    assert f"{units} units" in text(app) if units else "10 sums" in text(app)
    run = next(run for run in runs_of(name) if not run.about().name.endswith("no ReLU"))
    answer = predictor.load(run.id).predict_one(app.session_state["learn-drawing"])
    assert f"read as {answer.digit}]" in text(app)


def test_the_digit_has_its_place_among_the_mistakes(learn, app):
    carrying(app, learn)
    go(app, 10)
    answer = predictor.load("mlp").predict_one(app.session_state["learn-drawing"])
    table = predictor.load("mlp").predictions(TEST)
    given = table.probabilities[np.arange(len(table)), table.labels]
    harder = int((given < answer.probabilities[7]).sum())
    assert f"gives the 7 {answer.probabilities[7]:.1%}: {harder:,} of the test images are harder" in text(app)
    assert "your 7" in pictures(app)


def test_a_pixel_is_found_in_the_row(learn, app):
    app.session_state["learn-pixel"] = {"at": [9, 13]}
    learn(step=2)
    flat = TEST.images[0].flatten()
    assert "is number **265** of the line" in text(app)
    assert f"**{int(flat[265])}**" in text(app)
    app.session_state["learn-pixel"] = {"at": [0, 0]}
    app.run()
    assert "is number **0** of the line" in text(app)


@pytest.mark.parametrize("at", [None, [28, 0], [-1, 3], [1.5, 2], ["a", 1], [1], {"row": 1}])
def test_a_place_that_is_none_is_ignored(learn, app, at):
    app.session_state["learn-pixel"] = {"at": at}
    learn(step=2)
    assert "is number **294** of the line" in text(app)


@pytest.mark.parametrize("step", TRAINED)
def test_a_training_is_started_and_its_result_read_back(learn, at_once, step):
    app = learn(step=step)
    train(app, TRAINED[step])
    assert not app.error
    for run in runs_of(TRAINED[step]):
        name = run.about().name.partition(": ")[2]
        reached = f"{run.end()['test_accuracy']:.1%}" if "test_accuracy" in run.end() else "diverged"
        if step != 7:
            assert metrics(app)[f"Test accuracy, {name}"] == reached
    assert app.query_params["runs"].split(",") == [run.id for run in reversed(runs_of(TRAINED[step]))]
    for key in ("learn-runs", "learn-link"):  # as after a reload
        del app.session_state[key]
    app.run()
    assert app.button(key=f"learn-train-{TRAINED[step]}").label.endswith("again")


def test_a_guess_is_kept_and_judged(learn, trained):
    app = learn(step=4, runs=trained("hidden"), guesses="hidden.1")
    shown = [float(metrics(app)[f"Test accuracy, {name}"].rstrip("%")) for name in ("ReLU", "no ReLU")]
    options = QUESTIONS["hidden"].options
    answer = QUESTIONS["hidden"].answer([value / 100 for value in shown])
    expected = "You guessed right: without" if answer == 1 else f"You guessed without. It is {options[answer]}."
    assert expected in text(app)
    assert app.segmented_control(key="learn-guess-hidden").disabled
    assert app.query_params["guesses"] == "hidden.1"


def test_results_of_others_are_not_shown(learn, trained):
    trained("linear")
    app = learn(step=3)
    assert app.button(key="learn-train-linear").label == "Train"
    assert not app.metric
    assert "runs" not in app.query_params


def test_training_again_is_another_run_in_a_process(learn, trained):
    app = learn(step=3, runs=trained("linear"))
    train(app, "linear")
    first, second = reversed(runs_of("linear"))
    assert first.id != second.id
    assert app.query_params["runs"] == second.id


def test_while_it_trains_the_button_waits(learn):
    waiting = RUNS.create(trainings.trainings("linear", "sample")["linear"])
    app = learn(step=3, runs=waiting.id)
    assert app.button(key="learn-train-linear").disabled
    assert "waiting" in text(app)
    waiting.set_status(RunState.STOPPED)
    app.run()
    assert not app.button(key="learn-train-linear").disabled


def test_a_run_that_was_deleted_is_trained_anew(learn, trained):
    app = learn(step=3, runs=trained("linear"))
    assert app.button(key="learn-train-linear").label == "Train again"
    for run in runs_of("linear"):
        run.delete()
    app.run()
    assert not app.error
    assert app.button(key="learn-train-linear").label == "Train"


def test_where_no_run_can_be_made_it_is_said(learn, tmp_path):
    app = learn(step=3, guesses="linear.0")
    (tmp_path / "runs").write_text("in the way")
    app.button(key="learn-train-linear").click().run()
    assert "cannot be" in app.error[0].value


def test_without_relu_two_layers_are_one(learn, trained):
    app = learn(step=4, runs=trained("hidden"))
    numbers, apart = re.search(r"became the ([\d,]+) of a.* more than ([\d.]+)\.", text(app)).groups()
    assert numbers == "7,850"
    assert float(apart) < 1e-3


def test_the_first_loss_is_near_that_of_guessing(learn):
    app = learn(step=5)
    assert "First loss, 128 images" not in metrics(app)
    guess(app, "loss", 2)
    assert "You guessed right" in text(app)
    first = float(metrics(app)["First loss, 128 images"])
    assert first == pytest.approx(math.log(10), abs=0.25)
    assert metrics(app)["ln 10"] == f"{math.log(10):.3f}"
    app.slider(key="learn-probability").set_value(0.1).run()
    assert metrics(app)["Loss"] == f"{-math.log(0.1):.3f}"
    app.button(key="learn-seed-next").click().run()
    assert float(metrics(app)["First loss, 128 images"]) != first
    app.slider(key="learn-probability").set_value(1.0).run()
    assert metrics(app)["Loss"] == "0.000"


def test_the_gap_is_of_training_and_validation(learn, trained):
    app = learn(step=7, runs=trained("split"))
    shown = metrics(app)
    gap = float(shown["Training accuracy"].rstrip("%")) - float(shown["Validation accuracy"].rstrip("%"))
    assert float(shown["The gap"].split()[0]) == pytest.approx(gap, abs=0.11)


def test_the_devices_are_measured(learn):
    app = learn(step=9)
    assert app.button(key="learn-measure").disabled
    guess(app, "speed")
    app.button(key="learn-measure").click().run()
    wait_for_work(app)
    assert "Training images a second" in metrics(app)
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert "No GPU that PyTorch can use" in text(app)


def test_an_image_that_is_read_wrong_is_found(learn):
    app = learn(step=10)
    app.button(key="learn-wrong").click().run()
    index = app.session_state["learn-image"]
    answer = predictor.load("mlp").predict_one(TEST.images[index].numpy())
    assert answer.digit != TEST.labels[index]
    assert f"**A true {int(TEST.labels[index])}**, :red[read as {answer.digit}]" in text(app)
    app.button(key="learn-any").click().run()


def test_the_sum_under_the_kernel_is_the_maps_value(learn, app):
    app.session_state["learn-place"] = {"at": [7, 15]}
    learn(step=11)
    app.segmented_control(key="learn-kernel").set_value("outlines").run()
    value = (np.array(sliding.KERNELS["outlines"]) * TEST.images[0].numpy()[7:10, 15:18] / 255).sum()
    assert metrics(app)["add up to"] == f"{value:.2f}"
    assert f"= {value:.2f}" in text(app)


def test_a_drawing_is_read_by_all(learn, app):
    app.session_state["canvas-0"] = drawing(SEVEN)
    learn(step=12)
    shown = metrics(app)
    for name in ("softmax", "mlp", "cnn"):
        assert shown[f"{name}, shipped"] == "7"


def test_own_networks_join_the_shipped_ones(learn, app, trained):
    app.session_state["canvas-0"] = drawing(SEVEN)
    learn(step=12, runs=trained("linear"))
    assert {"cnn, shipped", "linear"} <= metrics(app).keys()


def test_at_the_end_what_was_guessed_and_measured_is_kept(learn, app, trained):
    runs = ",".join(trained(step) for step in ("linear", "split"))
    carrying(app, learn, runs=runs, guesses="linear.0,split.2")
    go(app, 13)
    linear = next(iter(runs_of("linear")))
    reached = linear.end()["test_accuracy"]
    assert f"| under 90 % | **{reached:.1%}** |" in text(app)
    assert f"You guessed **{(reached < 0.9) + text(app).count('✓] | By how much')} of 2** right" in text(app)
    answer = predictor.load(linear.id).predict_one(app.session_state["learn-drawing"])
    assert f"| linear | {answer.digit}, {answer.confidence:.1%} sure |" in text(app)
    labels = [element.proto.label for element in app.get("download_button")]
    assert [label.split(" (")[0] for label in labels] == ["Keep your network", "Keep the summary"]


def test_at_the_end_of_nothing_it_is_said(learn):
    app = learn(step=13)
    assert "Nothing yet" in text(app)
    assert not app.get("download_button")


@pytest.mark.parametrize(
    ("step", "button", "page", "found"),
    [
        (2, "learn-to-ink", "inside", {"section": "ink", "model": "cnn", "index": 0}),
        (3, "learn-to-train", "config", {"model": "softmax", "data": "sample"}),
        (5, "learn-to-inside", "inside", {"section": "layers", "model": "mlp"}),
        (7, "learn-to-train", "config", {"validation_size": trainings.SAMPLE_BY_HEART}),
        (10, "learn-to-browse", "browse", {"model": "mlp"}),
        (10, "learn-to-why", "inside", {"section": "why", "model": "mlp", "index": 0}),
        (11, "learn-to-inside", "inside", {"section": "layers", "model": "cnn"}),
        (12, "learn-to-draw", "draw", {"model": "cnn"}),
    ],
)
def test_a_step_leads_to_other_pages(learn, step, button, page, found):
    app = learn(step=step)
    app.button(key=button).click().run()
    assert not app.exception
    assert app.title[0].value != "Learn"
    assert {name: app.session_state[f"{page}-{name}"] for name in found} == found


def test_train_opens_as_a_lesson(learn):
    app = learn(step=6)
    app.button(key="learn-to-train").click().run()
    assert control(app, "lr").value == 0.09
    assert not control(app, "lr").disabled
    assert control(app, "model").disabled
    assert "config-augment" not in controls(app)


def test_own_runs_are_opened_elsewhere(learn, trained):
    app = learn(step=4, runs=trained("hidden"))
    app.button(key="learn-to-runs").click().run()
    assert not app.exception
    assert sorted(app.session_state["runs-chosen"]) == sorted(run.id for run in runs_of("hidden"))


@needs_mnist
def test_on_mnist_a_linear_model_ends_where_it_is_said(learn, trained, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", MNIST_ROOT)
    app = learn(step=3, runs=trained("linear", "mnist"))
    assert float(metrics(app)["Test accuracy, linear"].rstrip("%")) == pytest.approx(92, abs=1)
    assert f"{catalog.card('softmax')['test_accuracy']:.1%}" in text(app)
