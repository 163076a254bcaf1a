"""A search of raw bytes for lines that may meet conditions, so that only those are parsed. It misses no line.

A text in a JSON line is written as it is, or with escapes. ASCII characters that have no short escape (such as `\\n`,
`\\"` or `\\/`) can only be written as they are or as `\\u00..`. A line with neither does not contain the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .blocks import Bytes
from .conditions import Condition, as_number

SAMPLE_BYTES = 4096
ESCAPE = b"\\u00"
"""The start of every numeric escape of an ASCII character."""
PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
"""ASCII without quote, slash, backslash and control characters: those have no short escape in JSON."""
WHOLE_NUMBER = re.compile(r"-?\d+", re.ASCII)


class Prefilter:
    """The bytes that a line must contain to meet all the conditions, unless it contains an escape."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        found = {needle for condition in conditions for needle in needles(condition)}
        self.needles = sorted(found, key=len, reverse=True)

    def lines(self, block: Bytes, end: int) -> Iterator[Bytes]:
        """The lines of the block, up to its end, that may meet the conditions, in order.

        The first and the last line are also returned if they do not look like objects, so that a file of another
        kind and an incomplete last line are noticed.
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
        """Whether any of these lines may match, from one search for each needle over all of them."""
        if all(block.find(needle, start, stop) >= 0 for needle in self.needles):
            return True
        return has_escape(block, start, stop)

    def _between(self, block: Bytes, start: int, stop: int) -> Iterator[Bytes]:
        rarest = self._rarest(block[start : min(stop, start + SAMPLE_BYTES)])
        if rarest is None:
            yield from block[start:stop].split(b"\n")
            return
        wanted = [rarest, ESCAPE] if has_escape(block, start, stop) else [rarest]
        yield from filter(self._fits, lines_with(block, wanted, start, stop))

    def _rarest(self, sample: Bytes) -> bytes | None:
        """The needle that the fewest lines contain; None if nearly all lines contain all of them."""
        rarest = min(self.needles, key=sample.count, default=b"\n")
        return rarest if 2 * sample.count(rarest) < sample.count(b"\n") else None

    def _fits(self, line: Bytes) -> bool:
        return ESCAPE in line or all(needle in line for needle in self.needles)


def has_escape(block: Bytes, start: int, stop: int) -> bool:
    """Whether there is an escape between the two places. A search for one byte first is much faster."""
    at = block.find(b"\\", start, stop)
    return at >= 0 and block.find(ESCAPE, at, stop) >= 0


def is_closed(line: Bytes) -> bool:
    """Whether the line begins and ends as a JSON object does."""
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


def needles(condition: Condition) -> Iterator[bytes]:
    """Bytes that every line without an escape must contain to meet the condition."""
    if condition.operator != "!=":
        yield from longest_plain(condition.key)
    if condition.operator == "=" and written_as_is(condition.value):
        yield from longest_plain(condition.value)


def written_as_is(value: str) -> bool:
    """Whether JSON writes a field whose `str()` is this value with the same characters."""
    if value in ("True", "False", "None") or value.startswith(("[", "{")):
        return False
    return as_number(value) is None or WHOLE_NUMBER.fullmatch(value) is not None


def longest_plain(text: str) -> Iterator[bytes]:
    """The longest part of the text without characters that have a short escape, if there is any."""
    if parts := PLAIN.findall(text):
        yield max(parts, key=len).encode()


def lines_with(block: Bytes, wanted: Sequence[bytes], start: int, stop: int) -> Iterator[Bytes]:
    """The lines between two places that contain any of the wanted bytes, each once, in order."""
    hits = {needle: block.find(needle, start, stop) for needle in wanted}
    while found := [at for at in hits.values() if at >= 0]:
        begin = block.rfind(b"\n", start, min(found)) + 1 or start
        end = block.find(b"\n", min(found), stop)
        yield block[begin:end]
        for needle, at in hits.items():
            if 0 <= at < end:
                hits[needle] = block.find(needle, end, stop)
