"""Tensors on disk: safetensors files, which hold numbers and names and cannot hold code."""

import pathlib
from collections.abc import Mapping

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from mnist_core.errors import ModelError
from mnist_core.run import replacing


def save(path: pathlib.Path, tensors: Mapping[str, Tensor], durable: bool = True) -> None:
    """Write the tensors, by name, to `path`, all at once; for `durable` see `run.replacing`."""
    with replacing(path, durable) as fresh:
        fresh.write_bytes(safetensors.torch.save({name: value.contiguous() for name, value in tensors.items()}))


def load(path: pathlib.Path) -> dict[str, Tensor]:
    """The tensors of `save`, on the CPU. Raises ModelError for a file that cannot be read or is cut."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The file {path} is damaged or no safetensors file: {error}.") from error
    return tensors
