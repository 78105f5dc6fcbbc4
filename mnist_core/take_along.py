"""What the shell takes along: models and what they read, made into files for elsewhere."""

import pathlib
from collections.abc import Sequence
from typing import Any

from mnist_core import catalog, run
from mnist_core.errors import ModelError
from mnist_core.files import replacing
from mnist_core.predictions import Predictions

# torch takes seconds to import: what needs it is imported where it is needed.


def export(
    names: Sequence[str], path: pathlib.Path, format: str, runs_dir: pathlib.Path, strokes_file: pathlib.Path | None
) -> dict[str, Any]:
    """Write the models of these names, shipped or runs' ids, to `path` in the format "safetensors" or "onnx".

    Several names are runs of one config that differ in their seed, of which `export.export` chooses. Returns what was
    written, JSON-able. Raises ModelError, RunError and DatasetError.
    """
    written: dict[str, Any] = {"file": str(path), "format": format, "models": list(names)}
    if format == "onnx":
        return written | _as_onnx(names, path, runs_dir, strokes_file)
    from mnist_core import strokes
    from mnist_core.export import export, export_shipped

    shipped = [name for name in names if name in catalog.shipped()]
    if not shipped:
        drawn = strokes.load(strokes_file) if strokes_file else None
        export([run.open_run(name, runs_dir) for name in names], path, drawn)
    elif len(names) == 1 and not strokes_file:
        export_shipped(names[0], path)
    else:
        raise ModelError(f"{shipped[0]} is a shipped model, whose card is written already: export it by itself.")
    return written


def _as_onnx(
    names: Sequence[str], path: pathlib.Path, runs_dir: pathlib.Path, strokes_file: pathlib.Path | None
) -> dict[str, Any]:
    from mnist_core import onnx_export

    if len(names) > 1 or strokes_file:
        raise ModelError("As onnx, one model is exported at a time, without --strokes.")
    difference = onnx_export.export(names[0], path, runs_dir)
    return {"checked_images": onnx_export.CHECKED, "largest_difference": difference}


def in_words(written: dict[str, Any]) -> str:
    """What `export` returned as a sentence."""
    names = ", ".join(written["models"])
    if written["format"] == "onnx":
        return (
            f"{written['file']} was written and answers {written['checked_images']:,} images as {names} does: the "
            f"largest difference of a probability is {written['largest_difference']:.1g}."
        )
    best = names if len(written["models"]) == 1 else f"the best of {names}"
    return f"{written['file']} was written: the weights of {best}, with a card beside it."


def write_csv(predictions: Predictions, path: pathlib.Path) -> None:
    """Write the table of `Predictions.to_csv` to `path`. Raises ModelError if it cannot be written."""
    try:
        with replacing(path) as fresh:
            fresh.write_text(predictions.to_csv(), encoding="utf-8")
    except OSError as error:
        raise ModelError(f"The predictions cannot be written to {path}: {error.strerror}.") from error
