import json
import math
import sys

import pytest

from mnist_core.errors import ConfigError, LabError
from mnist_core.text import DEEPEST, LONGEST_QUOTE, data_size, parse_json, quoted, shorten, whole_number


def nested(levels: int) -> str:
    """An object within objects, so many levels in all."""
    return '{"a":' * levels + "1" + "}" * levels


def test_json_that_is_an_object_is_read_from_text_and_from_bytes():
    values = {"a": [1, -2.5, None, True, {"b": "é\n\U0001f600"}], "": 10**299}
    for text in (json.dumps(values), json.dumps(values, ensure_ascii=False), json.dumps(values, indent=2)):
        assert parse_json(text) == values
        assert parse_json(text.encode()) == values
    assert parse_json(nested(DEEPEST)) == json.loads(nested(DEEPEST))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(nested(DEEPEST + 1), "nested too deep", id="deep"),
        pytest.param(nested(3_000), "nested too deep", id="deeper"),
        pytest.param('{"a":' + "[" * 300_000, "nested too deep", id="deepest"),
        pytest.param('{"a": [' + "[{}]," * 40 + nested(40) + "]}", "nested too deep", id="deep-behind-flat"),
        pytest.param(f'{{"a": {"9" * 5_000}}}', "too large", id="huge"),
        pytest.param(f'{{"a": {"9" * 400}}}', "too large", id="large"),
        ('{"a": 1e999}', "too large"),
        ('{"a": -1e999}', "too large"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": [Infinity]}', "Infinity is no JSON"),
        ('{"a": -Infinity}', "-Infinity is no JSON"),
        ('{"a": "\\ud800"}', "surrogates not allowed"),
        ('{"\\udfff": 1}', "surrogates not allowed"),
        ('{"a": "\ud800"}', "surrogates not allowed"),
        (b'{"a": "\xff"}', "utf-8"),
        ('{"a": 1}'.encode("utf-16"), "utf-8"),
        (b"\xef\xbb\xbf{}", "Expecting value"),
        ("[]", "no object"),
        ("3", "no object"),
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("{} {}", "Extra data"),
        ("\0" * 100, "Expecting value"),
    ],
)
def test_any_other_text_is_refused_in_few_words(text, said):
    with pytest.raises(ValueError, match=said) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 200


def test_whole_numbers_are_ascii_digits_and_not_too_many():
    assert [whole_number(text) for text in ("0", "007", "9" * 18)] == [0, 7, 10**18 - 1]


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.5", " 1", "1_000", "1\n", "²", "٣", "\uff11", "x", "9" * 19, "9" * 5_000]
)
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(ValueError, match="no whole number") as caught:
        whole_number(text)
    assert len(str(caught.value)) < 2 * LONGEST_QUOTE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("fast", "'fast'"),
        ("", "''"),
        ("a\n\ud800", "'a\\n\\ud800'"),
        (None, "None"),
        (True, "True"),
        (70_000, "70,000"),
        (-3, "-3"),
        (0.25, "0.25"),
        (1e30, "1e+30"),
        (math.nan, "nan"),
        ([1, "x"], "[1, 'x']"),
        ({"a": None}, "{'a': None}"),
    ],
)
def test_a_value_is_quoted_as_it_is_written(value, text):
    assert quoted(value) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 100_000, id="text"),
        pytest.param(["x" * 100_000] * 100_000, id="list"),
        pytest.param({"x" * 100_000: {"y": "z" * 100_000}}, id="dict"),
        pytest.param(10**100_000, id="int"),
        pytest.param(-(10**100_000), id="negative"),
        pytest.param([10**100_000], id="int-in-list"),
        pytest.param(b"x" * 100_000, id="bytes"),
    ],
)
def test_a_quoted_value_is_never_long(value):
    assert 3 <= len(quoted(value)) <= LONGEST_QUOTE


def test_a_nested_value_can_be_quoted():
    value: list = []
    for _ in range(2 * sys.getrecursionlimit()):
        value = [value]
    assert quoted(value) == "[[[[...]]]]"


def test_what_is_shortened_keeps_its_beginning_and_its_end():
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abcdefghijk", 10) == "abcdef…ijk"
    assert shorten("abc", 1) == "…"


def test_no_refusal_is_long():
    for error in (LabError("x" * 88_760 + " Do this."), ConfigError("lr", "x" * 88_760 + " Do this.")):
        assert len(str(error)) <= 1_000
        assert str(error).endswith(" Do this.")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 kB"),
        (12_345, "12 kB"),
        (994_999, "995 kB"),
        (995_000, "1 MB"),
        (994_900_000, "995 MB"),
        (995_000_000, "1.0 GB"),
        (7_345_000_000, "7.3 GB"),
    ],
)
def test_bytes_as_people_write_them(size, words):
    assert data_size(size) == words
