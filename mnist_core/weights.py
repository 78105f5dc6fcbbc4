"""Tensors on disk: safetensors files, which hold numbers and names and cannot hold code."""

import contextlib
import os
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from mnist_core.errors import ModelError
from mnist_core.files import replacing
from mnist_core.text import quoted


def save(
    path: pathlib.Path,
    tensors: Mapping[str, Tensor],
    fingerprint: str = "",
    durable: bool = True,
    step: int | None = None,
) -> None:
    """Write the tensors, by name, to `path`, all at once; for `durable` see `files.replacing`.

    `fingerprint` is the run's whose they are, `step` the training step that they are of. Raises OSError.
    """
    # in one entry, as several are written in any order: the files of equal trainings are equal
    origin = fingerprint if step is None else f"{fingerprint}@{step}"
    metadata = {"config": origin} if origin else None
    with replacing(path, durable) as fresh:
        contiguous = {name: value.contiguous() for name, value in tensors.items()}
        try:
            safetensors.torch.save_file(contiguous, fresh, metadata)  # straight from where they are in memory
        except SafetensorError as error:
            if number := re.search(r"os error (\d+)", str(error)):  # all that it says of an OSError
                raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
            raise


def load(path: pathlib.Path, fingerprint: str = "", part: str = "") -> dict[str, Tensor]:
    """The tensors of `save`, on the CPU; of `part` "model" only those whose names begin with "model.", by the rest.

    Raises ModelError for a file that cannot be read or is cut, or that was saved with another fingerprint than this.
    """
    with _opened(path) as (file, origin):
        start = f"{part}." if part else ""
        names = [name for name in file.keys() if name.startswith(start)]  # noqa: SIM118
        tensors: dict[str, Tensor] = {name.removeprefix(start): file.get_tensor(name) for name in names}
    theirs = origin.partition("@")[0]  # earlier versions saved none
    if fingerprint and theirs and theirs != fingerprint:
        raise ModelError(f"The file {path} belongs to another run, of another config.")
    return tensors


def step_of(path: pathlib.Path) -> int | None:
    """The training step that the saved tensors are of, None where that was not saved. Raises ModelError."""
    with _opened(path) as (_, origin):
        step = origin.partition("@")[2]
    return int(step) if re.fullmatch("[0-9]{1,15}", step) else None


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[tuple[Any, str]]:
    """The open file, and what `save` wrote of where its tensors come from."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            yield file, metadata.get("config", "")
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The file {path} is damaged or no safetensors file: {error}.") from error


def check(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raises ModelError for tensors that have other names, shapes or types than `expected`, or that are not finite."""
    found, wanted = ({name: (value.shape, value.dtype) for name, value in part.items()} for part in (tensors, expected))
    if wrong := [name for name in [*wanted, *found] if found.get(name) != wanted.get(name)]:
        raise ModelError(f"The tensor {quoted(wrong[0])} is missing, or does not belong to this network.")
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ModelError(f"The tensor {quoted(name)} holds numbers that are not finite.")
