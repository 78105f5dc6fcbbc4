"""Runs taken from one place to another: a run's folder as a zip file, and back; bare weights with their card as well.

What is taken in may come from anybody: it is read as data, checked whole, and refused with one sentence where it is
anything else than a run. It appears among the runs all at once, and after a refusal nothing is left of it.
"""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from mnist_core.errors import ModelError, RunError
from mnist_core.exchange import unzipping
from mnist_core.files import reason, replacing
from mnist_core.reading import catalog
from mnist_core.runs import metrics_file
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.runs.status import RunState
from mnist_core.text import parse_json

MOST_PACKED = 64 * 2**20  # bytes of a file to take in
MOST_OF_A_CARD = 2**20
SCRATCH = ".import-"  # how folders begin in which a run is made
LONGEST_IMPORT = 3_600  # seconds, after which such a folder was left over by a process that was killed

# A file to read from: where it lies, or one that is open, as an upload is. Its name is what an error calls it by.
Source = pathlib.Path | BinaryIO


def zip_run(run: Run, path: pathlib.Path) -> None:
    """Write the run's folder to `path`, a new .zip file, without what is of this machine alone, such as its lock.

    Raises RunError for a run that is being trained, has no weights yet or is larger than `import_run` would take in,
    and for a path that cannot be written.
    """
    if path.suffix != ".zip":
        raise RunError(f"{path} must end in .zip.")
    if not run.weights.exists():
        raise RunError(f"The run {run.id} has no weights yet: there is nothing to take along.")
    _check_at_rest(run)
    _, whole = metrics_file.read(run.metrics)  # a killed process may leave half a line behind
    names = [name for name in unzipping.TAKEN if (run.path / name).exists()]
    try:
        with replacing(path) as fresh:
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as file:
                for name in names:
                    content = (run.path / name).read_bytes()
                    file.writestr(f"{run.id}/{name}", content[:whole] if name == "metrics.jsonl" else content)
            unpacked = sum((run.path / name).stat().st_size for name in names)
            if fresh.stat().st_size > MOST_PACKED or unpacked > unzipping.MOST_UNPACKED:
                raise RunError(
                    f"The run {run.id} is too large to be taken in again, with {unpacked / 2**20:,.0f} MB: at most "
                    f"{MOST_PACKED // 2**20} MB are, and {unzipping.MOST_UNPACKED // 2**20} MB unpacked."
                )
            _check_at_rest(run)  # and was not taken up meanwhile
    except OSError as error:
        raise RunError(f"The run {run.id} cannot be written to {path}: {reason(error)}.") from error


def _check_at_rest(run: Run) -> None:
    if run.status().state.is_active:
        raise RunError(f"The run {run.id} is being trained or in line: stop it before you take it along.")


def import_run(file: Source, store: RunStore = RUNS, card: Source | None = None) -> Run:
    """Take in a run: the zip file of one's folder, or weights as safetensors with their `card`.

    The card of a file that lies on disk is looked for beside it. The run keeps its id if that is free and becomes one
    that nobody trains. Raises RunError for anything else, for more than MOST_PACKED bytes, and where it cannot be
    saved.
    """
    with _opened(file, MOST_PACKED) as (opened, name):
        head = opened.read(9)
        opened.seek(0)
        try:
            store.folder.mkdir(parents=True, exist_ok=True)
            _remove_left_over(store.folder)
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=store.folder) as scratch:
                if head.startswith(b"PK\x03\x04"):
                    made, run_id = _from_zip(opened, name, pathlib.Path(scratch))
                elif head[8:] == b"{":
                    if card is None and isinstance(file, pathlib.Path) and file.with_suffix(".json").is_file():
                        card = file.with_suffix(".json")
                    made, run_id = _from_weights(opened, name, card, pathlib.Path(scratch)), ""
                elif head.startswith(b"\x80"):
                    raise RunError(f"{name} is a pickle, which can run code: only a zip or safetensors are taken.")
                else:
                    raise RunError(f"{name} is neither the zip of a run's folder nor safetensors.")
                return store.add(made.path, run_id if run_id not in catalog.shipped() else "")
        except OSError as error:
            raise RunError(f"{name} cannot be taken in to {store.folder}: {reason(error)}.") from error


def _remove_left_over(runs_dir: pathlib.Path) -> None:
    for folder in runs_dir.glob(f"{SCRATCH}*"):
        if time.time() - folder.stat().st_mtime > LONGEST_IMPORT:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _opened(source: Source, most: int) -> Iterator[tuple[BinaryIO, str]]:
    """The source open to read from its start, and its name."""
    with contextlib.ExitStack() as stack:
        if isinstance(source, pathlib.Path):
            try:
                file: BinaryIO = stack.enter_context(open(source, "rb"))
            except OSError as error:
                raise RunError(f"{source} cannot be read: {error.strerror}.") from error
        else:
            file = source
        name = pathlib.PurePath(str(getattr(source, "name", "The file"))).name
        if file.seek(0, os.SEEK_END) > most:
            raise RunError(f"{name} is larger than {most // 2**20} MB, which is the most that is taken in.")
        file.seek(0)
        yield file, name


def _from_zip(file: BinaryIO, name: str, scratch: pathlib.Path) -> tuple[Run, str]:
    """The run in the zip, in a folder below `scratch`, and the id it had, "" if the zip does not say."""
    from mnist_core.exchange import incoming  # with torch, which takes seconds to import

    made = Run(scratch / "imported")
    made.path.mkdir()
    run_id = unzipping.unzip(file, name, made.path)
    if run_id:
        made = Run(made.path.rename(scratch / run_id))  # what is wrong with it is said of its id
    incoming.check(made, name)
    return made, run_id


def _from_weights(file: BinaryIO, name: str, card: Source | None, scratch: pathlib.Path) -> Run:
    from mnist_core import weights
    from mnist_core.exchange import incoming

    if card is None:
        raise RunError(f"{name} comes without its card: take the .json that was exported with it, too.")
    copy = scratch / "weights.safetensors"
    copy.write_bytes(file.read())
    try:
        tensors = weights.load(copy)
    except ModelError as error:
        raise RunError(f"{name} is cut or damaged, or no safetensors file.") from error
    config, records = incoming.from_card(_card(card), name)
    incoming.check_weights(tensors, config, name)
    made = Run(scratch / "imported")
    made.path.mkdir()
    (made.path / "config.json").write_text(config.to_json(), encoding="utf-8")
    (made.path / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    weights.save(made.weights, tensors, made.fingerprint())
    made.set_status(RunState.FINISHED)
    return made


def _card(source: Source) -> Any:
    with _opened(source, MOST_OF_A_CARD) as (file, name):
        try:
            return parse_json(file.read())
        except ValueError as error:
            raise RunError(f"{name} is no card: it must be JSON.") from error
