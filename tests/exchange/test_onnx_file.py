import dataclasses
import re
import shutil
import subprocess
import sys
import types

import filelock
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image, ImageDraw

from mnist_core import drawing, model, weights
from mnist_core.__main__ import main
from mnist_core.calibration import Calibration
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError, RunError
from mnist_core.exchange import onnx_file, snippets
from mnist_core.files import APP_FOLDER
from mnist_core.reading import catalog, predictor
from mnist_core.reading.predictor import Predictor
from mnist_core.runs.run_store import RunStore


@pytest.fixture(scope="module")
def exported(tmp_path_factory, worker_id):
    """The shipped tiny model as a file, checked on all images; made once for all of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "onnx"
    with filelock.FileLock(f"{folder}.lock"):
        path = folder / "tiny.onnx"
        if not path.exists():
            folder.mkdir()
            assert onnx_file.export("tiny", path) <= onnx_file.ROUNDED_TOLERANCE
    return path


@pytest.fixture
def few(monkeypatch):
    """Fewer images to check a file on, for tests that make several."""
    monkeypatch.setattr(onnx_file, "CHECKED", 60)


def seven(size=280):
    image = Image.new("L", (size, size))
    points = [(size * x, size * y) for x, y in [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]]
    ImageDraw.Draw(image).line(points, fill=255, width=size // 14, joint="curve")
    return image


def answers(path, image):
    probabilities, is_digit = onnxruntime.InferenceSession(path).run(None, {"image": np.asarray(image)})
    return probabilities, bool(is_digit)


@pytest.mark.parametrize("size", [28, 97, 280, 700])
def test_the_file_answers_a_drawing_of_any_size_as_the_model_does(exported, size):
    probabilities, is_digit = answers(exported, seven(size))
    assert (probabilities.shape, probabilities.dtype) == ((10,), np.float32)
    answer = predictor.load("tiny").predict_one(drawing.to_mnist(seven(size)))
    assert probabilities == pytest.approx(np.array(answer.probabilities), abs=1e-5)
    assert probabilities.argmax() == answer.digit == 7
    assert is_digit is answer.is_digit is True


def test_what_is_no_digit_and_what_is_empty_is_said(exported):
    letter = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(letter)
    for line in ([60, 40, 60, 240], [200, 40, 60, 140], [60, 140, 200, 240], [20, 20, 260, 20]):
        pen.line(line, fill=255, width=18)
    assert predictor.load("tiny").predict_one(drawing.to_mnist(letter)).is_digit is False
    assert answers(exported, letter)[1] is False
    for size in (28, 280):
        probabilities, is_digit = answers(exported, np.zeros((size, size), np.uint8))
        assert probabilities == pytest.approx(np.full(10, 0.1))
        assert is_digit is False


def test_one_file_holds_all_and_says_what_it_takes(exported):
    assert [path.name for path in exported.parent.iterdir()] == ["tiny.onnx"]
    content = onnx.load(exported, load_external_data=False)
    onnx.checker.check_model(content, full_check=True)
    said = {entry.key: entry.value for entry in content.metadata_props}
    card = catalog.card("tiny")
    assert said["name"] == "tiny"
    assert said["command"] == card["command"]
    assert TrainConfig.from_json(said["config"]) == TrainConfig.from_dict(card["config"])
    assert (float(said["temperature"]), float(said["threshold"])) == (card["temperature"], card["threshold"])
    assert "280 x 280" in said["takes"] == content.doc_string
    (image,) = content.graph.input
    assert [dim.dim_param for dim in image.type.tensor_type.shape.dim] == ["height", "width"]
    # nothing of the machine it was made on
    assert str(APP_FOLDER).encode() not in exported.read_bytes()


def test_the_snippet_reads_a_drawing_without_this_project(exported, tmp_path):
    seven().save(tmp_path / "seven.png")
    shutil.copy(snippets.READ_WITH_ONNX, tmp_path)
    command = [sys.executable, "-I", snippets.READ_WITH_ONNX.name, exported, "seven.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    confidence = predictor.load("tiny").predict_one(drawing.to_mnist(seven())).confidence
    assert done.stdout == f"7 ({confidence:.1%})\n"
    assert "mnist_core" not in snippets.READ_WITH_ONNX.read_text()


@pytest.mark.slow
def test_a_network_can_be_exported_also_without_calibration(few):
    config = TrainConfig(model="cnn", width=8, precision="bfloat16")
    torch.manual_seed(0)
    network = model.build(config.model, **config.hyperparameters).eval()
    content, difference = onnx_file.convert(Predictor("own", network, config, Calibration()))
    assert difference < 1e-5
    assert answers(content, seven())[1] is True


def test_a_run_is_exported_in_a_shell(store, tmp_path, few, capfd):
    config = TrainConfig(data="sample", hidden=(16, 8), activation="gelu", dropout=0.5)
    run = store.create(config)
    torch.manual_seed(0)
    weights.save(run.weights, model.build(config.model, **config.hyperparameters).state_dict())
    path = tmp_path / "own.onnx"
    assert main(["export", run.id, "--format", "onnx", "--out", str(path), "--runs-dir", str(store.folder)]) == 0
    printed = capfd.readouterr()
    assert printed.out.startswith(f"{path} answers 60 images as {run.id} does")
    assert printed.out.count("\n") == 1
    assert printed.err == ""
    said = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert said["command"].startswith("python -m mnist_core train --data sample --hidden 16")
    assert answers(path, seven())[1] is True
    assert float(re.search(r"probability is (\S+)\.$", printed.out)[1]) < 1e-5


@pytest.fixture
def once(exported, monkeypatch):
    """Has torch's exporter, which takes ten seconds, give the program of the tiny model that it has given before."""
    program = types.SimpleNamespace(model_proto=onnx.load(exported))
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: program)


def test_a_file_that_answers_otherwise_is_not_left(few, once, monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_file, "TOLERANCE", 0.0)
    with pytest.raises(ModelError, match=r"answers \d+ of 60 images otherwise than the model, by up to .*not written"):
        onnx_file.export("tiny", tmp_path / "tiny.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_has_no_numbers_to_answer_with_is_refused(few, once):
    loaded = predictor.load("tiny")
    with torch.no_grad():
        next(loaded.network.parameters()).fill_(torch.nan)
    with pytest.raises(ModelError, match="answers of tiny are no finite numbers"):
        onnx_file.convert(loaded)


def test_a_file_that_sees_other_digits_is_refused(few, exported):
    loaded = predictor.load("tiny")
    strict = dataclasses.replace(loaded, calibration=dataclasses.replace(loaded.calibration, threshold=1e9))
    with pytest.raises(ModelError, match="takes other images for digits"):
        onnx_file.largest_difference(strict, exported.read_bytes())


def test_the_check_is_on_500_small_images_and_500_drawings_always_the_same():
    images, again = list(onnx_file.check_images()), list(onnx_file.check_images())
    assert [image.shape for image in images] == [(28, 28)] * 500 + [(280, 280)] * 500
    assert all(image.dtype == np.uint8 and image.any() for image in images)
    assert all(np.array_equal(one, other) for one, other in zip(images, again, strict=True))
    inked = [(drawing.to_mnist(image) > 127).mean() for image in images[500:600]]
    assert max(inked) > 4 * min(inked)  # with thin and thick pens


def test_without_mnist_the_check_is_on_the_sample(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    assert len(list(onnx_file.check_images())) == 1_000


@pytest.mark.parametrize(
    ("name", "path", "error", "part"),
    [
        ("tiny", "tiny.pt", ModelError, "must end in .onnx"),
        ("tiny", "none/tiny.onnx", ModelError, "cannot be written: there is no folder"),
        ("nope", "nope.onnx", RunError, "There is no run nope"),
        ("../tiny", "tiny.onnx", RunError, "is not a run's id"),
    ],
)
def test_what_cannot_be_exported_is_said(name, path, error, part, tmp_path):
    with pytest.raises(error, match=part):
        onnx_file.export(name, tmp_path / path, RunStore(tmp_path))
    assert list(tmp_path.iterdir()) == []
