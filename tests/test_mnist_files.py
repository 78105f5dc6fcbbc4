"""The real download through torchvision, from a server in this process, of files small enough to make here."""

import functools
import gzip
import hashlib
import http.server
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
from torchvision.datasets import MNIST

from mnist_core import mnist_files
from mnist_core.errors import DatasetError
from tests.conftest import needs_mnist


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return header + array.astype(np.uint8).tobytes()


def small_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        f"{part}-{kind}-ubyte": idx(rng.integers(0, 10, (count, 28, 28) if "images" in kind else count))
        for part, count in (("train", 12), ("t10k", 4))
        for kind in ("images-idx3", "labels-idx1")
    }


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def root(tmp_path, monkeypatch) -> pathlib.Path:
    """An empty root for MNIST, with small files taken for MNIST's own."""
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    for name, content in small_files().items():
        monkeypatch.setitem(mnist_files.MD5, name, hashlib.md5(content, usedforsecurity=False).hexdigest())
    return tmp_path / "root"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves the small files, packed, where torchvision looks for MNIST's; yields the folder it serves."""
    folder = tmp_path / "server"
    folder.mkdir()
    resources = []
    for name, content in small_files().items():
        packed = gzip.compress(content, mtime=0)
        (folder / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed, usedforsecurity=False).hexdigest()))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{httpd.server_port}/"])
    yield folder
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def write(root: pathlib.Path, names: list[str] | None = None) -> pathlib.Path:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in small_files().items():
        if names is None or name in names:
            (folder / name).write_bytes(content)
    return folder


def test_files_that_are_there_are_read_without_a_network(root):
    folder = write(root)
    assert mnist_files.missing() == []
    assert mnist_files.find_or_download() == folder
    assert mnist_files.read(folder / "train-images-idx3-ubyte").shape == (12, 28, 28)
    assert mnist_files.read(folder / "t10k-labels-idx1-ubyte").shape == (4,)


def test_what_is_missing_is_downloaded_with_progress(root, server, capfd):
    folder = mnist_files.find_or_download()
    for name, content in small_files().items():
        assert (folder / name).read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == sorted(small_files())
    assert list(root.iterdir()) == [root / "MNIST"]  # nothing half-done is left
    printed = capfd.readouterr()
    assert printed.out == ""  # standard output is for results
    assert "100%" in printed.err


def test_one_missing_file_is_enough_for_a_download(root, server):
    folder = write(root, names=["train-images-idx3-ubyte"])
    assert len(mnist_files.missing()) == 3
    assert mnist_files.find_or_download() == folder
    assert mnist_files.missing() == []


def test_a_download_that_is_cut_leaves_nothing_behind(root, server):
    packed = server / "t10k-images-idx3-ubyte.gz"
    packed.write_bytes(packed.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"could not be downloaded, .* lacks train-images.*check the network"):
        mnist_files.find_or_download()
    assert len(mnist_files.missing()) == 4
    assert not root.exists()


@pytest.mark.parametrize("before", [(), ("root",), ("root", "MNIST", "raw")])
def test_a_download_that_fails_leaves_no_folder_that_was_not_there(root, server, monkeypatch, tmp_path, before):
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("MNIST_ROOT", str(root / "deeper"))
    (tmp_path / pathlib.Path(*before)).mkdir(parents=True, exist_ok=True)
    paths = set(tmp_path.rglob("*"))
    with pytest.raises(DatasetError, match="could not be downloaded"):
        mnist_files.find_or_download()
    assert set(tmp_path.rglob("*")) == paths


def test_no_network_names_the_files_and_what_to_do(root, server, monkeypatch):
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte, .*copy the files there.*sample"):
        mnist_files.find_or_download()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file" / "root"))
    with pytest.raises(DatasetError, match=r"cannot be saved in .*root: Not a directory\. Name a folder"):
        mnist_files.find_or_download()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:3], lambda b: b"", lambda b: b[:-1] + b"\xff"])
def test_a_damaged_file_is_named_and_not_used(root, damage):
    path = write(root) / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte is damaged .*data --download"):
        mnist_files.read(path)


def test_a_damaged_file_is_mended_by_a_download(root, server):
    path = write(root) / "train-images-idx3-ubyte"
    path.write_bytes(b"")
    mnist_files.download()
    assert mnist_files.read(path).shape == (12, 28, 28)


def test_a_file_that_cannot_be_read_is_named(root):
    folder = write(root)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    (folder / "t10k-labels-idx1-ubyte").mkdir()
    with pytest.raises(DatasetError, match="t10k-labels-idx1-ubyte cannot be read: Is a directory"):
        mnist_files.read(folder / "t10k-labels-idx1-ubyte")


@pytest.mark.slow
def test_two_processes_may_download_at_once(root, server):
    script = (
        "import sys; from torchvision.datasets import MNIST; from mnist_core import mnist_files\n"
        f"MNIST.resources = {MNIST.resources!r}; MNIST.mirrors = {MNIST.mirrors!r}\n"
        f"mnist_files.MD5.update({mnist_files.MD5!r})\n"
        "mnist_files.download()\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    for name in small_files():
        mnist_files.read(root / "MNIST" / "raw" / name)
    assert list(root.iterdir()) == [root / "MNIST"]


@needs_mnist
def test_the_real_files_are_whole():
    folder = mnist_files.find_or_download()
    shapes = [mnist_files.read(folder / name).shape for name in mnist_files.MD5]
    assert shapes == [(60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)]
