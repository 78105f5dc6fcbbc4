"""Text from outside the program: numbers and JSON read from it, and values quoted in messages."""

import json
import math
import re
import reprlib
from typing import Any

LONGEST_QUOTE = 80  # characters of a quoted value
MOST_DIGITS = 300  # of a JSON integer, so that it is finite as a float
DEEPEST = 32  # levels of nested JSON


def shorten(text: str, longest: int) -> str:
    """`text`, or its beginning and end where it has more than `longest` characters."""
    if len(text) <= longest:
        return text
    end = (longest - 1) // 3
    return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"


def quoted(value: object) -> str:
    """`value` as a message quotes it, in at most LONGEST_QUOTE characters: a number with commas, or else the repr."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _SHORT.repr_int(value, 0) if isinstance(value, int) else f"{value:,}"
    return shorten(_SHORT.repr(value), LONGEST_QUOTE)


def data_size(size: int) -> str:
    """Bytes as people write them: "7.3 GB", "490 MB", "12 kB"."""
    if size >= 995_000_000:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 995_000 else f"{size / 1e3:.0f} kB"


def whole_number(text: str) -> int:
    """The number that `text` writes in 1 to 18 ASCII digits. Raises ValueError for any other text."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f"{quoted(text)} is no whole number")
    return int(text)


def parse_json(text: str | bytes) -> dict[str, Any]:
    """The JSON object that `text` holds; bytes are UTF-8.

    Every number in it is finite as a float, and every string can be encoded. Raises ValueError, and nothing else, where
    that is not so and for objects nested deeper than DEEPEST levels.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(value, DEEPEST)
    if "\\u" in text or not text.isascii():
        json.dumps(value, ensure_ascii=False).encode()  # raises UnicodeEncodeError, a ValueError, for half a character
    return value


def _check_depth(value: object, levels: int) -> None:
    if isinstance(value, dict | list):
        if not levels:
            raise ValueError("it is nested too deep")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, levels - 1)


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _finite_int(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_finite_float, parse_int=_finite_int, parse_constant=_refuse_constant)


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = LONGEST_QUOTE
        self.maxother = LONGEST_QUOTE
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        """Also of one that Python refuses to write, as it has thousands of digits."""
        digits = int(x.bit_length() * math.log10(2)) + 1
        return f"a number of {digits:,} digits" if digits > 20 else f"{x:,}"


_SHORT = _Short()
