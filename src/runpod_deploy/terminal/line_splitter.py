"""Output as lines for people: pieces of output, and progress bars that overwrite themselves, become lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..spec.visible import visible

# A line that never ends, such as binary garbage, is cut here.
LONGEST_BYTES = 1 << 16
COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
"""Many programs colour their output, whoever reads it; the colours are dropped, and every other code is escaped."""


class Lines:
    """Makes whole lines from pieces of output. It keeps an unfinished line, and of a progress bar the last state."""

    def __init__(self) -> None:
        self._open = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes complete."""
        *whole, rest = (self._open + data).split(b"\n")
        self._open = last_state(rest) if len(rest) > LONGEST_BYTES else rest
        if len(self._open) > LONGEST_BYTES:
            whole, self._open = [*whole, self._open], b""
        return [shown(piece) for line in whole for piece in pieces(last_state(line))]

    def unfinished(self) -> str:
        """The line whose end has not come yet."""
        return shown(self._open)

    def finish(self) -> list[str]:
        """The last line, if the output ended without a newline."""
        rest, self._open = self._open, b""
        return [shown(rest)] if rest else []


def pieces(line: bytes) -> Iterator[bytes]:
    """The line in pieces that are not too long."""
    for begin in range(0, max(1, len(line)), LONGEST_BYTES):
        yield line[begin : begin + LONGEST_BYTES]


def last_state(line: bytes) -> bytes:
    """The part of a line that a terminal would show: what is before the last carriage return is overwritten."""
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1]


def shown(line: bytes) -> str:
    """The line as text that is safe to show."""
    text = COLOUR.sub(b"", last_state(line)).decode(errors="replace")
    return visible(text.rstrip(), keep="\t")
