"""Files that are imported as runs."""

import contextlib
import io
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.exchange.run_archive import export_run, import_run
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run

CONFIG = TrainConfig(data="sample", hidden=(4,), epochs=1, device="cpu")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The zip file of a run."""
    folder = tmp_path_factory.mktemp("archive")
    run = RunStore(folder).create(CONFIG)
    for _ in train_run(run):
        pass
    export_run(run, folder / "run.zip")
    return (folder / "run.zip").read_bytes()


def changed(content: bytes, places: list[tuple[float, int]], length: float) -> bytes:
    """The content cut to a share of its length, with bytes at shares of it changed."""
    made = bytearray(content[: round(len(content) * length)])
    for place, value in places:
        if made:
            made[min(len(made) - 1, int(place * len(made)))] = value
    return bytes(made)


SHARES = st.floats(0, 1)
PLACES = st.lists(st.tuples(SHARES, st.integers(0, 255)), max_size=6)


@given(places=PLACES, length=SHARES | st.just(1.0))
def test_a_damaged_archive_is_a_run_or_a_sentence(archive, tmp_path_factory, places, length):
    store = RunStore(tmp_path_factory.getbasetemp() / "imported")
    try:
        with contextlib.suppress(RunError):
            import_run(io.BytesIO(changed(archive, places, length)), store)
            return
        assert list(store.folder.iterdir()) == []
    finally:
        shutil.rmtree(store.folder, ignore_errors=True)


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_any_bytes_with_any_card_are_refused(tmp_path_factory, content, card):
    store = RunStore(tmp_path_factory.getbasetemp() / "refused")
    with contextlib.suppress(RunError):
        import_run(io.BytesIO(content), store, io.BytesIO(card))
        raise AssertionError("these bytes are no run")
