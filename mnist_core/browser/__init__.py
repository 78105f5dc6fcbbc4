"""A network at work in a browser, in JavaScript without dependencies: each file is a module that can be read by itself.

`joined` makes one module of several, for a page that has no server to load them from.
"""

import pathlib
import re

FOLDER = pathlib.Path(__file__).parent
# What shows an answer, each module behind those that it imports from.
ANSWER = ("preparation", "forward", "stages", "arithmetic", "picture", "answer")


def joined(*names: str) -> str:
    """The modules of these names as one, in this order: each behind those that it imports from."""
    texts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return "\n".join(re.sub(r"^(import .*\n|export (?!default))", "", text, flags=re.MULTILINE) for text in texts)


def style() -> str:
    """The style sheet of an answer."""
    return (FOLDER / "answer.css").read_text(encoding="utf-8")
