"""The data sets as pages see them: what is there, what is shown in its place, and trying a download again."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import streamlit as st

from mnist_core import mnist_files
from mnist_core.config import SAMPLE_IN_WORDS
from mnist_core.drawing import Pixels
from mnist_core.files import APP_FOLDER
from pages.shared import address

if TYPE_CHECKING:
    from mnist_core.dataset import Dataset, Splits


def data_at_hand(data: str) -> str:
    """`data`, or "sample" where that is MNIST and it is not on this machine."""
    return "sample" if data == "mnist" and mnist_files.missing() else data


def offer_download() -> None:
    """Where MNIST is missing: say so, and offer to fetch it."""
    if not mnist_files.missing():
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"MNIST is not on this machine: until it is, this page works on {SAMPLE_IN_WORDS}.",
            icon=":material/cloud_off:",
            width=620,
        )
        if st.button("Download MNIST (11 MB)", key="download", icon=":material/download:"):
            with st.spinner("Downloading MNIST"):
                problem = _download()
            if not problem:
                if st.query_params.get("data") == "sample":  # on Train: its controls follow the address once more
                    del st.query_params["data"]
                    address.forget("train")
                st.rerun()
            st.error(problem)


def _download() -> str:
    """Fetch MNIST in a process of its own, which alone has to import torchvision; what went wrong, or nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "mnist_core", "data"],
        cwd=APP_FOLDER,  # wherever the app was started from
        env={**os.environ, "MNIST_ROOT": str(mnist_files.root().resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or ["MNIST could not be downloaded: try again."]
    return lines[-1].removeprefix("mnist_core: ")


@functools.lru_cache(maxsize=2)
def splits(data: str, validation_size: int | None, seed: int) -> Splits:
    """The data set as a config with these fields splits it, loaded once for all visitors. Raises DatasetError."""
    from mnist_core import dataset
    from mnist_core.config import TrainConfig

    return dataset.load(TrainConfig(data=data, validation_size=validation_size, seed=seed))


@functools.cache
def test(data: str) -> Dataset:
    """The test images of "mnist" or "sample", loaded once for all visitors. Raises DatasetError."""
    from mnist_core import dataset

    return dataset.load_test(data)


@functools.cache
def one_of_each(data: str) -> tuple[Pixels, ...]:
    """The first test image of each digit, 0 to 9: (28, 28), uint8. Raises DatasetError."""
    images, labels = test(data).images, test(data).labels
    return tuple(images[int((labels == digit).nonzero()[0])].numpy() for digit in range(10))


def any_test_image() -> tuple[Pixels, str]:
    """A test image by chance, (28, 28), uint8, and words that say which. Raises DatasetError."""
    chosen = test(data_at_hand("mnist"))
    index = random.randrange(len(chosen))  # noqa: S311  # no secret
    return chosen.images[index].numpy(), f"Test image {index}, a true {int(chosen.labels[index])}"
