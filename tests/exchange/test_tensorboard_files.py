import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from mnist_core.__main__ import main
from mnist_core.errors import RunError
from mnist_core.exchange import tensorboard_files
from mnist_core.exchange.tensorboard_files import write_events
from mnist_core.runs.training import train_run

FLAGS = ["--data", "sample", "--hidden", "16", "--epochs", "2", "--device", "cpu"]


def read(folder):
    """The curves in an event folder, by name, each its points (step, value), and the text of the hyperparameters."""
    events = EventAccumulator(str(folder))
    events.Reload()
    curves = {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}
    (text,) = events.Tensors("hyperparameters/text_summary")
    return curves, text.tensor_proto.string_val[0].decode()


def expected(run):
    records = run.records()

    def points(event, field):
        return [(r["step"], pytest.approx(r[field])) for r in records if r["event"] == event]

    start = [(0, pytest.approx(r["first_loss"])) for r in records if "first_loss" in r]
    return {
        "loss/train": start + points("step", "loss"),
        "accuracy/train": points("step", "accuracy"),
        "lr": points("step", "lr"),
        "loss/validation": points("epoch", "val_loss"),
        "accuracy/validation": points("epoch", "val_accuracy"),
    }


def test_every_point_of_a_run_is_in_its_events(finished, tmp_path):
    for _ in range(2):  # again in place of the first
        write_events(finished, tmp_path / "events")
        curves, text = read(tmp_path / "events")
        assert curves == expected(finished)
        assert len(curves["accuracy/validation"]) == 2
    assert "| hidden | [16] |" in text
    assert "width" not in text  # which an mlp has not
    assert len(list((tmp_path / "events").iterdir())) == 1


def test_a_run_is_exported_in_a_shell(finished, store, tmp_path, capsys):
    arguments = ["--format", "tensorboard", "--out", str(tmp_path / "events"), "--runs-dir", str(store.folder)]
    assert main(["export", finished.id, *arguments]) == 0
    assert read(tmp_path / "events")[0] == expected(finished)
    assert main(["export", finished.id, finished.id, *arguments]) == 2
    assert "one run is exported at a time" in capsys.readouterr().err


def test_other_files_in_the_folder_stay_also_events_of_others_and_of_other_runs(trained, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with SummaryWriter(str(tmp_path)) as writer:  # as any other program writes them
        writer.add_scalar("loss", 1.0, 1)
    one, other = trained(), trained(epochs=1)
    write_events(other, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert len(before) == 3
    for _ in range(2):
        write_events(one, tmp_path)
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        assert len(files) == 4
        assert files.items() >= before.items()


def test_events_of_an_earlier_version_in_the_runs_own_folder_are_replaced(small, store):
    run = store.create(small)
    with SummaryWriter(str(tensorboard_files.folder(run))) as writer:
        writer.add_scalar("loss/train", 1.0, 1)
    list(tensorboard_files.beside(run, train_run(run)))
    assert read(tensorboard_files.folder(run))[0] == expected(run)


def test_a_training_writes_its_events_as_it_goes(store):
    assert main(["train", *FLAGS, "--tensorboard", "--runs-dir", str(store.folder)]) == 0
    (run,) = store.runs()
    assert read(tensorboard_files.folder(run))[0] == expected(run)


def test_events_of_a_resumed_training_have_no_gap_and_no_double_point(small, store):
    run = store.create(small)
    for record in tensorboard_files.beside(run, train_run(run, report_every=3)):
        if record["event"] == "step" and record["epoch"] == 2:
            run.request_stop()
    assert run.status().state == "stopped"
    assert main(["train", "--resume", run.id, "--tensorboard", "--runs-dir", str(store.folder)]) == 0
    curves, _ = read(tensorboard_files.folder(run))
    assert curves == expected(run)
    steps = [step for step, _ in curves["accuracy/train"]]
    assert steps == sorted(set(steps))


def test_without_tensorboard_a_sentence_says_how_to_get_it(finished, store, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # as where it is not installed
    with pytest.raises(RunError, match="pip install tensorboard"):
        write_events(finished, tmp_path / "events")
    assert not (tmp_path / "events").exists()
    assert main(["train", *FLAGS, "--tensorboard", "--runs-dir", str(store.folder)]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert store.runs() == [finished]


def test_a_place_that_is_no_folder_is_said(finished, tmp_path):
    (tmp_path / "events").write_text("a file")
    with pytest.raises(RunError, match=r"cannot be written to .*events"):
        write_events(finished, tmp_path / "events")
