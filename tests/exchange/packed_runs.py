"""Runs to pack and to import, and what is asked of a refusal."""

import zipfile

import pytest

from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.exchange import run_archive
from mnist_core.exchange.run_archive import import_run
from mnist_core.runs.run import Run
from mnist_core.runs.training import train_run

CONFIG = TrainConfig(data="sample", hidden=(16,), augment="affine", epochs=3, device="cpu")


FOREIGN = "is missing, or does not belong to this network"
NOT_FINITE = "holds numbers that are not finite"


def trained(config, store, epochs=None):
    """A run trained to its end, or stopped behind some epochs."""
    run = store.create(config)
    for record in train_run(run):
        if record["event"] == "epoch" and record["epoch"] == epochs:
            run.request_stop()
    return run


def files(run):
    """The files of a run's folder, by name, that are taken along."""
    return {path.name: path.read_bytes() for path in run.path.iterdir() if path.name in run_archive.PACKED}


def zipped(entries, path, folder="some-run"):
    """A zip file of these entries, in a folder of that name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(f"{folder}/{name}" if folder else name, content)
    return path


def refused(path, store, part, card=None):
    """It is refused with one sentence, and nothing is left."""
    with pytest.raises(RunError, match=part) as caught:
        import_run(path, store, card)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert list(store.folder.iterdir() if store.folder.exists() else []) == []


def same(one: Run, other: Run):
    """The same run, but for its state's being there."""
    for name in ("config.json", "metrics.jsonl", "weights.safetensors", "about.json"):
        assert (one.path / name).exists() == (other.path / name).exists()
        if (one.path / name).exists():
            assert (one.path / name).read_bytes() == (other.path / name).read_bytes()
