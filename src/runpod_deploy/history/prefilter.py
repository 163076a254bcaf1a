"""Finds lines that may meet conditions by their raw bytes, so that only those are parsed. Misses none.

A text in a JSON line is written as it is, or with escapes. ASCII characters without a short escape (such as
`\\n`, `\\"`, `\\/`) can hide only behind `\\u00`: so a line that holds neither them nor that lacks the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .blocks import Bytes
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

    def lines(self, block: Bytes, end: int) -> Iterator[Bytes]:
        """The lines of the block, up to its end, that may meet the conditions, in order.

        Its first and its last line are among them if they are no object by the look of it: a foreign file and a torn
        tail are noticed.
        """
        first = block.find(b"\n", 0, end) + 1
        last = max(block.rfind(b"\n", first, end - 1) + 1, first)
        yield from self._edge(block[:first])
        if self._may_match(block, first, last):
            yield from self._between(block, first, last)
        yield from self._edge(block[last:end])

    def _edge(self, line: Bytes) -> Iterator[Bytes]:
        if not is_closed(line) or self._fits(line):
            yield line

    def _may_match(self, block: Bytes, start: int, stop: int) -> bool:
        """Whether one look for each needle does not settle it for all these lines."""
        if all(block.find(needle, start, stop) >= 0 for needle in self.needles):
            return True
        return has_escape(block, start, stop)

    def _between(self, block: Bytes, start: int, stop: int) -> Iterator[Bytes]:
        rarest = self._rarest(block[start : min(stop, start + SAMPLE_BYTES)])
        if rarest is None:
            yield from block[start:stop].split(b"\n")
            return
        marks = [rarest, ESCAPE] if has_escape(block, start, stop) else [rarest]
        yield from filter(self._fits, lines_with(block, marks, start, stop))

    def _rarest(self, sample: Bytes) -> bytes | None:
        """The needle that the fewest lines hold; None if nearly all lines hold all of them."""
        rarest = min(self.needles, key=sample.count, default=b"\n")
        return rarest if 2 * sample.count(rarest) < sample.count(b"\n") else None

    def _fits(self, line: Bytes) -> bool:
        return ESCAPE in line or all(needle in line for needle in self.needles)


def has_escape(block: Bytes, start: int, stop: int) -> bool:
    """Whether an escape stands between the two places. A single byte is looked for much faster than several."""
    at = block.find(b"\\", start, stop)
    return at >= 0 and block.find(ESCAPE, at, stop) >= 0


def is_closed(line: Bytes) -> bool:
    """Whether the line begins and ends as a JSON object does."""
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


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


def lines_with(block: Bytes, marks: Sequence[bytes], start: int, stop: int) -> Iterator[Bytes]:
    """The lines between two places that hold any of the marks, each once, in order."""
    hits = {mark: block.find(mark, start, stop) for mark in marks}
    while found := [at for at in hits.values() if at >= 0]:
        begin = block.rfind(b"\n", start, min(found)) + 1 or start
        end = block.find(b"\n", min(found), stop)
        yield block[begin:end]
        for mark, at in hits.items():
            if 0 <= at < end:
                hits[mark] = block.find(mark, end, stop)
