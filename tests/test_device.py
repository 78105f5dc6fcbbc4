from typing import NamedTuple

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from mnist_core import device
from mnist_core.device import DeviceDataLoader
from mnist_core.errors import DeviceError
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
