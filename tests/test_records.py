import json

import pytest

from mnist_core.errors import RunError
from mnist_core.records import Recorder, read_end, read_records
from tests.conftest import NESTED

RECORDS = [{"event": "start", "data": "sample"}, {"event": "step", "step": 1, "loss": 0.1 + 0.2}, {"event": "end"}]


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with open(path, "a", encoding="utf-8") as file:
        recorder = Recorder(file)
        for count, record in enumerate(RECORDS, start=1):
            recorder.append(record)
            assert read_records(path) == (RECORDS[:count], path.stat().st_size)
        recorder.sync()


def test_reading_goes_on_from_an_offset(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps(record).encode() + b"\n" for record in RECORDS]
    found, offset = [], 0
    with open(path, "ab", buffering=0) as file:
        for byte in b"".join(lines):
            file.write(bytes([byte]))
            more, offset = read_records(path, offset)
            found += more
            assert offset == sum(map(len, lines[: len(found)]))
    assert found == RECORDS


def test_a_missing_file_holds_no_records(tmp_path):
    assert read_records(tmp_path / "none") == ([], 0)
    assert read_records(tmp_path / "none", 7) == ([], 7)


def test_an_empty_file_holds_no_records(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.touch()
    assert read_records(path) == ([], 0)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"",
        b"3",
        b"null",
        b'"event"',
        b'["event"]',
        b'{"loss": 1}',
        b'{"event": "step"',
        b'{"event": "\xff"}',
        b'{"event": "st\0\0\0\0\0\0\0\0{"event": "epoch"}',  # a power cut
        b"\0" * 4096,
        b'{"event": "epoch", "val_loss": Infinity}',
        b'{"event": "epoch", "val_loss": 1e999}',
        pytest.param(NESTED.encode(), id="nested"),
        pytest.param(b'{"event": "step", "step": ' + b"9" * 5_000 + b"}", id="huge"),
    ],
)
def test_a_line_that_is_no_record_is_damage(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    whole = b'{"event": "start"}\n'
    path.write_bytes(whole + line + b'\n{"event": "end"}\n')
    with pytest.raises(RunError, match=r"metrics in .* are damaged from byte 19 on, and read up to there: ") as caught:
        read_records(path)
    assert caught.value.records == [{"event": "start"}]
    assert caught.value.offset == len(whole)
    assert read_end(path) == {"event": "end"}  # which the damage does not touch


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_never_written(tmp_path, loss):
    path = tmp_path / "metrics.jsonl"
    with open(path, "a", encoding="utf-8") as file, pytest.raises(ValueError, match="not JSON compliant"):
        Recorder(file).append({"event": "step", "loss": loss})
    assert path.read_bytes() == b""


def test_a_new_line_within_a_records_text_does_not_end_it(tmp_path):
    path = tmp_path / "metrics.jsonl"
    record = {"event": "end", "advice": "one\ntwo\r\nthree\u2028four\x85five"}
    with open(path, "a", encoding="utf-8") as file:
        Recorder(file).append(record)
    assert read_records(path)[0] == [record]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", {}),
        (b'{"event": "start"}\n', {}),
        (b'{"event": "step"}\n{"event": "end", "epoch": 2}\n', {"event": "end", "epoch": 2}),
        (b'{"event": "end"}\n{"event": "resume"}\n', {}),
        (b'{"event": "end"}\n{"event": "st', {}),
        (b'{"event": "step"}\n\0\0\0\n', {}),
        (b'{"event": "step"}\n' * 10_000 + b'{"event": "end", "seconds": 0.5}\n', {"event": "end", "seconds": 0.5}),
    ],
)
def test_the_end_is_the_last_line(tmp_path, text, end):
    path = tmp_path / "metrics.jsonl"
    assert read_end(path) == {}
    path.write_bytes(text)
    assert read_end(path) == end
