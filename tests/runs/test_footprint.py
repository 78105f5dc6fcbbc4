import dataclasses
import pathlib
import shutil
import subprocess
import sys

import pytest

from mnist_core import device
from mnist_core.__main__ import main
from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.files import APP_FOLDER
from mnist_core.runs import footprint
from mnist_core.runs.training import train_run

HUGE = TrainConfig(data="sample", hidden=(4096,) * 8)
MEASURE = """
import pathlib, re, sys
from mnist_core.config import TrainConfig
from mnist_core.runs.training import train_run
from mnist_core.runs.run_store import RunStore
for _ in train_run(RunStore(pathlib.Path(sys.argv[2])).create(TrainConfig.from_json(sys.argv[1]))):
    pass
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process's memory as Linux counts it")
@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(data="sample", hidden=(3072, 3072), epochs=1, device="cpu", lr=1e-4),
        TrainConfig(data="sample", hidden=(3072, 3072), epochs=1, device="cpu", lr=100.0),  # diverges
        TrainConfig(data="sample", model="convnet", width=64, batch_size=1200, epochs=1, device="cpu"),
    ],
)
def test_memory_is_predicted_within_a_quarter(config, tmp_path):
    command = [sys.executable, "-c", MEASURE, config.to_json(), str(tmp_path)]
    taken = int(subprocess.check_output(command, cwd=APP_FOLDER)) * 1024
    assert footprint.predict(config).memory == pytest.approx(taken, rel=0.25)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "sgd", "epochs": 1}, {"model": "cnn", "hidden": (64,)}])
def test_disk_is_predicted_from_what_lies_there_at_once(changes, small, store, monkeypatch):
    config, most = dataclasses.replace(small, **{"hidden": (256, 256), "epochs": 3} | changes), 0
    run, replace = store.create(config), pathlib.os.replace

    def replacing(*paths):
        nonlocal most
        most = max(most, sum(path.stat().st_size for path in run.path.iterdir()))
        replace(*paths)

    monkeypatch.setattr("os.replace", replacing)
    for _ in train_run(run):
        pass
    assert footprint.predict(config).disk == pytest.approx(most, rel=0.25)


def test_what_this_machine_has_not_is_refused_and_nothing_is_left(store, monkeypatch, capsys):
    monkeypatch.setattr(device, "free_memory", lambda name: 2_000_000_000)
    with pytest.raises(RunError, match=r"takes 3\.\d GB of memory, and 2\.0 GB are free: try a smaller network"):
        store.create(HUGE)
    assert main(["train", "--data", "sample", "--hidden", *["4096"] * 8, "--runs-dir", str(store.folder)]) == 2
    assert "of memory, and 2.0 GB are free" in capsys.readouterr().err
    monkeypatch.setattr(device, "free_memory", lambda name: 10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 9 * 10**9, 10**9))
    with pytest.raises(RunError, match=r"takes 4\.\d GB of disk in .*runs, and 1\.0 GB are free"):
        store.create(HUGE)
    assert not store.folder.exists()


def test_a_run_that_goes_on_needs_no_room_for_what_it_has(trained, monkeypatch):
    run = trained(until_epoch=1)
    held = sum(path.stat().st_size for path in run.path.glob("*.safetensors"))
    needed = footprint.predict(run.config()).disk
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, needed - held))
    footprint.check(run.config(), run.path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, needed - held - 1))
    with pytest.raises(RunError, match="of disk"):
        for _ in train_run(run):
            pass
    assert run.status().state == "failed"
    assert "of disk" in run.status().message


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(device, "MEMORY_LIMIT", limit)
    without = device.free_memory("cpu")
    assert without > 0
    limit.write_text("max\n")
    assert device.free_memory("cpu") == pytest.approx(without, rel=0.5)
    limit.write_text("5000000\n")
    assert device.free_memory("cpu") == 5_000_000


def test_the_sizes_of_a_network_by_hand():
    sizes = footprint._sizes("mlp", (("hidden", (4096,) * 8),))
    assert sizes.parameters == 785 * 4096 + 7 * 4097 * 4096 + 4097 * 10
    assert sizes.outputs == 784 + 16 * 4096 + 10
    assert sizes.widest == 2 * 4096
    assert sizes.kept == 64 * 784
