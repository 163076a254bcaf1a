"""Text from outside as text that is safe to show. Pure; knows no stream.

A pod, an answer or a run folder may hold any characters, and a terminal, a viewer of logs or a browser obeys some of
them. Everything that is shown to people goes through here, at the few places that write it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

MOST_MARKS = 4
"""No script puts more marks on one letter; a longer pile would cover the lines around it."""
LONGEST_CHARS = 4000
"""A message of more characters is cut: it would push everything else off the screen."""


def visible(text: str, *, keep: str = "") -> str:
    """The text on one line: controls, changes of direction, halves of characters and piles of marks are escaped.

    The characters in `keep` stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(visible_chars(text, keep))


def visible_chars(text: str, keep: str) -> Iterator[str]:
    """Each character as it is, or as an escape such as `\\x1b`."""
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char).startswith("M") else 0
        safe = char in keep or (char.isprintable() and marks <= MOST_MARKS)
        yield char if safe else char.encode("unicode_escape").decode()


def shortened(text: str, most: int = LONGEST_CHARS) -> str:
    """The text, cut with `…` if it has more characters than that."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
