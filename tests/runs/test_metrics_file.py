import json

import pytest

from mnist_core.errors import RunError
from mnist_core.runs.metrics_file import appending, read, read_end
from tests.sample_records import end, epoch, resume, start, step

RECORDS = [start(), step(loss=0.1 + 0.2), step(step=40), epoch(), end()]


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_what_is_appended_is_read(path):
    with appending(path) as recorder:
        for count, record in enumerate(RECORDS, start=1):
            recorder.append(record)
            assert read(path) == (RECORDS[:count], path.stat().st_size)
        recorder.sync()


def test_reading_goes_on_from_an_offset(path):
    found, offset = [], 0
    with open(path, "ab", buffering=0) as file:
        for byte in lines(*RECORDS):
            file.write(bytes([byte]))
            more, offset = read(path, offset)
            found += more
            assert offset == len(lines(*RECORDS[: len(found)]))
    assert found == RECORDS


def test_steps_can_be_left_out(path):
    path.write_bytes(lines(*RECORDS))
    assert read(path, steps=False) == ([RECORDS[0], RECORDS[3], RECORDS[4]], path.stat().st_size)


def test_a_missing_file_holds_no_records(path):
    assert read(path) == ([], 0)
    assert read(path, 7) == ([], 7)


def test_an_empty_file_holds_no_records(path):
    path.touch()
    assert read(path) == ([], 0)


def test_a_file_that_cannot_be_read_is_said(path):
    path.mkdir()
    for reader in (read, read_end):
        with pytest.raises(RunError, match=r"The metrics in .* cannot be read: "):
            reader(path)


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
        lines(step(loss=float("nan")))[:-1],
        lines(start(epochs=0))[:-1],
    ],
)
def test_a_line_that_is_no_record_is_damage(path, line):
    whole = lines(start())
    path.write_bytes(whole + line + b"\n" + lines(end()))
    with pytest.raises(RunError, match=rf"metrics in .* are damaged from byte {len(whole)} on: ") as caught:
        read(path)
    assert caught.value.records == [start()]
    assert caught.value.offset == len(whole)
    assert read_end(path) == end()  # which the damage does not touch


def test_a_new_line_within_a_records_text_does_not_end_it(path):
    record = end(advice="one\ntwo\r\nthree\u2028four\x85five")
    with appending(path) as recorder:
        recorder.append(record)
    assert read(path)[0] == [record]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", None),
        (lines(start()), None),
        (lines(step(), end(epoch=2)), end(epoch=2)),
        (lines(end(), resume()), None),
        (lines(end()) + b'{"event": "st', None),
        (lines(step()) + b"\0\0\0\n", None),
        (lines(*[step()] * 10_000, end(seconds=0.5)), end(seconds=0.5)),
    ],
)
def test_the_end_is_the_last_line(path, text, expected):
    assert read_end(path) is None
    path.write_bytes(text)
    assert read_end(path) == expected
