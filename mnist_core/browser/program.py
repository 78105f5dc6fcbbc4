"""A model as a program for a browser: a list of layers and their weights, as `exchange/browser_program.py` writes it.

Nothing in this module needs torch, so that a page can answer before torch is imported.
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_core.errors import ModelError

SUFFIX = ".program"


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """`layers` are JSON-able: each has its `kind`, `inputs` and `outputs` (height, width, channels), and what its kind
    needs, with `weights` and `bias` as places in `weights` (N,), float16."""

    layers: list[dict[str, Any]]
    weights: npt.NDArray[np.float16]
    temperature: float
    threshold: float | None


def pack(programs: Sequence[Program], **more: Any) -> bytes:
    """The programs in one piece, which `forward.unpack` takes apart in the browser, with `more`, which is JSON-able.

    The length of a header in bytes, as 4 bytes; the header, JSON that ends in spaces so that the weights begin at a
    multiple of 4 bytes; and all weights, one program's after the other's. All numbers are little-endian.
    """
    heads = [
        {
            "layers": program.layers,
            "temperature": program.temperature,
            "threshold": program.threshold,
            "count": program.weights.size,
        }
        for program in programs
    ]
    header = json.dumps({"programs": heads, **more}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 4)
    weights = [program.weights.astype("<f2").tobytes() for program in programs]
    return b"".join([len(header).to_bytes(4, "little"), header, *weights])


def unpack(content: bytes) -> tuple[dict[str, Any], list[Program]]:
    """What `pack` was given: `more`, and the programs. Raises ModelError."""
    try:
        begin = 4 + int.from_bytes(content[:4], "little")
        header = json.loads(content[4:begin])
        programs = []
        for head in header.pop("programs"):
            weights = np.frombuffer(content, "<f2", head.pop("count"), begin)
            programs.append(Program(weights=weights, **head))
            begin += weights.nbytes
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"It is no program for a browser: {error}.") from error
    return header, programs


def load(path: pathlib.Path) -> Program:
    """The one program in a file that `pack` has made. Raises ModelError."""
    try:
        _, (program,) = unpack(path.read_bytes())
    except (OSError, ValueError, ModelError) as error:
        raise ModelError(f"The program {path} cannot be read: {error}.") from error
    return program
