import dataclasses
import io
import json
import os
import pathlib
import pickle
import random
import shutil
import stat
import struct
import time
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from mnist_core.__main__ import main
from mnist_core.config import TrainConfig
from mnist_core.errors import RunError
from mnist_core.exchange import run_archive
from mnist_core.exchange.run_archive import export_run, import_run
from mnist_core.reading import predictor
from mnist_core.runs import snapshots, summary, weight_history
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore, is_id
from mnist_core.runs.status import RunState
from mnist_core.runs.training import train_run
from tests.exchange.packed_runs import CONFIG, FOREIGN, NOT_FINITE, files, refused, same, trained, zipped


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return trained(CONFIG, RunStore(tmp_path_factory.mktemp("finished")))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    return trained(CONFIG, RunStore(tmp_path_factory.mktemp("stopped")), epochs=1)


def test_a_finished_run_comes_back_as_it_was(finished, tmp_path, store):
    finished.set_about(name="The <b>first</b>", note="kept\nwhole")
    (finished.path / "log.txt").write_text("of this machine alone")
    export_run(finished, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as file:
        names = {name.removeprefix(f"{finished.id}/") for name in file.namelist()}
    assert names == {
        "config.json",
        "metrics.jsonl",
        "status.json",
        "about.json",
        "weights.safetensors",
        weight_history.NAME,
        snapshots.NAME,
    }
    run = import_run(tmp_path / "run.zip", store)
    assert (run.id, run.path.parent) == (finished.id, store.folder)
    same(run, finished)
    assert run.status() == finished.status()
    assert summary.row(run) == summary.row(finished)
    assert predictor.load(run.id, store).calibration == predictor.load(finished.id, store).calibration
    assert [path.name for path in store.folder.iterdir()] == [finished.id]


def test_a_run_whose_id_is_taken_gets_a_new_one(finished, tmp_path, store):
    export_run(finished, tmp_path / "run.zip")
    runs = [import_run(tmp_path / "run.zip", store) for _ in range(3)]
    assert len({run.id for run in runs}) == 3
    assert [run.id == finished.id for run in runs] == [True, False, False]
    assert {run.id for run in store.runs()} == {run.id for run in runs}
    # a shipped model of that name would hide it
    again = import_run(zipped(files(finished), tmp_path / "cnn.zip", "cnn"), store)
    assert again.id != "cnn"
    assert predictor.load(again.id, store).config == CONFIG


def test_a_stopped_run_goes_on_to_the_same_weights(stopped, finished, tmp_path, store):
    export_run(stopped, tmp_path / "run.zip")
    run = import_run(tmp_path / "run.zip", store)
    assert run.status().state == "stopped"
    for _ in train_run(run):
        pass
    ours, theirs = load_file(run.weights), load_file(finished.weights)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("optimizer", ["momentum", "sgd"])
def test_the_state_of_every_optimizer_is_taken_in(optimizer, tmp_path, store):
    config = TrainConfig(data="sample", model="cnn", width=4, optimizer=optimizer, epochs=2, device="cpu")
    export_run(trained(config, RunStore(tmp_path / "there"), epochs=1), tmp_path / "run.zip")
    run = import_run(tmp_path / "run.zip", store)
    for _ in train_run(run):
        pass
    assert run.status().state == "finished"


def test_a_run_that_was_being_trained_when_its_folder_was_packed_is_interrupted(stopped, tmp_path, store):
    entries = files(stopped)
    for state in ("running", "paused", "waiting", "starting"):
        entries["status.json"] = json.dumps({"state": state, "message": "", "since": "2026-01-01T00:00:00+00:00"})
        entries["metrics.jsonl"] = (stopped.path / "metrics.jsonl").read_bytes() + b'{"event": "step", "lo'
        run = import_run(zipped(entries, tmp_path / "run.zip"), store)
        assert run.status().state == "interrupted"
        assert run.status().state.is_resumable
        same(run, stopped)  # without half a line
        shutil.rmtree(run.path)


def test_what_a_file_manager_packs_with_the_folder_is_left_out(finished, tmp_path, store):
    path = zipped(files(finished) | {"lock": "", "log.txt": "x", "tensorboard/events": "x"}, tmp_path / "run.zip")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("__MACOSX/some-run/._config.json", "x")
        file.mkdir("some-run")
    run = import_run(path, store)
    assert {path.name for path in run.path.iterdir()} == set(files(finished))
    # and the files alone, without their folder
    run = import_run(zipped(files(finished), tmp_path / "flat.zip", ""), store)
    same(run, finished)


def test_an_upload_is_a_file_that_is_open(finished, tmp_path, store):
    export_run(finished, tmp_path / "run.zip")
    run = import_run(io.BytesIO((tmp_path / "run.zip").read_bytes()), store)
    same(run, finished)


def test_a_run_is_packed_and_taken_in_in_a_shell(finished, tmp_path, store, capsys):
    where = ["--runs-dir", str(finished.path.parent)]
    assert main(["runs", "export", finished.id, "--out", str(tmp_path / "run.zip"), *where]) == 0
    assert main(["runs", "import", str(tmp_path / "run.zip"), "--runs-dir", str(store.folder)]) == 0
    assert finished.id in capsys.readouterr().out
    same(store.open(finished.id), finished)
    (tmp_path / "evil.zip").write_bytes(pickle.dumps(1))
    assert main(["runs", "import", str(tmp_path / "evil.zip"), "--runs-dir", str(store.folder)]) == 2
    assert "evil.zip is a pickle" in capsys.readouterr().err


def test_a_run_being_trained_or_without_weights_is_not_packed(small, stopped, finished, store, tmp_path):
    with pytest.raises(RunError, match="has no weights yet"):
        export_run(store.create(small), tmp_path / "run.zip")
    run = Run(shutil.copytree(stopped.path, store.folder / stopped.id))
    run.set_status(RunState.WAITING)
    with pytest.raises(RunError, match="is being trained or in line: stop it"):
        export_run(run, tmp_path / "run.zip")
    with pytest.raises(RunError, match=r"must end in \.zip"):
        export_run(finished, tmp_path / "run.tar")
    with pytest.raises(RunError, match=r"cannot be written to .*No such file"):
        export_run(finished, tmp_path / "none" / "run.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_run_that_is_too_large_to_come_back_is_not_packed(finished, tmp_path, monkeypatch):
    for limit in ("MOST_PACKED", "MOST_UNPACKED"):
        with monkeypatch.context() as patch:
            patch.setattr(run_archive, limit, 10_000)
            with pytest.raises(RunError, match="too large to be imported again"):
                export_run(finished, tmp_path / "run.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "some-run/../../evil", "/etc/evil", "..\\evil", "C:/evil", "\\evil"])
def test_names_that_lead_elsewhere_are_refused(name, finished, tmp_path, store):
    path = zipped(files(finished), tmp_path / "run.zip")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, "x")
    before = sorted(tmp_path.rglob("*"))
    refused(path, store, "holds a file that is not a run's, ")
    assert [found for found in sorted(tmp_path.rglob("*")) if found != store.folder] == before


def test_links_are_refused(finished, tmp_path, store):
    entries = files(finished)
    del entries["status.json"]
    path = zipped(entries, tmp_path / "run.zip")
    link = zipfile.ZipInfo("some-run/status.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    refused(path, store, "a link or a device")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("evil.sh", "not a run's"),
        ("sub/config.json", "not a run's"),
        ("CONFIG.JSON", "not a run's"),
        ("model.pkl", "not a run's"),
        ("weights.pt", "not a run's"),
        ("data.PTH", "not a run's"),
    ],
)
def test_other_files_are_refused(name, part, finished, tmp_path, store):
    refused(zipped(files(finished) | {name: b"x"}, tmp_path / "run.zip"), store, part)


@pytest.mark.parametrize("folder", ["Some Run", "x" * 100, "a_b", "é", "-a"])
def test_a_folder_whose_name_is_no_id_gets_one(folder, finished, tmp_path, store):
    run = import_run(zipped(files(finished), tmp_path / "run.zip", folder), store)
    assert is_id(run.id)
    same(run, finished)


@pytest.mark.parametrize("name", run_archive.NEEDED)
def test_a_zip_that_lacks_a_file_is_refused(name, finished, tmp_path, store):
    entries = files(finished)
    del entries[name]
    refused(zipped(entries, tmp_path / "run.zip"), store, f"lacks {name}")


def test_a_file_twice_is_refused(finished, tmp_path, store):
    path = zipped(files(finished), tmp_path / "run.zip")
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("some-run/config.json", "{}")
    refused(path, store, "holds 'config.json' twice")


def test_bombs_are_refused_before_they_are_unpacked(finished, tmp_path, store, monkeypatch):
    zeros = bytes(300 * 2**20)
    path = zipped(files(finished) | {"metrics.jsonl": zeros}, tmp_path / "run.zip")
    assert path.stat().st_size < 2**20
    refused(path, store, "holds more than it may")
    refused(zipped(files(finished) | {"config.json": zeros[: 2**21]}, path), store, "holds more than it may")
    # one whose list says that it is small
    content = bytearray(zipped(files(finished) | {"metrics.jsonl": zeros}, path).read_bytes())
    with zipfile.ZipFile(path) as file:
        size = struct.pack("<I", file.getinfo("some-run/metrics.jsonl").file_size)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<I", 10)))
    refused(path, store, "is cut, damaged|holds more than it may|are damaged from byte")
    monkeypatch.setattr(run_archive, "MOST_OF_ONE", 10_000)
    monkeypatch.setattr(run_archive, "MOST_UNPACKED", 10_000)  # all together
    refused(zipped(files(finished), path), store, "holds more than it may")


def test_a_zip_of_many_entries_is_refused_before_its_list_is_read(tmp_path, store):
    path = zipped({f"f{i}": b"" for i in range(20_000)}, tmp_path / "many.zip")
    refused(path, store, "more than the files of one run")
    with zipfile.ZipFile(path, "a") as file:
        file.comment = b"PK\x05\x06" + bytes(16) + b"\x01\x00"
    refused(path, store, "more than the files of one run")


def test_a_zip_is_read_however_it_is_packed_unless_it_is_encrypted(finished, tmp_path, store):
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        for name, content in files(finished).items():
            file.writestr(f"some-run/{name}", content)
    same(import_run(path, store), finished)
    shutil.rmtree(store.folder)
    content = bytearray(zipped(files(finished), path).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # says that it is encrypted
    path.write_bytes(content)
    refused(path, store, "packed in an unknown way")


def test_a_zip_that_is_cut_or_changed_anywhere_is_refused_or_whole(finished, tmp_path, store):
    whole = zipped(files(finished), tmp_path / "run.zip").read_bytes()
    path, chance = tmp_path / "cut.zip", random.Random(0)  # noqa: S311
    for length in [0, 1, 4, 21, 22, 100, *(chance.randrange(len(whole)) for _ in range(20)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path, store, "cut|neither")
    for _ in range(60):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            run = import_run(path, store)
        except RunError:
            assert list(store.folder.iterdir()) == []
            continue
        same(run, finished)  # only what does not count was changed, such as a date
        shutil.rmtree(run.path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_another_packing_that_is_damaged_is_refused(finished, tmp_path, store, packing):
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, content in files(finished).items():
            file.writestr(f"some-run/{name}", content)
    content = bytearray(path.read_bytes())
    for place in range(200, 1_000, 80):
        content[place] ^= 0xFF
    path.write_bytes(content)
    refused(path, store, "cut, damaged or packed")


def test_what_is_too_large_is_refused_unread(tmp_path, store):
    path = tmp_path / "large.zip"
    with open(path, "wb") as file:
        file.truncate(run_archive.MOST_PACKED + 1)
    refused(path, store, "large.zip is larger than 64 MB")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (pickle.dumps({"weights": 1}), "is a pickle"),
        (b"", "neither the zip"),
        (b"hello, this is text", "neither the zip"),
        (b"\x1f\x8b" + bytes(100), "neither the zip"),
    ],
)
def test_what_is_no_zip_and_no_safetensors_is_refused(content, part, tmp_path, store):
    (tmp_path / "file.zip").write_bytes(content)
    refused(tmp_path / "file.zip", store, part)


def test_torchs_own_files_are_refused(tmp_path, store):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pt")
    refused(tmp_path / "model.pt", store, "not a run's, 'model/data.pkl': only the zip")


def change_tensors(entries, name, change):
    path = pathlib.Path(entries["folder"]) / "changed"
    path.write_bytes(entries[name])
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        (
            "weights.safetensors",
            lambda t: t["layers.1.weight"].fill_(torch.nan),
            "weight' " + NOT_FINITE,
        ),
        ("weights.safetensors", lambda t: t["layers.1.bias"].fill_(torch.inf), "not finite"),
        (
            "weights.safetensors",
            lambda t: t.pop("layers.1.bias"),
            "bias' " + FOREIGN,
        ),
        (
            "weights.safetensors",
            lambda t: t.update(more=torch.zeros(1)),
            "more' " + FOREIGN,
        ),
        (
            "weights.safetensors",
            lambda t: t.update({"layers.1.bias": torch.zeros(17)}),
            FOREIGN,
        ),
        (
            "weights.safetensors",
            lambda t: t.update({"layers.1.bias": torch.zeros(16).double()}),
            FOREIGN,
        ),
        ("state.safetensors", lambda t: t["optimizer.0.exp_avg"].fill_(torch.nan), "not finite"),
        ("state.safetensors", lambda t: t.pop("optimizer.0.exp_avg"), FOREIGN),
        (
            "state.safetensors",
            lambda t: t.update({"optimizer.9.exp_avg": torch.zeros(1)}),
            FOREIGN,
        ),
        (
            "state.safetensors",
            lambda t: t.update({"best.layers.1.bias": torch.zeros(3)}),
            FOREIGN,
        ),
        ("state.safetensors", lambda t: t["progress"].fill_(1e9), "a longer training than its config"),
        ("state.safetensors", lambda t: t["progress"].fill_(-1), "none that a training can have"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(name, change, part, stopped, tmp_path, store):
    entries = files(stopped)
    entries[name] = change_tensors(entries | {"folder": tmp_path}, name, change)
    refused(zipped(entries, tmp_path / "run.zip"), store, part)


@pytest.mark.parametrize("name", ["weights.safetensors", "state.safetensors"])
@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: b"", lambda c: b"\x80\x04" * 50, lambda c: c[:8]])
def test_damaged_tensors_are_refused(name, damage, stopped, tmp_path, store):
    entries = files(stopped)
    entries[name] = damage(entries[name])
    refused(zipped(entries, tmp_path / "run.zip"), store, rf"The file {name} is damaged or no safetensors")


def test_tensors_of_another_run_are_refused(stopped, tmp_path, store):
    other = trained(dataclasses.replace(CONFIG, lr=0.02), RunStore(tmp_path / "other"), epochs=1)
    for name in ("weights.safetensors", "state.safetensors"):
        swapped = files(stopped) | {name: files(other)[name]}
        refused(zipped(swapped, tmp_path / "run.zip"), store, f"The file {name} belongs to another run")


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"lr": -1}, "cannot be used"),
        ({"heads": 8}, "comes from a newer version"),
        ({"model": "transformer"}, "comes from a newer version"),
        ([], "cannot be used"),
    ],
)
def test_configs_that_cannot_be_used_are_refused(config, part, finished, tmp_path, store):
    content = json.dumps({**CONFIG.to_dict(), **config} if isinstance(config, dict) else config)
    refused(zipped(files(finished) | {"config.json": content}, tmp_path / "run.zip"), store, part)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (b"{", "from byte .* on: Expecting property name"),
        (b"[]", "from byte .* on: it is no object"),
        (b'{"loss": 1}', "from byte .* on: it is no record of a kind in start, resume, "),
        (b"\xff", "from byte .* on: 'utf-8' codec can't decode"),
        (b'{"event": 3}', "from byte .* on: it is no record of a kind in start, resume, "),
        (b'{"event": "step", "step": 3}', "from byte .* on: it lacks accuracy, epoch, "),
        (b'{"event": "lr", "step": "1", "lr": 0.1}', "from byte .* on: its step cannot be '1'"),
        (b'{"event": "lr", "step": 1, "lr": true}', "from byte .* on: its lr cannot be True"),
        (b'{"event": "lr", "step": 1' + b"0" * 400 + b', "lr": 1}', "from byte .* on: a number is too large"),
        (b'{"event": "end", "reason": "bored"}', "from byte .* on: its reason cannot be 'bored'"),
        (b"[" * 100_000, "nested too deep|no record"),
    ],
)
def test_damaged_metrics_are_refused(line, part, finished, tmp_path, store):
    first, *rest = (finished.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    content = b"".join([first, line + b"\n", *rest])
    refused(zipped(files(finished) | {"metrics.jsonl": content}, tmp_path / "run.zip"), store, part)


def test_metrics_that_end_too_early_are_refused(finished, tmp_path, store):
    lines = (finished.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    for content in (b"", b"".join(lines[:-1]), b"".join(lines)[:-1]):
        refused(zipped(files(finished) | {"metrics.jsonl": content}, tmp_path / "run.zip"), store, "end before")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("status.json", "{", "is damaged"),
        ("status.json", '{"state": "flying", "since": "2026-01-01T00:00:00+00:00"}', "is damaged: .flying."),
        ("status.json", '{"state": 3, "since": "2026-01-01T00:00:00+00:00"}', "is damaged"),
        ("status.json", '{"state": "finished", "message": 3, "since": "2026-01-01T00:00:00+00:00"}', "is damaged"),
        ("status.json", '{"state": "finished", "since": "soon"}', "is damaged"),
        ("about.json", '{"name": 3}', "are damaged"),
        ("about.json", json.dumps({"name": "x" * 81}), "are damaged"),
        ("about.json", "[" * 100_000, "name and the note"),
    ],
)
def test_a_status_or_a_name_that_is_none_is_refused(name, content, part, finished, tmp_path, store):
    refused(zipped(files(finished) | {name: content}, tmp_path / "run.zip"), store, part)


def test_what_a_killed_import_left_is_removed_by_a_later_one(finished, tmp_path, store):
    for name, age in (("old", 7_200), ("of-now", 0)):
        folder = store.folder / f".import-{name}"
        folder.mkdir(parents=True)
        (folder / "weights.safetensors").touch()
        os.utime(folder, (time.time() - age, time.time() - age))
    import_run(zipped(files(finished), tmp_path / "run.zip"), store)
    assert [path.name for path in store.folder.glob(".import-*")] == [".import-of-now"]


def test_a_folder_that_is_read_only_is_said(finished, tmp_path, readable):
    folder, read_only = readable
    with (
        open(zipped(files(finished), tmp_path / "run.zip"), "rb") as file,
        read_only(),
        pytest.raises(RunError, match=r"cannot be imported to .*read-only"),
    ):
        import_run(file, RunStore(folder))


def test_a_place_that_is_no_folder_is_said(finished, tmp_path, store):
    store.folder.write_text("a file")
    with pytest.raises(RunError, match="cannot be imported to"):
        import_run(zipped(files(finished), tmp_path / "run.zip"), store)
    with pytest.raises(RunError, match="cannot be read: No such file"):
        import_run(tmp_path / "none.zip", store)


def test_a_runs_folder_packed_by_hand_is_imported_whole(finished, tmp_path, store):
    shutil.make_archive(str(tmp_path / "packed"), "zip", finished.path.parent, finished.path.name)
    run = import_run(tmp_path / "packed.zip", store)
    same(run, finished)
    for name in (weight_history.NAME, snapshots.NAME):
        assert (run.path / name).read_bytes() == (finished.path / name).read_bytes()


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"x": torch.zeros(1)}, "holds no networks of steps"),
        ({"3.x": torch.zeros(1, dtype=torch.int64)}, "holds no networks of steps"),
        ({"3.x": torch.zeros(1, dtype=torch.float16)}, "does not belong to this network"),
    ],
)
def test_snapshots_of_something_else_are_refused(tensors, words, finished, tmp_path, store):
    save_file(tensors, tmp_path / "changed")
    entries = files(finished) | {snapshots.NAME: (tmp_path / "changed").read_bytes()}
    refused(zipped(entries, tmp_path / "run.zip"), store, words)


@pytest.mark.parametrize(
    "tensors",
    [
        {"x": torch.zeros(1)},
        {"epochs": torch.tensor([0, 1])},
        {"epochs": torch.tensor([0, 1]), "weights": torch.zeros(3, 16, 784)},
        {"epochs": torch.tensor([[0], [1]]), "weights": torch.zeros(2, 16, 784)},
        {"epochs": torch.tensor([0.5, 1.0]), "weights": torch.zeros(2, 16, 784)},
        {"epochs": torch.tensor(3), "weights": torch.zeros(())},
    ],
)
def test_a_history_of_weights_that_is_none_is_refused(tensors, finished, tmp_path, store):
    save_file(tensors, tmp_path / "changed")
    entries = files(finished) | {weight_history.NAME: (tmp_path / "changed").read_bytes()}
    refused(zipped(entries, tmp_path / "run.zip"), store, f"{weight_history.NAME} holds no weights of epochs")


def test_a_history_of_another_networks_weights_is_refused(finished, tmp_path, store):
    save_file({"epochs": torch.tensor([0, 1]), "weights": torch.zeros(2, 17, 784)}, tmp_path / "changed")
    entries = files(finished) | {weight_history.NAME: (tmp_path / "changed").read_bytes()}
    refused(zipped(entries, tmp_path / "run.zip"), store, f"{weight_history.NAME} belongs to another network")


def test_a_damaged_history_of_weights_is_refused(finished, tmp_path, store):
    refused(
        zipped(files(finished) | {weight_history.NAME: b"x"}, tmp_path / "run.zip"), store, "first_layer.safetensors"
    )
