import os
import pathlib
import platform
import shutil
import subprocess
from typing import NamedTuple

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from mnist_core import device
from mnist_core.config import TrainConfig
from mnist_core.device import DeviceDataLoader
from mnist_core.errors import DeviceError
from mnist_core.files import APP_FOLDER
from mnist_core.runs.training import train_run
from mnist_core.state import TrainState
from tests.conftest import needs_gpu


class Pair(NamedTuple):
    first: torch.Tensor
    second: int


def test_auto_is_the_fastest_there_is():
    assert device.pick("auto").type == device.available()[0]
    assert device.available()[-1] == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name):
    if name in device.available():
        assert device.pick(name).type == name
        return
    with pytest.raises(DeviceError, match=f"no device '{name}'; it has .*cpu"):
        device.pick(name)


def test_nonsense_is_no_device():
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        device.pick("tpu")


def test_the_cpu_in_words(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device.describe(torch.device("cpu")).endswith("1 thread)")


@pytest.mark.parametrize(
    ("cores", "trainings", "mlp", "cnn", "convnet"),
    [
        (1, 1, 1, 1, 1),
        (2, 1, 1, 1, 1),
        (3, 1, 1, 2, 2),
        (4, 1, 1, 2, 3),
        (16, 1, 1, 2, 5),
        (16, 4, 1, 2, 3),
        (4, 8, 1, 1, 1),
    ],
)
def test_threads_are_as_many_as_gain_something_and_leave_a_core(cores, trainings, mlp, cnn, convnet):
    multiply_adds = (6_500_000, 102_000_000, 297_000_000)  # of a step of 128 images
    assert [device.threads_for(amount, cores, trainings) for amount in multiply_adds] == [mlp, cnn, convnet]


@pytest.mark.parametrize("cores", [1, 2, 4, 16])
@pytest.mark.parametrize("config", [TrainConfig(), TrainConfig(model="softmax"), TrainConfig(model="cnn", width=4)])
def test_a_small_network_trains_on_one_thread(monkeypatch, cores, config):
    monkeypatch.setattr(device, "cores", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert TrainState.of(config).threads == 1


def test_a_wide_network_trains_on_more(monkeypatch):
    monkeypatch.setattr(device, "cores", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("RUNS_AT_ONCE", raising=False)
    assert TrainState.of(TrainConfig(hidden=(1_024, 1_024))).threads == 3
    assert TrainState.of(TrainConfig(hidden=(1_024, 1_024), batch_size=32)).threads == 1


@pytest.mark.parametrize(
    ("text", "threads"), [("3", 3), ("5,2", 5), ("", None), ("0", None), ("all", None), ("-1", None)]
)
def test_the_users_number_of_threads_wins(monkeypatch, text, threads):
    monkeypatch.setattr(device, "cores", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert device.choose_threads(10**9) == (threads or 1)
    assert device.resume_threads(8) == (threads or 2)


def test_cores_are_those_that_the_process_may_use(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(device, "CPU_QUOTA", tmp_path / "cpu.max")
    assert device.cores() == 6  # no container
    for text, cores in {"max 100000\n": 6, "350000 100000\n": 3, "50000 100000\n": 1, "": 6}.items():
        device.CPU_QUOTA.write_text(text)
        assert device.cores() == cores
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert device.cores() == 1


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("1", 1),
        ("3", 3),
        ("", None),
        ("0", None),
        ("-2", None),
        ("many", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5_000, None),
    ],
    ids=lambda value: str(value)[:9],
)
def test_how_many_train_at_once_can_be_named(monkeypatch, named, expected):
    monkeypatch.setattr(device, "cores", lambda: 8)
    monkeypatch.setenv("RUNS_AT_ONCE", named)
    assert device.trainings_at_once() == (expected or 2)
    monkeypatch.delenv("RUNS_AT_ONCE")
    assert device.trainings_at_once() == 2


def test_to_device_keeps_the_form():
    meta = torch.device("meta")  # a device that every machine has, and that holds no data
    one = torch.ones(2)
    moved = device.to_device({"a": [one, (one, 3)], "b": Pair(one, 4), "c": "word", "d": None}, meta)
    assert isinstance(moved["a"], list)
    assert isinstance(moved["a"][1], tuple)
    assert moved["a"][0].device == moved["a"][1][0].device == moved["b"].first.device == meta
    assert (moved["a"][1][1], moved["b"].second, moved["c"], moved["d"]) == (3, 4, "word", None)


def test_device_data_loader_moves_every_batch_and_has_a_length():
    images, labels = torch.rand(10, 1, 28, 28), torch.arange(10)
    loader = DeviceDataLoader(DataLoader(TensorDataset(images, labels), batch_size=4), torch.device("meta"))
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert all(part.device.type == "meta" for batch in batches for part in batch)
    assert len(list(loader)) == 3  # and can be read again


@needs_gpu
def test_a_gpu_is_picked_and_named():
    assert device.pick("auto").type == "cuda"
    assert "GPU" in device.describe(torch.device("cuda"))


def test_a_training_says_what_it_ran_on(small, store):
    run = store.create(small)
    for record in train_run(run):
        if record["event"] == "epoch":
            run.request_stop()
    list(train_run(run))
    described = [record["environment"] for record in run.records() if record["event"] in ("start", "resume")]
    assert described == [device.environment()] * 2
    assert described[0].pop("commit") == commit(APP_FOLDER)
    assert described[0] == {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
    }


def commit(folder: pathlib.Path) -> str:
    """The commit as a new process finds it."""
    device.commit.cache_clear()
    return device.commit(folder)


def git(folder: pathlib.Path, *arguments: str) -> str:
    command = [shutil.which("git"), "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A checkout with two commits."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    folder = tmp_path / "app"
    folder.mkdir()
    git(folder, "init", "-q")
    for message in ("one", "two"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder


def test_the_commit_is_gits(checkout, tmp_path):
    two = git(checkout, "rev-parse", "HEAD")
    assert commit(checkout) == two
    git(checkout, "pack-refs", "--all")
    assert commit(checkout) == two
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "beside"), "HEAD~1")
    assert commit(tmp_path / "beside") == git(checkout, "rev-parse", "HEAD~1")
    git(checkout, "checkout", "-q", "HEAD~1")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD") != two


def test_no_other_repositorys_commit_is_taken_for_the_apps(checkout, tmp_path, monkeypatch):
    unpacked = checkout / "unpacked"
    unpacked.mkdir()
    assert commit(unpacked) == ""
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))  # as in a hook of that repository
    assert commit(unpacked) == ""
    monkeypatch.delenv("GIT_DIR")
    (unpacked / ".git").write_text("nonsense")
    assert commit(unpacked) == ""
    git(tmp_path, "init", "-q", "empty")
    assert commit(tmp_path / "empty") == ""  # none yet


@pytest.mark.parametrize("error", [FileNotFoundError, subprocess.TimeoutExpired("git", 5)])
def test_without_a_git_that_answers_there_is_no_commit(checkout, monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(subprocess, "check_output", fail)
    assert commit(checkout) == ""
