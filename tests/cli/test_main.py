import csv
import dataclasses
import functools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_core import config, dataset, weights
from mnist_core.__main__ import main
from mnist_core.config import TrainConfig
from mnist_core.files import APP_FOLDER
from mnist_core.presets import RECIPES
from mnist_core.reading import catalog
from tests.conftest import needs_mnist

SMALL_FLAGS = ["--data", "sample", "--hidden", "16", "--epochs", "2", "--device", "cpu"]


@pytest.fixture
def lines(capsys):
    def call(*arguments: object) -> list[dict]:
        """The JSON lines that the command prints."""
        assert main([*map(str, arguments), "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def finished(lines, store) -> str:
    return lines("train", *SMALL_FLAGS, "--runs-dir", store.folder)[-1]["run"]


def test_train_prints_every_record_and_ends_with_the_figures(lines, store):
    records = lines("train", *SMALL_FLAGS, "--runs-dir", store.folder)
    assert [record["event"] for record in records if record["event"] != "step"] == ["start", "epoch", "epoch", "end"]
    end = records[-1]
    assert {"event", "run", "val_accuracy", "test_accuracy"} <= end.keys()
    assert end["data"] == "sample"
    (listed,) = lines("runs", "--runs-dir", store.folder)
    assert listed["run"] == end["run"]
    assert listed["test_accuracy"] == end["test_accuracy"]


def test_the_same_command_gives_the_same_figures(lines, store):
    ends = [lines("train", *SMALL_FLAGS, "--seed", seed, "--runs-dir", store.folder)[-1] for seed in (5, 5, 6)]
    losses = [end["test_loss"] for end in ends]
    assert losses[0] == losses[1] != losses[2]


def test_evaluate_gives_what_train_said(lines, finished, store):
    (figures,) = lines("evaluate", finished, "--split", "test", "--runs-dir", store.folder)
    (listed,) = lines("runs", "--runs-dir", store.folder)
    assert figures["accuracy"] == pytest.approx(listed["test_accuracy"])
    confusion = np.array(figures["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == figures["images"] == 297
    assert confusion.trace() / 297 == pytest.approx(figures["accuracy"])
    truth = dataset.load(TrainConfig(data="sample")).test.labels.bincount().tolist()
    assert confusion.sum(1).tolist() == truth == [row["images"] for row in figures["per_class"]]
    (validation,) = lines("evaluate", finished, "--split", "validation", "--runs-dir", store.folder)
    assert validation["images"] == 250
    assert validation["accuracy"] == pytest.approx(listed["val_accuracy"])


def test_what_is_read_in_each_image_goes_to_a_file(lines, finished, store, tmp_path):
    arguments = ["evaluate", finished, "--split", "validation", "--runs-dir", store.folder]
    (figures,) = lines(*arguments, "--csv", tmp_path / "read.csv")
    assert [figures] == lines(*arguments)
    with open(tmp_path / "read.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == figures["images"] == 250
    assert np.mean([row["true"] == row["read"] for row in rows]) == pytest.approx(figures["accuracy"])
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, ([int(row["true"]) for row in rows], [int(row["read"]) for row in rows]), 1)
    assert confusion.tolist() == figures["confusion"]


def test_the_loss_is_that_of_the_calibrated_probabilities_in_the_table_and_in_json(lines, finished, store, tmp_path):
    end = store.open(finished).end()
    assert abs(end["temperature"] - 1) > 0.05
    (figures,) = lines("evaluate", finished, "--csv", tmp_path / "read.csv", "--runs-dir", store.folder)
    with open(tmp_path / "read.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [float(row[f"p{row['true']}"]) for row in rows]
    assert figures["loss"] == pytest.approx(-np.log(truth).mean(), rel=1e-5)
    assert figures["loss"] == pytest.approx(np.mean([float(row["loss"]) for row in rows]), rel=1e-5)
    assert figures["loss"] != pytest.approx(end["test_loss"], rel=1e-3)  # which is not calibrated


def test_a_network_whose_answers_are_not_finite_is_said(finished, store, tmp_path, capsys):
    run = store.open(finished)
    tensors = weights.load(run.weights)
    tensors["layers.1.bias"] = tensors["layers.1.bias"] + math.inf
    weights.save(run.weights, tensors, run.fingerprint())
    image = str(tmp_path / "4.png")
    Image.fromarray(dataset.load(TrainConfig(data="sample")).test.images[4].numpy()).save(image)
    for command in (["evaluate", finished], ["predict", "--model", finished, image]):
        assert main([*command, "--json", "--runs-dir", str(store.folder)]) == 2
        printed = capsys.readouterr()
        assert f"The answers of {finished} are no finite numbers" in printed.err
        assert printed.out == ""


def test_a_table_that_cannot_be_written_is_said(finished, store, tmp_path, capsys):
    path = tmp_path / "none" / "read.csv"
    assert main(["evaluate", finished, "--csv", str(path), "--runs-dir", str(store.folder)]) == 2
    assert f"cannot be written to {path}: No such file" in capsys.readouterr().err


def test_predict_answers_each_image_in_order(lines, tmp_path):
    test = dataset.load(TrainConfig(data="sample")).test
    paths = []
    for i in (5, 3, 8):
        paths.append(str(tmp_path / f"{i}.png"))
        Image.fromarray(test.images[i].numpy()).resize((140, 140)).save(paths[-1])
    answers = lines("predict", *paths, paths[0])
    assert [answer["path"] for answer in answers] == [*paths, paths[0]]
    assert [answer["digit"] for answer in answers[:3]] == test.labels[[5, 3, 8]].tolist()
    for answer in answers:
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert answer["confidence"] == answer["probabilities"][answer["digit"]]
        assert answer["second"] == np.argsort(answer["probabilities"])[-2]
        assert answer["is_digit"] is True
    assert len(lines("predict", "--model", "mlp", paths[0])) == 1


def test_a_number_is_read_with_a_box_for_each_digit(lines, tmp_path):
    image = Image.new("L", (500, 280), 235)
    pen = ImageDraw.Draw(image)
    pen.line([(60, 80), (140, 80), (90, 220)], fill=40, width=16, joint="curve")
    pen.line([(300, 80), (300, 220)], fill=40, width=16)
    image.save(tmp_path / "71.png")
    (read,) = lines("predict", "--number", str(tmp_path / "71.png"))
    assert read["number"] == "71"
    assert [digit["digit"] for digit in read["digits"]] == [7, 1]
    assert read["digits"][0]["box"] == pytest.approx([52, 72, 148, 226], abs=8)
    assert main(["predict", "--number", str(tmp_path / "71.png")]) == 0


def test_predict_answers_all_that_can_be_read(capsys, tmp_path):
    seven = Image.new("L", (280, 280))
    ImageDraw.Draw(seven).line([(80, 60), (190, 60), (120, 220)], fill=255, width=20)
    seven.save(tmp_path / "seven.png")
    (tmp_path / "text.png").write_text("no image")
    Image.new("L", (50, 50)).save(tmp_path / "blank.png")
    Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(tmp_path / "nan.tif")
    paths = [
        str(tmp_path / name) for name in ("none.png", "seven.png", "text.png", "blank.png", "nan.tif", "seven.png")
    ]
    assert main(["predict", "--json", *paths]) == 2
    printed = capsys.readouterr()
    answers = [json.loads(line) for line in printed.out.splitlines()]
    assert printed.err == ""
    assert [answer["path"] for answer in answers] == paths
    assert [answer.get("digit") for answer in answers] == [None, 7, None, None, None, 7]
    refused = [answer for answer in answers if "error" in answer]
    assert [set(answer) for answer in refused] == [{"path", "error"}] * 4
    assert main(["predict", *paths]) == 2
    printed = capsys.readouterr()
    assert printed.out.count(f"{tmp_path / 'seven.png'}: 7 (") == printed.out.count("\n") == 2
    assert printed.err.splitlines() == [f"mnist_core: {answer['error']}" for answer in refused]
    for answer, part in zip(
        refused, ("No such file", "not an image", "There is no ink", "finite numbers"), strict=True
    ):
        assert answer["path"] in answer["error"]
        assert part in answer["error"]


def test_a_letter_is_doubted(capsys, lines, tmp_path):
    letter = Image.new("L", (280, 280))
    ImageDraw.Draw(letter).text((140, 140), "K", fill=255, anchor="mm", font=ImageFont.load_default(200))
    letter.save(tmp_path / "k.png")
    (answer,) = lines("predict", tmp_path / "k.png")
    assert answer["is_digit"] is False
    assert main(["predict", str(tmp_path / "k.png")]) == 0
    assert "it may be no digit" in capsys.readouterr().out


def test_a_recipe_trains_with_what_is_changed(lines, store):
    flags = ["--data", "sample", "--epochs", "1", "--width", "4", "--seed", "7"]
    start, *_ = lines("train", "--recipe", "tiny", *flags, "--runs-dir", store.folder)
    trained = store.open(start["run"]).config()
    changed = {"data": "sample", "epochs": 1, "width": 4, "seed": 7}
    assert trained == dataclasses.replace(RECIPES["tiny"].config, **changed)


def test_a_sheet_of_what_augmentation_makes_is_drawn(tmp_path):
    assert main(["augment", "--data", "sample", "--out", str(tmp_path / "sheet.png")]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1_000


def test_the_sample_is_never_taken_for_mnist(capsys, finished, store):
    assert main(["train", *SMALL_FLAGS, "--runs-dir", str(store.folder)]) == 0
    assert capsys.readouterr().out.count(config.SAMPLE_IN_WORDS) == 2
    assert main(["evaluate", finished, "--runs-dir", str(store.folder)]) == 0
    assert config.SAMPLE_IN_WORDS in capsys.readouterr().out
    assert main(["runs", "--runs-dir", str(store.folder)]) == 0
    assert "sample" in capsys.readouterr().out


def test_summary_adds_up(capsys, lines):
    *rows, needed = lines("summary", "--hidden", "32", "16", "--optimizer", "sgd")
    counts = [row["parameters"] for row in rows if row["parameters"]]
    assert counts == [784 * 32 + 32, 32 * 16 + 16, 16 * 10 + 10]
    # with the first layer's history, and the network at the start and seven steps on the way
    assert needed["disk"] == 4 * 5 * sum(counts) + 2 * 6 * 32 * 784 + 2 * 8 * sum(counts)
    assert main(["summary", "--model", "resnet", "--width", "32"]) == 0
    *_, total, _, needed = capsys.readouterr().out.splitlines()
    assert f"{catalog.card('cnn')['parameters']:,}" in total
    assert re.fullmatch(r"Its training takes about [0-9]{3} MB of memory and [0-9] MB of disk\.", needed)


def test_a_damaged_run_hides_no_other(finished, store, capsys):
    broken = store.create(TrainConfig())
    (broken.path / "status.json").write_text("{")
    assert main(["runs", "--runs-dir", str(store.folder)]) == 0
    printed = capsys.readouterr()
    assert finished in printed.out
    assert f"The status of run {broken.id} is damaged" in printed.err


@pytest.mark.parametrize("command", ["data", "train", "evaluate", "predict", "summary", "augment", "runs", "export"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "arguments are required: COMMAND"),
        (["learn"], "invalid choice"),
        (["train", "--lr", "fast"], "invalid float value: 'fast'"),
        (["train", "--lr", "-1"], "lr must be between 1e-06 and 100.0, got -1.0"),
        (["train", "--lr", "nan"], "lr must be a finite number"),
        (["train", "--model", "rnn"], "invalid choice: 'rnn'"),
        (["train", "--model", "cnn", "--hidden", "3"], "hidden cannot be set for cnn"),
        (["train", "--device", "tpu"], "invalid choice"),
        (["train", "--resume", "../x"], "is not a run's id"),
        (["train", "--resume", "nope"], "There is no run nope"),
        (["train", "--resume", "nope", "--lr", "1"], "give no others"),
        (["train", "--data", "sample", "--validation-size", "1500"], "must leave images to train on"),
        (["evaluate", "nope"], "There is no run nope"),
        (["evaluate"], "Name one model to evaluate, or --all"),
        (["evaluate", "cnn", "--all"], "Name one model to evaluate, or --all"),
        (["evaluate", "--all", "--csv", "x.csv"], "--csv is for one model"),
        (["evaluate", "--all", "--strokes", "none.npz"], "none.npz holds no pen strokes"),
        (["train", "--recipe", "rnn"], "invalid choice: 'rnn'"),
        (["train", "--recipe", "cnn", "--hidden", "3"], "hidden cannot be set for resnet"),
        (["train", "--recipe", "cnn", "--resume", "nope"], "give no others"),
        (["augment", "--data", "sample", "--out", "none/x.png"], "cannot be written to none/x.png"),
        (["evaluate", "cnn", "--images", "nowhere"], "nowhere holds no images in folders 0 to 9"),
        (["evaluate", "cnn", "--images", "nowhere", "--csv", "x.csv"], "--csv is for a split"),
        (["evaluate", "cnn", "--split", "all"], "invalid choice"),
        (["predict", "none.png"], "none.png cannot be read: No such file"),
        (["predict", "--model", "nope", "none.png"], "There is no run nope"),
        (["predict"], "arguments are required: IMAGE"),
        (["runs", "delete", ".."], "is not a run's id"),
        (["export", "nope", "--out", "x.safetensors"], "There is no run nope"),
        pytest.param(["train", "--epochs", "9" * 5_000], "invalid int value: '999", id="huge number"),
        pytest.param(["train", "--model", "x" * 88_760], "invalid choice: 'xxx", id="long choice"),
        pytest.param(["train", "--resume", "x" * 88_760], "is not a run's id", id="long id"),
        pytest.param(["predict", "x" * 88_760], "cannot be read: File name too long", id="long path"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(arguments, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(arguments)
    except SystemExit as caught:
        status = caught.code
    printed = capsys.readouterr()
    assert status == 2
    assert part in printed.err
    assert printed.err.count("\n") == 1
    assert len(printed.err) < 1_500
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_empty_image_is_named(capsys, tmp_path):
    path = tmp_path / "blank.png"
    Image.new("L", (50, 50)).save(path)
    assert main(["predict", str(path)]) == 2
    assert f"{path}: There is no ink" in capsys.readouterr().err


def test_ctrl_c_stops_the_run_and_says_how_to_go_on(store):
    command = [
        sys.executable,
        "-m",
        "mnist_core",
        "train",
        *SMALL_FLAGS,
        "--epochs",
        "1000",
        "--runs-dir",
        store.folder,
    ]
    # a shell has what it starts in the background ignore Ctrl+C, which would be passed on
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as child:
        end = time.monotonic() + 60
        while not any("epoch" in path.read_text() for path in store.folder.glob("*/metrics.jsonl")):
            assert time.monotonic() < end
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    (folder,) = store.folder.iterdir()
    assert f"train --resume {folder.name}" in errors
    assert "Traceback" not in errors
    assert json.loads((folder / "status.json").read_text())["state"] == "stopped"


def test_a_reader_that_has_seen_enough_is_no_error():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "mnist_core", "summary"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_does_not_wait_for_torch():
    modules = "mnist_core.__main__, mnist_core.reading.catalog, mnist_core.exchange.run_archive"
    script = f"import sys, {modules}; raise SystemExit('torch' in sys.modules)"  # exits with 0
    assert subprocess.run([sys.executable, "-c", script], cwd=APP_FOLDER).returncode == 0


@needs_mnist
def test_data_says_that_mnist_is_whole(lines):
    (report,) = lines("data")
    assert report["files"]["train-images-idx3-ubyte"] == [60_000, 28, 28]


@needs_mnist
def test_the_classic_learns_mnist(lines, store):
    flags = "--model mlp --hidden 64 --optimizer sgd --lr 0.5 --batch-size 128 --epochs 5 --seed 0"
    end = lines("train", *flags.split(), "--runs-dir", store.folder)[-1]
    assert end["test_accuracy"] >= 0.965
