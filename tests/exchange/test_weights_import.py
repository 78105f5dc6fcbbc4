import io
import json
import struct

import pytest
import torch

from mnist_core.errors import RunError
from mnist_core.exchange.model_card import export
from mnist_core.exchange.run_archive import export_run, import_run
from mnist_core.reading import catalog, predictor
from mnist_core.runs import summary
from mnist_core.runs.run_store import RunStore
from tests.exchange.packed_runs import CONFIG, FOREIGN, refused, same, trained, zipped


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return trained(CONFIG, RunStore(tmp_path_factory.mktemp("finished")))


@pytest.fixture
def weights(finished, tmp_path):
    """An exported run's weights, with their card beside them."""
    export([finished], tmp_path / "own.safetensors")
    return tmp_path / "own.safetensors"


def test_weights_with_a_card_become_a_run(weights, finished, store):
    run = import_run(weights, store)
    assert run.status().state == "finished"
    assert run.config() == CONFIG
    assert [record["event"] for record in run.records()] == ["start", "end"]
    ours, theirs = summary.row(run), summary.row(finished)
    for field in ("parameters", "test_accuracy", "test_interval", "device", "config"):
        assert getattr(ours, field) == getattr(theirs, field)
    end = finished.end()
    assert ours.val_accuracy == end["val_accuracy"]
    assert ours.seconds == round(end["seconds"], 1)
    assert run.records()[0]["steps"] == finished.records()[0]["steps"]
    one, other = (predictor.load(run.id, RunStore(run.path.parent)) for run in (run, finished))
    assert one.calibration == other.calibration
    assert all(torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))


def test_a_run_made_of_a_card_can_be_exported_and_packed_again(weights, store, tmp_path):
    run = import_run(weights, store)
    export([run], tmp_path / "again.safetensors")
    cards = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("own", "again")]
    for card in cards:
        del card["name"]
    assert cards[0] == cards[1]
    export_run(run, tmp_path / "run.zip")
    same(import_run(tmp_path / "run.zip", store), run)


def test_a_shipped_model_is_taken_in_with_the_card_of_an_upload(store):
    path = catalog.PRETRAINED / "tiny.safetensors"
    upload, card = io.BytesIO(path.read_bytes()), io.BytesIO(path.with_suffix(".json").read_bytes())
    run = import_run(upload, store, card)
    row = summary.row(run)
    figures = catalog.card("tiny")
    assert row.state == "finished"
    assert (row.parameters, row.test_accuracy, row.val_accuracy, row.seconds) == tuple(
        figures[name] for name in ("parameters", "test_accuracy", "val_accuracy", "seconds")
    )
    assert predictor.load(run.id, store).calibration == predictor.load("tiny").calibration


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda card: card.pop("config"), "a card without 'config'"),
        (lambda card: card.pop("test_accuracy"), "a card without 'test_accuracy'"),
        (lambda card: card.pop("seconds"), "a card without 'seconds'"),
        (lambda card: card.update(test_accuracy="high"), "its test_accuracy cannot be"),
        (lambda card: card.update(device=3), "its device cannot be"),
        (lambda card: card.update(lr_changes=[{"step": 3}]), "lacks lr"),
        (lambda card: card.update(lr_changes=3), "a damaged card: "),
        (lambda card: card["config"].update(heads=8), "a damaged card: There is no hyperparameter 'heads'"),
        (lambda card: card["config"].update(hidden=[17]), FOREIGN),
        (lambda card: card["config"].update(hidden=[4096] * 8), FOREIGN),
    ],
)
def test_a_card_that_does_not_fit_is_refused(change, part, weights, store):
    card = json.loads(weights.with_suffix(".json").read_text())
    change(card)
    weights.with_suffix(".json").write_text(json.dumps(card))
    refused(weights, store, part)


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"{", "damaged card"), (b"[]", "damaged card"), (b"[" * 100_000, "damaged card"), (b"\xff", "damaged card")],
)
def test_a_card_that_is_none_is_refused(content, part, weights, store):
    weights.with_suffix(".json").write_bytes(content)
    refused(weights, store, part)


def test_weights_alone_or_cut_are_refused(weights, store):
    card = weights.with_suffix(".json").read_bytes()
    content = weights.read_bytes()
    weights.write_bytes(content[:-1])
    refused(weights, store, "is damaged: The file weights.safetensors is damaged or no safetensors file")
    weights.write_bytes(struct.pack("<Q", 2**60) + content[8:])
    refused(weights, store, "is damaged: The file weights.safetensors is damaged or no safetensors file")
    weights.write_bytes(content)
    refused(weights, store, "larger than 1 MB", io.BytesIO(card + bytes(2**20)))
    weights.with_suffix(".json").unlink()
    refused(weights, store, "comes without its card")


def test_weights_with_their_card_in_one_zip_are_imported(weights, tmp_path, store):
    pair = {part.name: part.read_bytes() for part in (weights, weights.with_suffix(".json"))}
    run = import_run(zipped(pair, tmp_path / "own-weights.zip", ""), store)
    same(run, import_run(weights, store))
    del pair[weights.with_suffix(".json").name]
    with pytest.raises(RunError, match="not a run's, 'own"):
        import_run(zipped(pair, tmp_path / "own-weights.zip", ""), store)
