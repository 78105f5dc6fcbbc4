"""The Inside page as a script, section by section."""

import base64
import functools
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from mnist_core import dataset, drawing, model
from mnist_core.config import TrainConfig
from mnist_core.errors import DrawingError
from mnist_core.inside import preprocessing_ablation
from mnist_core.inside.arithmetic import weighted_sum
from mnist_core.inside.damage import IMAGE_DAMAGES, WEIGHT_DAMAGES
from mnist_core.inside.layers import trace
from mnist_core.reading import catalog, predictor
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from pages.shared.background_work import get_jobs
from tests.conftest import MNIST_ROOT, needs_mnist
from tests.pages import SEVEN, pictures, sent, text, wait_for_work
from tests.pages import drawing as drawn

SECTIONS = ["network", "ink", "layers", "unit", "weights", "why", "space", "damage"]
TEST = dataset.load_test("sample")


@pytest.fixture
def inside(open_page, without_mnist, monkeypatch):
    """Opens the page at a link, on the sample."""
    monkeypatch.setattr(preprocessing_ablation, "DRAWN", 100)  # images; it is worked out wherever Inside is opened
    return functools.partial(open_page, "inside")


@pytest.fixture(scope="module")
def of_network(tmp_path_factory):
    """A run of each network, trained once; a test takes a copy into its folder of runs."""

    @functools.cache
    def train(network):
        run = RunStore(tmp_path_factory.mktemp("runs")).create(
            TrainConfig(data="sample", model=network, epochs=1, device="cpu")
        )
        for _ in train_run(run):
            pass
        return run

    return train


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("name", catalog.shipped())
def test_each_section_shows_each_model(inside, section, name):
    app = inside(section=section, model=name, image=5)
    assert not app.exception
    assert not app.error
    assert app.session_state["inside-section"] == section
    assert dict(app.query_params) == {"section": section, "model": name, "image": "5"}
    answer = predictor.load(name).predict_one(TEST.images[5].numpy())
    title = f"Test image 5, a true {int(TEST.labels[5])}: read as"
    if section == "network":  # the browser answers there
        head, _ = sent(app)
        assert head["label"] == title
        assert base64.b64decode(head["opened"]) == TEST.images[5].numpy().tobytes()
        return
    assert app.metric[0].value == str(answer.digit)
    assert app.metric[0].label == title


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("network", model.NETWORKS)
def test_each_section_shows_each_network_of_the_registry(inside, of_network, store, section, network):
    run = of_network(network)
    shutil.copytree(run.path, store.folder / run.id)
    app = inside(section=section, model=run.id, image=3)
    assert not app.exception
    assert not app.error
    assert app.metric or section == "network"


@pytest.mark.parametrize("section", SECTIONS[1:])
def test_every_picture_has_a_text_alternative(inside, section):
    app = inside(section=section, model="mlp", image=3)
    wait_for_work(app)
    assert pictures(app)
    assert all(pictures(app))


def test_a_new_drawing_is_looked_into(inside, app):
    app.session_state["canvas-0"] = drawn(SEVEN)
    inside()
    assert sent(app)[0]["label"] == "Your drawing: read as"
    app.session_state["inside-section"] = "ink"
    app.run()
    assert app.metric[0].label == "Your drawing: read as"
    assert app.metric[0].value == "7"
    assert app.query_params["image"] == "drawing"


def test_without_a_drawing_there_is_a_test_image_and_a_way_to_draw(inside):
    app = inside()
    assert app.query_params["image"] == "0"
    app.session_state["inside-from"] = "my drawing"
    app.run()
    assert app.info[-1].value == "Nothing is drawn: draw a digit, or choose a test image."
    assert not app.metric


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ({"section": "garden"}, "There is no section 'garden'"),
        ({"model": "no-such"}, "There is no model 'no-such'"),
        ({"image": "-3"}, "An image is a test image's number, or drawing, not '-3'"),
        ({"image": "٣"}, "An image is a test image's number, or drawing, not '٣'"),
        pytest.param({"image": "9" * 5_000}, "An image is a test image's number, or drawing, not '9999", id="huge"),
    ],
)
def test_what_a_link_cannot_mean_is_said_and_the_page_stays(inside, link, fault):
    app = inside(**link)
    assert not app.exception
    assert fault in app.warning[0].value
    assert len(app.warning[0].value) < 500
    assert dict(app.query_params) == {"section": "network", "model": "cnn", "image": "0"}
    assert not app.run().warning


def test_a_number_beyond_the_images_is_the_last_one(inside):
    app = inside(image=10**9)
    assert app.query_params["image"] == str(len(TEST) - 1)


def test_another_image_of_a_digit(inside):
    app = inside(section="why")
    app.selectbox(key="inside-digit").select("4").run()
    app.button(key="inside-another").click().run()
    assert "a true 4" in app.metric[0].label
    assert int(TEST.labels[int(app.query_params["image"])]) == 4


def test_damaged_weights_are_said(inside, tmp_path, small):
    broken = RunStore(tmp_path / "runs").create(small)
    broken.weights.write_bytes(b"nonsense")
    app = inside(model=broken.id)
    assert not app.exception
    assert "are damaged or belong to another network" in app.error[0].value
    app.selectbox(key="inside-model").select("mlp").run()
    assert not app.error
    assert sent(app)


def test_steps_are_left_out_and_the_answer_follows(inside, app):
    small_one = [(20 + x // 4, 20 + y // 4) for x, y in SEVEN]
    app.session_state["canvas-0"] = drawn(small_one)
    inside(section="ink", model="mlp")
    assert app.metric[1].label == "With all steps: read as"
    assert app.metric[1].value == "7"
    app.toggle(key="ink-centre").set_value(False).run()
    app.toggle(key="ink-size").set_value(False).run()
    assert app.metric[1].label == "Without size, centre: read as"
    ink = app.session_state["canvas"].ink
    prepared = drawing.follow(ink, []).image
    assert app.metric[1].value == str(predictor.load("mlp").predict_one(prepared).digit)


def test_the_photo_that_ink_is_from_is_shown(inside, app):
    app.session_state["canvas-0"] = drawn(SEVEN)
    inside(section="ink", model="mlp")
    from pages.shared.canvas import Opened  # imports only where an app has run

    laid_over = "The photo, its ink in orange and what was dropped in blue"
    assert laid_over not in pictures(app)
    ink = app.session_state["canvas"].ink
    photo = Image.new("RGB", (600, 600), "white")
    app.session_state["canvas"].opened = Opened(drawing.to_mnist(ink), "Your photo", ink, photo)
    app.run()
    assert not app.exception
    assert app.metric[1].value == "7"
    assert laid_over in pictures(app)


def test_what_the_steps_are_worth_is_measured(inside):
    app = inside(section="ink", model="mlp")
    wait_for_work(app)
    worth = pictures(app)[-1]
    assert "with and without each step" in worth
    shares = [float(share) for share in re.findall(r"([\d.]+)% \(", worth)]
    assert len(shares) == 4
    assert shares[0] > shares[-1]
    assert f"Of 100 images, **{shares[0]:.1f}%** are read right. Without size: " in text(app)
    assert f"No step: {shares[0] - shares[-1]:.1f} points less." in text(app)


def test_layers_have_their_shapes_and_parameters(inside):
    app = inside(section="layers", model="mlp")
    assert "784 values → **64 values** :gray[Linear → ReLU, 50,240 parameters]" in text(app)
    assert "64 values → **10 values** :gray[Linear, 650 parameters]" in text(app)
    assert [header.value for header in app.subheader] == ["Pixels", "Shapes", "Digits"]
    app.selectbox(key="inside-model").select("cnn").run()
    assert "Conv2d → BatchNorm2d → ReLU" in text(app)
    assert [header.value for header in app.subheader] == ["Edges", "Strokes", "Shapes", "Digits"]
    app.toggle(key="layers-apart").set_value(True).run()
    assert "Conv2d → BatchNorm2d" not in text(app)
    assert "BatchNorm2d shifts and scales each map" in text(app)


def test_a_layer_with_a_strange_name_is_explained_where_it_stands(inside):
    app = inside(section="layers", model="tiny")
    assert "1 map of 28 x 28 → **4 maps of 14 x 14** :gray[PixelUnshuffle]" in text(app)
    assert "PixelUnshuffle makes 4 small images of one" in text(app)


def test_a_units_numbers_add_up_to_what_the_layer_gives(inside):
    app = inside(section="unit", model="cnn", image=4)
    traced = trace(predictor.load("cnn").network, TEST.images[4].numpy())
    app.selectbox(key="unit-layer-cnn").select(3).run()
    for name, value in {"Map": 9, "Row": 0, "Column": 11}.items():
        app.number_input(key=f"unit-cnn-3-{name}").set_value(value).run()
    worked_out = weighted_sum(traced, traced.layers[3], (9, 0, 11))
    assert f"add up to **{worked_out.total:.4f}**" in text(app)
    assert f"max(0, {float(traced.layers[5].taken[9, 0, 11]):.4g})" in text(app)
    app.button(key="unit-most").click().run()
    worth = traced.layers[3].worth.abs()
    most = np.unravel_index(int(worth.argmax()), worth.shape)
    assert [app.number_input(key=f"unit-cnn-3-{name}").value for name in ("Map", "Row", "Column")] == list(most)


def test_every_layer_is_explained(inside):
    app = inside(section="unit", model="cnn")
    for number in range(len(trace(predictor.load("cnn").network, TEST.images[0].numpy()).layers)):
        app.selectbox(key="unit-layer-cnn").select(number).run()
        assert not app.exception


def test_the_first_layer_of_a_run_has_its_epochs(inside, finished):
    app = inside(section="weights", model=finished.id)
    slider = app.select_slider(key=f"weights-epoch-{finished.id}")
    assert slider.options == ["0", "1", "2"]
    slider.set_value(0).run()
    assert not app.exception
    app.toggle(key="weights-since").set_value(True).run()
    assert not app.exception
    app.selectbox(key="inside-model").select("mlp").run()
    assert "train a network on the Train page" in text(app)


def test_why_and_why_not(inside):
    app = inside(section="why", model="mlp", image=5)
    answer = predictor.load("mlp").predict_one(TEST.images[5].numpy())
    assert [header.value for header in app.subheader] == [
        f"Why a {answer.digit}",
        f"Why a {answer.digit} and no {answer.second}",
    ]
    other = next(digit for digit in range(10) if digit not in (answer.digit, answer.second))
    app.selectbox(key=f"why-against-{answer.digit}").select(other).run()
    assert app.subheader[1].value == f"Why a {answer.digit} and no {other}"
    app.session_state["why-baseline"] = "a blank image"
    app.run()
    assert "of a blank image" in text(app)
    assert not app.exception


def test_the_space_shows_the_nearest_and_both_maps(inside):
    app = inside(section="space", model="mlp", image=5)
    wait_for_work(app)
    assert f"The nearest to this image among the {len(TEST)} of the map" in text(app)
    assert f"{int(TEST.labels[5])} at 0.0" in text(app)
    assert "directions hold" in text(app)
    app.session_state["space-method"] = "t-SNE"
    app.run()
    wait_for_work(app)
    assert "directions hold" not in text(app)
    assert any("test images as points" in words for words in pictures(app))


@pytest.mark.parametrize("name", IMAGE_DAMAGES)
def test_the_image_is_broken_and_the_answer_follows(inside, name):
    app = inside(section="damage", model="mlp", image=5)
    app.session_state["damage-image"] = name
    app.run()
    app.slider(key=f"damage-strength-{name}").set_value(float(IMAGE_DAMAGES[name].most)).run()
    changed = IMAGE_DAMAGES[name].apply_to_one(TEST.images[5].numpy(), IMAGE_DAMAGES[name].most)
    assert app.metric[1].value == str(predictor.load("mlp").predict_one(changed).digit)
    wait_for_work(app)
    assert any(words.startswith("Accuracy on the test images by strength") for words in pictures(app))


@pytest.mark.parametrize("name", WEIGHT_DAMAGES)
def test_the_weights_are_broken_in_all_layers_or_one(inside, name):
    app = inside(section="damage", model="mlp", image=5)
    app.session_state["damage-what"], app.session_state["damage-weights"] = "the weights", name
    app.run()
    app.slider(key=f"damage-strength-{name}").set_value(1.0).run()
    for layer in ("all layers", "layers.1", "layers.3"):
        app.selectbox(key="damage-layer-mlp").select(layer).run()
        assert not app.exception
        assert not app.error
    assert app.metric[0].value == str(predictor.load("mlp").predict_one(TEST.images[5].numpy()).digit)  # it is whole


def test_the_smallest_step_flips_the_answer(inside):
    app = inside(section="damage", model="mlp", image=5)
    app.session_state["damage-what"] = "by the smallest step"
    app.run()
    answer = predictor.load("mlp").predict_one(TEST.images[5].numpy())
    to = app.selectbox(key=f"damage-to-{answer.digit}")
    assert to.value == answer.second
    assert any("The step of" in words for words in pictures(app))
    to.select("any digit").run()
    assert not app.exception


def test_a_model_that_trains_is_worked_out_when_asked(inside, tmp_path, small):
    run = RunStore(tmp_path / "runs").create(small)
    steps = train_run(run)
    while next(steps)["event"] != "epoch":
        pass
    app = inside(section="space", model=run.id)
    wait_for_work(app)
    first = [key for key in get_jobs()._jobs if key[1] == run.id]
    while next(steps)["event"] != "epoch":
        pass
    app.run()
    assert [key for key in get_jobs()._jobs if key[1] == run.id] == first
    app.button(key="again-space").click().run()
    assert len([key for key in get_jobs()._jobs if key[1] == run.id]) == 2
    wait_for_work(app)
    steps.close()


@needs_mnist
def test_mnist_has_its_own_figures(app, inside, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", MNIST_ROOT)
    inside(section="space", model="mlp", image=9_999)
    wait_for_work(app)
    assert app.query_params["image"] == "9999"
    assert "among the 2,000 of the map" in text(app)


def test_work_that_fails_says_why_and_can_be_tried_again(inside, monkeypatch):
    def failing(model, test):
        raise DrawingError("The test images cannot be drawn.")

    get_jobs.cache_clear()
    with monkeypatch.context() as broken:
        broken.setattr(preprocessing_ablation, "measure", failing)
        app = inside(section="ink", model="mlp", image=5)
        wait_for_work(app)
        assert [error.value for error in app.error] == ["The test images cannot be drawn."]
        assert not app.run().exception
    app.button(key="retry-steps").click().run()
    wait_for_work(app)
    assert not app.error
    assert "with and without each step" in pictures(app)[-1]
