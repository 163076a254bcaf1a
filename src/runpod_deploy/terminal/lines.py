"""Output as lines for people: what comes in pieces, with progress bars that overwrite themselves. Pure."""

from __future__ import annotations

# A line that never ends, such as binary garbage, is cut here.
LONGEST_BYTES = 1 << 16


class Lines:
    """Pieces of output in, whole lines out; what has no end yet is kept, of a progress bar its last state."""

    def __init__(self) -> None:
        self._open = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes complete."""
        *whole, rest = (self._open + data).split(b"\n")
        self._open = last_state(rest) if len(rest) > LONGEST_BYTES else rest
        if len(self._open) > LONGEST_BYTES:
            whole, self._open = [*whole, self._open], b""
        return [shown(line) for line in whole]

    def unfinished(self) -> str:
        """The line that has no end yet."""
        return shown(self._open)

    def finish(self) -> list[str]:
        """The last line, if the output ended without an end of line."""
        rest, self._open = self._open, b""
        return [shown(rest)] if rest else []


def last_state(line: bytes) -> bytes:
    """What a terminal would show of a line: all before the last carriage return is overwritten."""
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1]


def shown(line: bytes) -> str:
    """The line as text that obeys nobody."""
    return printable(last_state(line).decode(errors="replace").rstrip())


def printable(text: str) -> str:
    """The text without control characters, which a job may print and a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
