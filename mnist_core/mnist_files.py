"""MNIST's four raw files: where they lie, fetching them, and making sure that they are what they should be."""

import contextlib
import hashlib
import os
import pathlib
import socket
import sys
import tempfile

import numpy as np
import numpy.typing as npt

from mnist_core.errors import DatasetError
from mnist_core.files import APP_FOLDER

# LeCun, Cortes and Burges' files, unpacked, with their MD5.
MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
SILENCE = 30  # seconds without a byte after which a download is given up
HINT = "Or go on without MNIST: choose the data `sample`, which is built in."


def root() -> pathlib.Path:
    """torchvision's root folder for MNIST: the environment's MNIST_ROOT, else `data` beside the app."""
    return pathlib.Path(os.environ.get("MNIST_ROOT") or APP_FOLDER / "data")


def missing() -> list[str]:
    """Names of the files that are not there."""
    return [name for name in MD5 if not (root() / "MNIST" / "raw" / name).is_file()]


def find_or_download() -> pathlib.Path:
    """The folder of the four files, downloaded first if any is not there. Raises DatasetError."""
    if missing():
        download()
    return root() / "MNIST" / "raw"


def read(path: pathlib.Path) -> npt.NDArray[np.uint8]:
    """The images (N, 28, 28) or labels (N,) in one of the files. Raises DatasetError if cut, changed or missing."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"MNIST's file {path} cannot be read: {error.strerror}. {HINT}") from error
    if hashlib.md5(content.data, usedforsecurity=False).hexdigest() != MD5[path.name]:
        raise DatasetError(
            f"MNIST's file {path} is damaged ({content.size:,} bytes with another checksum than MNIST's): "
            f"fetch it again with `python -m mnist_core data --download`. {HINT}"
        )
    # The format is idx: 0, 0, type, number of dimensions, then each dimension as a big-endian 32-bit number.
    dimensions = int(content[3])
    header = 4 + 4 * dimensions
    return content[header:].reshape(content[4:header].view(">u4").astype(int))


def download() -> None:
    """Fetch the four files through torchvision, showing progress on standard error. Raises DatasetError.

    They are fetched into a folder of this call's own and moved into place one by one once all four are right, so that
    neither a download that breaks off nor a second one at the same time can leave a half-written file. Nor does one
    that breaks off leave empty folders that were not there before.
    """
    folder = root() / "MNIST" / "raw"
    new: list[pathlib.Path] = []
    try:
        new += [path for path in (root(), *root().parents) if not path.exists()]
        root().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root()) as scratch:
            _fetch(scratch)
            fetched = pathlib.Path(scratch, "MNIST", "raw")
            for name in MD5:
                read(fetched / name)
            folder.mkdir(parents=True, exist_ok=True)
            for name in MD5:
                os.replace(fetched / name, folder / name)
    except OSError as error:
        raise DatasetError(
            f"MNIST cannot be saved in {root()}: {error.strerror or error}. "
            f"Name a folder that can be written in the environment's MNIST_ROOT. {HINT}"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # the first that is not empty ends it
            for path in new:
                path.rmdir()


def _fetch(folder: str) -> None:
    from torchvision.datasets import MNIST  # takes seconds to import, and is needed only here

    # torchvision sets no time limit of its own, and prints to standard output, which belongs to our own results
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            MNIST(folder, download=True)
    except (RuntimeError, ConnectionError, TimeoutError, EOFError) as error:
        raise DatasetError(
            f"MNIST could not be downloaded, and {root() / 'MNIST' / 'raw'} lacks {', '.join(missing())}: "
            f"check the network and try again, or copy the files there from another machine. {HINT}"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
