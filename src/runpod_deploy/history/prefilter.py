"""Finds lines that may meet conditions by their raw bytes, so that only those are parsed. Misses none.

A text in a JSON line is written as it is, or with escapes. ASCII characters without a short escape (such as
`\\n`, `\\"`, `\\/`) can hide only behind `\\u00`: so a line that holds neither them nor that lacks the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .conditions import Condition, as_number

SAMPLE_BYTES = 4096
ESCAPE = b"\\u00"
"""How every escape of an ASCII character by number starts."""
PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
"""ASCII without quote, slash, backslash and controls: what has no short escape in JSON."""
WHOLE_NUMBER = re.compile(r"-?\d+", re.ASCII)


class Prefilter:
    """The bytes that a line must hold to meet all the conditions, unless it holds an escape."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        found = {needle for condition in conditions for needle in needles(condition)}
        self.needles = sorted(found, key=len, reverse=True)

    def lines(self, block: bytes) -> Iterator[bytes]:
        """The lines of the block that may meet the conditions, in order.

        The first and the last line are always among them, so that a foreign file and a torn tail are noticed.
        """
        rarest = self._rarest(block[:SAMPLE_BYTES])
        if rarest is None:
            yield from block.split(b"\n")
            return
        middle = block.find(b"\n") + 1
        last = max(block.rfind(b"\n", 0, len(block) - 1) + 1, middle)
        yield block[:middle]
        yield from self._between(block, rarest, middle, last)
        yield block[last:]

    def _rarest(self, sample: bytes) -> bytes | None:
        """The needle that the fewest lines hold; None if nearly all lines hold all of them."""
        rarest = min(self.needles, key=sample.count, default=b"\n")
        return rarest if 2 * sample.count(rarest) < sample.count(b"\n") else None

    def _between(self, block: bytes, rarest: bytes, start: int, stop: int) -> Iterator[bytes]:
        marks = [rarest, ESCAPE] if b"\\" in block else [rarest]
        for line in lines_with(block, marks, start, stop):
            if ESCAPE in line or all(needle in line for needle in self.needles):
                yield line


def needles(condition: Condition) -> Iterator[bytes]:
    """Bytes that every line without an escape must hold to meet the condition."""
    if condition.operator != "!=":
        yield from longest_plain(condition.key)
    if condition.operator == "=" and written_as_is(condition.value):
        yield from longest_plain(condition.value)


def written_as_is(value: str) -> bool:
    """Whether a field whose `str()` is this value stands in JSON with the same characters."""
    if value in ("True", "False", "None") or value.startswith(("[", "{")):
        return False
    return as_number(value) is None or WHOLE_NUMBER.fullmatch(value) is not None


def longest_plain(text: str) -> Iterator[bytes]:
    """The longest part of the text that has no short escape, if there is any."""
    if parts := PLAIN.findall(text):
        yield max(parts, key=len).encode()


def lines_with(block: bytes, marks: Sequence[bytes], start: int, stop: int) -> Iterator[bytes]:
    """The lines between two places that hold any of the marks, each once, in order."""
    hits = {mark: block.find(mark, start, stop) for mark in marks}
    while found := [at for at in hits.values() if at >= 0]:
        begin = block.rfind(b"\n", start, min(found)) + 1 or start
        end = block.find(b"\n", min(found), stop)
        yield block[begin:end]
        for mark, at in hits.items():
            if 0 <= at < end:
                hits[mark] = block.find(mark, end, stop)
