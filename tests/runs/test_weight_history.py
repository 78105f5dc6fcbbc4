import itertools
import subprocess
import sys

import pytest
import torch

from mnist_core import model
from mnist_core.config import TrainConfig
from mnist_core.errors import ModelError
from mnist_core.files import APP_FOLDER
from mnist_core.runs import weight_history
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from mnist_core.runs.weight_history import KEPT, NAME, UNITS
from tests.conftest import SMALL

FEW = {**SMALL, "epochs": 4}


def network(seed=0, **options):
    torch.manual_seed(seed)
    return model.build("mlp", **options)


def kept_after(folder, epochs):
    for epoch in range(epochs + 1):
        weight_history.add(folder, epoch, network(epoch, hidden=(3,)))
    return weight_history.read(folder).epochs


def test_a_training_does_not_import_inside():
    modules = "mnist_core.trainer, mnist_core.runs.weight_history"
    script = f"import sys, {modules}; raise SystemExit('mnist_core.inside' in sys.modules)"  # exits with 0
    assert subprocess.run([sys.executable, "-c", script], cwd=APP_FOLDER).returncode == 0


def test_few_epochs_are_all_kept(tmp_path):
    assert kept_after(tmp_path, KEPT - 1) == list(range(KEPT))


@pytest.mark.parametrize("epochs", [1, KEPT, KEPT + 1, 100, 517])
def test_many_epochs_are_kept_evenly_with_both_ends(tmp_path, epochs):
    kept = kept_after(tmp_path, epochs)
    assert len(kept) <= KEPT
    assert len(kept) > min(epochs, KEPT // 2)
    assert kept[0] == 0
    assert kept[-1] == epochs
    assert {later - earlier for earlier, later in itertools.pairwise(kept[:-1])} <= {weight_history.stride(epochs)}


def test_what_is_kept_are_the_weights_in_half_precision(tmp_path):
    kept_after(tmp_path, 2)
    kept = weight_history.read(tmp_path)
    assert kept.weights.shape == (3, 3, 784)
    assert kept.weights.dtype == torch.float32
    for epoch in range(3):
        assert torch.equal(kept.weights[epoch], network(epoch, hidden=(3,)).layers[1].weight.half().float())


def test_of_a_wide_layer_the_first_units_are_kept_and_the_file_stays_small(tmp_path):
    wide = network(hidden=(1_000,))
    for epoch in range(60):
        weight_history.add(tmp_path, epoch, wide)
    assert weight_history.read(tmp_path).weights.shape[1:] == (UNITS, 784)
    assert (tmp_path / NAME).stat().st_size < 2.5e6


def test_of_a_convolution(tmp_path):
    convolutional = model.build("cnn", width=8)
    weight_history.add(tmp_path, 0, convolutional)
    assert weight_history.read(tmp_path).weights.shape == (1, 8, 4, 3, 3)


def test_an_epoch_that_is_trained_again_takes_the_place_of_what_it_was(tmp_path):
    kept_after(tmp_path, 5)
    weight_history.add(tmp_path, 3, network(99, hidden=(3,)))
    kept = weight_history.read(tmp_path)
    assert kept.epochs == [0, 1, 2, 3]
    assert torch.equal(kept.weights[3], network(99, hidden=(3,)).layers[1].weight.half().float())


def test_nothing_kept_is_empty(tmp_path):
    assert weight_history.read(tmp_path).epochs == []


def test_a_run_from_before_anything_was_kept_goes_on(tmp_path):
    weight_history.add(tmp_path, 3, network(hidden=(3,)))
    weight_history.add(tmp_path, 4, network(hidden=(3,)))
    assert weight_history.read(tmp_path).epochs == [3, 4]


def test_a_damaged_file_is_said(tmp_path):
    (tmp_path / NAME).write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="is damaged"):
        weight_history.read(tmp_path)


def trained(folder, stop_after=()):
    run = RunStore(folder).create(TrainConfig(**FEW))
    for epoch in stop_after:
        for record in train_run(run):
            if record["event"] == "epoch" and record["epoch"] == epoch:
                run.request_stop()
    for _ in train_run(run):
        pass
    return weight_history.read(run.path)


def test_a_resumed_run_has_neither_gap_nor_double(tmp_path):
    whole, resumed = trained(tmp_path / "a"), trained(tmp_path / "b", stop_after=(1, 2))
    assert whole.epochs == resumed.epochs == [0, 1, 2, 3, 4]
    assert torch.equal(whole.weights, resumed.weights)
    assert not torch.equal(whole.weights[0], whole.weights[1])
