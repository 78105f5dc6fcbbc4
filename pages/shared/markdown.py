"""Text of users among a page's own."""

import re


def plain(text: str) -> str:
    """`text` for an element that reads Markdown, so that it shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])", r"\\\1", text)
