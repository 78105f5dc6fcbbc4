"""Runs taken from one place to another: a run's folder as a zip file, and back; bare weights with their card as well.

What is imported may come from anybody. It is read as data, by the readers that runs themselves are read with, and
refused with one sentence where one of them refuses. A run appears among the others all at once, and after a refusal
nothing is left of it.
"""

import collections
import contextlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from mnist_core.errors import RunError
from mnist_core.exchange import weights_import
from mnist_core.files import oserror_as, replacing
from mnist_core.reading import catalog
from mnist_core.runs import metrics_file, status
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.runs.status import RunState
from mnist_core.text import quoted

MOST_PACKED = 64 * 2**20  # bytes of a file to import
MOST_UNPACKED = 256 * 2**20  # bytes of all files in it together
MOST_OF_ONE = 2**20  # bytes of a file but for those of LARGE
MOST_ENTRIES = 64
ENTRY = b"PK\x01\x02"  # what each entry in a zip's list begins with
CHUNK = 2**16
SCRATCH = ".import-"  # how folders begin in which a run is made
LONGEST_IMPORT = 3_600  # seconds, after which such a folder was left over by a process that was killed

LARGE = (
    "metrics.jsonl",
    "weights.safetensors",
    "state.safetensors",
    "first_layer.safetensors",
    "snapshots.safetensors",
    "base.safetensors",
    "own_digits.safetensors",
)
PACKED = ("config.json", "status.json", "about.json", *LARGE)
NEEDED = ("config.json", "status.json", "metrics.jsonl", "weights.safetensors")
# What a run's folder holds beside these, and what file managers add when they pack one.
LEFT_OUT = re.compile(r"lock|stop|pause|lr|log\.txt|deleted|tensorboard(/.*)?|\.DS_Store|\._.*")

# A file to read from: where it lies, or one that is open, as an upload is. Its name is what an error calls it by.
Source = pathlib.Path | BinaryIO


def export_run(run: Run, path: pathlib.Path) -> None:
    """Write the run's folder to `path`, a new .zip file, without what is of this machine alone, such as its lock.

    Raises RunError for a run that is being trained, has no weights yet or is larger than `import_run` would take, and
    for a path that cannot be written.
    """
    if path.suffix != ".zip":
        raise RunError(f"{path} must end in .zip.")
    if not run.weights.exists():
        raise RunError(f"The run {run.id} has no weights yet: there is nothing to take along.")
    _check_at_rest(run)
    _, whole = metrics_file.read(run.metrics)  # a killed process may leave half a line behind
    names = [name for name in PACKED if (run.path / name).exists()]
    with oserror_as(RunError, f"The run {run.id} cannot be written to {path}"), replacing(path) as fresh:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as file:
            for name in names:
                content = (run.path / name).read_bytes()
                file.writestr(f"{run.id}/{name}", content[:whole] if name == run.metrics.name else content)
        unpacked = sum((run.path / name).stat().st_size for name in names)
        if fresh.stat().st_size > MOST_PACKED or unpacked > MOST_UNPACKED:
            raise RunError(
                f"The run {run.id} is too large to be imported again, with {unpacked / 2**20:,.0f} MB: at most "
                f"{MOST_PACKED // 2**20} MB are, and {MOST_UNPACKED // 2**20} MB unpacked."
            )
        _check_at_rest(run)  # and was not taken up meanwhile


def _check_at_rest(run: Run) -> None:
    if run.status().state.is_active:
        raise RunError(f"The run {run.id} is being trained or in line: stop it before you take it along.")


def import_run(file: Source, store: RunStore = RUNS, card: Source | None = None) -> Run:
    """Import a run: the zip file of its folder; or weights as safetensors with their `card`, also in one zip file.

    The card of a file that lies on disk is looked for beside it. The run keeps its id if that is free and becomes one
    that nobody trains. Raises RunError for anything else, for more than MOST_PACKED bytes, and where it cannot be
    saved.
    """
    with _opened(file, MOST_PACKED) as (opened, name):
        head = opened.read(9)
        opened.seek(0)
        with oserror_as(RunError, f"{name} cannot be imported to {store.folder}"):
            store.folder.mkdir(parents=True, exist_ok=True)
            _remove_left_over(store.folder)
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=store.folder) as scratch:
                folder, run_id = pathlib.Path(scratch, "imported"), ""
                folder.mkdir()
                if head.startswith(b"PK\x03\x04"):
                    run_id = _unpack(opened, name, folder)
                elif head[8:] == b"{":
                    if card is None and isinstance(file, pathlib.Path) and file.with_suffix(".json").is_file():
                        card = file.with_suffix(".json")
                    if card is None:
                        raise RunError(f"{name} comes without its card: add the .json that was exported with it.")
                    with _opened(card, MOST_OF_ONE) as (its_card, _):
                        weights_import.make_run(opened.read(), its_card.read(), name, folder)
                elif head.startswith(b"\x80"):
                    raise RunError(f"{name} is a pickle, which can run code: only a zip or safetensors are imported.")
                else:
                    raise RunError(f"{name} is neither the zip of a run's folder nor safetensors.")
                _check(Run(folder), name)
                return store.add(folder, "" if run_id in catalog.shipped() else run_id)


def _remove_left_over(runs_dir: pathlib.Path) -> None:
    for folder in runs_dir.glob(f"{SCRATCH}*"):
        if time.time() - folder.stat().st_mtime > LONGEST_IMPORT:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _opened(source: Source, most: int) -> Iterator[tuple[BinaryIO, str]]:
    """The source open to read from its start, and its name."""
    with contextlib.ExitStack() as stack:
        file = source
        if isinstance(file, pathlib.Path):
            with oserror_as(RunError, f"{source} cannot be read"):
                file = stack.enter_context(open(file, "rb"))
        name = pathlib.PurePath(str(getattr(source, "name", "The file"))).name
        if file.seek(0, os.SEEK_END) > most:
            raise RunError(f"{name} is larger than {most // 2**20} MB, which is the most that is imported.")
        file.seek(0)
        yield file, name


def _unpack(file: BinaryIO, name: str, folder: pathlib.Path) -> str:
    """Write the run's files that are in the zip `file` into `folder`; returns the folder's name in the zip, or "".

    Nothing that the zip says of itself is trusted: what it holds is looked up by name, and sizes are counted while
    reading. Raises RunError for a zip that holds anything else, or more than there may be.
    """
    if file.read().count(ENTRY) > MOST_ENTRIES:  # before zipfile reads a list that may be endless
        raise RunError(f"{name} holds more than the files of one run: pack the folder of one run.")
    try:
        with zipfile.ZipFile(file) as archive:
            files = [entry for entry in archive.infolist() if _is_wanted(entry, name)]
            folders = collections.Counter(entry.filename.rpartition("/")[0] for entry in files)
            top = folders.most_common(1)[0][0] if folders else ""
            entries: dict[str, zipfile.ZipInfo] = {}
            for entry in files:
                inner = entry.filename.removeprefix(f"{top}/" if top else "")
                if inner in entries:
                    raise RunError(f"{name} holds {quoted(inner)} twice: pack the folder of one run.")
                entries[inner] = entry
            if "config.json" not in entries and (pair := weights_import.find(entries)):
                weights, card = (_read(archive, entries[part], MOST_UNPACKED, name) for part in pair)
                weights_import.make_run(weights, card, name, folder)
                return ""
            _extract(archive, entries, name, folder)
            return top
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RunError(f"{name} is cut, damaged or packed in an unknown way: {error}.") from error


def _is_wanted(entry: zipfile.ZipInfo, name: str) -> bool:
    """Whether the entry is a file of a run's folder, rather than one that is left out. Raises RunError for others."""
    path = entry.filename
    if path.startswith("__MACOSX/") or entry.is_dir():
        return False
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise RunError(f"{name} holds a link or a device, {quoted(path)}: only plain files are imported.")
    return not any(LEFT_OUT.fullmatch(part) for part in (path, path.partition("/")[2]))


def _extract(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], name: str, folder: pathlib.Path) -> None:
    allowed = MOST_UNPACKED
    for inner, entry in entries.items():
        if inner not in PACKED:
            raise RunError(
                f"{name} holds a file that is not a run's, {quoted(entry.filename)}: only the zip of a run's folder or "
                "safetensors with their card can be imported."
            )
        content = _read(archive, entry, allowed if inner in LARGE else MOST_OF_ONE, name)
        allowed -= len(content)
        (folder / inner).write_bytes(content)
    for needed in NEEDED:
        if needed not in entries:
            raise RunError(f"{name} lacks {needed}: pack the whole folder of a run.")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, name: str) -> bytes:
    try:
        with archive.open(entry) as file:
            content = file.read(most + 1)
    except (lzma.LZMAError, OSError) as error:  # of a damaged one; bzip2 has no error of its own
        raise zipfile.BadZipFile(str(error)) from error
    if len(content) > most:
        raise RunError(
            f"{name} holds more than it may: unpacked, at most {MOST_UNPACKED // 2**20} MB are imported, and "
            f"{MOST_OF_ONE // 2**20} MB of any other file than {', '.join(LARGE)}."
        )
    return content


def _check(run: Run, name: str) -> None:
    """Make `run`, imported from the file called `name`, one that nobody trains, or raise RunError.

    What was being trained when it was packed becomes "interrupted", a last line that was not whole is dropped, and so
    is the state of a run that has ended for good.
    """
    from mnist_core import model, weights
    from mnist_core.runs import (  # with torch, for which the page that offers an import need not wait
        inputs,
        snapshots,
        weight_history,
    )
    from mnist_core.state import TrainState

    with weights_import.saying(f"{name} cannot be imported", run.path):
        config, state = run.config(), status.read_written(run.path).state
        run.about()
        _, whole = metrics_file.read(run.metrics)
        with open(run.metrics, "rb+") as file:
            file.truncate(whole)
        end = run.end()
        if state is RunState.FINISHED and (end is None or end["reason"] != "finished"):
            raise RunError("Its metrics end before its training did.")
        tensors = weights.load(run.weights, run.fingerprint())
        network = model.skeleton(config.model, **config.hyperparameters)  # a whole one may be larger than the file
        weights.check(tensors, network.state_dict())
        base = inputs.read_base(run.path)
        if base:
            weights.check(base.weights, network.state_dict())
        inputs.read_own(run.path)
        if run.state.exists():
            training = TrainState.of(config, base)
            training.load(weights.load(run.state, run.fingerprint()))
            if training.epoch > config.epochs:
                raise RunError("Its state is that of a longer training than its config's.")
        history = weight_history.read(run.path)
        if history.epochs and history.weights[0].shape != weight_history.kept_units(network).shape:
            raise RunError(f"The file {weight_history.NAME} belongs to another network.")
        snapshots.check(snapshots.read(run.path), network)
    if state.is_active:
        message = "It was being trained when it was packed: Resume goes on from its last epoch."
        run.set_status(RunState.INTERRUPTED, message)
    elif not state.is_resumable:
        run.state.unlink(missing_ok=True)
