"""The journal of a run: one JSON row an event, only ever appended to. Knows files; knows nothing of what events mean.

Anybody may read it at any time, and reading changes nothing. Only the process that holds the run's lock writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..machine.files import extend, open_own
from ..machine.limits import LONGEST_ROW_BYTES
from ..machine.reading import read_lines
from ..spec.strict_json import dumps, loads
from .events import Event, Skipped, from_row, ignore, to_row

PIECE_BYTES = 1 << 16
TOO_LONG = b"a row that is too long"


def read_events(path: Path, skipped: Skipped = ignore) -> Iterator[Event]:
    """The events of a journal, in order; none if there is no file. Raises OSError.

    Rows of other tools and of other versions are skipped, with a sentence about each, and so are rows that nobody has
    written in good faith: a run must not hide behind one. A last line that is not whole yet is not looked at: its
    writer may be in the middle of it.
    """
    if not path.exists():
        return
    for number, line in enumerate(read_lines(path, LONGEST_ROW_BYTES, TOO_LONG), start=1):
        if not line.endswith(b"\n"):
            return
        if (event := read_line(line, number, skipped)) is not None:
            yield event


def read_line(line: bytes, number: int, skipped: Skipped) -> Event | None:
    """The event of the line with this number, or None."""
    try:
        row = loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        skipped(f"line {number}: not a JSON object")
        return None
    return from_row(row, lambda why: skipped(f"line {number}: {why}"))


@dataclass(slots=True)
class SkippedRows:
    """Counts what could not be read of a journal, so that it can be named once."""

    count: int = 0
    first: str = ""

    def __call__(self, sentence: str) -> None:
        """One more sentence about what was skipped."""
        self.count += 1
        self.first = self.first or sentence

    def __str__(self) -> str:
        return f"skipped {self.count} rows or fields that this version does not know, first on {self.first}"


class Journal:
    """The writer of a journal. The run's lock must be held from the first append on.

    A torn last line, which a crash has left in the middle of a write, is cut off before the first append. A full
    disk keeps rows in memory until there is room again: the run must go on to release its pod.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten = b""
        self._end: int | None = None

    def append(self, event: Event, common: dict[str, Any], *, must: bool = False) -> bool:
        """Whether the event is on disk, with the common fields that it does not have itself.

        With `must`, raises OSError rather than keep the event in memory.
        """
        row = to_row(event)
        row |= {k: v for k, v in common.items() if v is not None and k not in row}
        line = dumps(row).encode() + b"\n"
        try:
            self._write(self._unwritten + line)
        except OSError:
            if must:
                raise
            self._unwritten += line
            return False
        self._unwritten = b""
        return True

    def flush(self) -> None:
        """Every event is on disk. Raises OSError if one is not."""
        if self._unwritten:
            self._write(self._unwritten)
            self._unwritten = b""

    def _write(self, data: bytes) -> None:
        """The data is at the end of the file. Raises OSError, and then the file is as it was."""
        if self._end is None:
            self._end = cut_torn_line(self.path)
        extend(self.path, data, self._end, synced=True)
        self._end += len(data)


def cut_torn_line(path: Path) -> int:
    """The length of the file, which now ends with a whole line; 0 if there is no file. Raises OSError."""
    if not path.exists():
        return 0
    with open(path, "r+b", opener=open_own) as file:
        length = file.seek(0, os.SEEK_END)
        whole = end_of_rows(file, length)
        if whole < length:
            file.truncate(whole)
    return whole


def end_of_rows(file: BinaryIO, length: int) -> int:
    """The place behind the last line end of a file of this length; 0 if it has none. Reads a piece at a time."""
    for end in range(length, 0, -PIECE_BYTES):
        begin = max(0, end - PIECE_BYTES)
        file.seek(begin)
        if (found := file.read(end - begin).rfind(b"\n")) >= 0:
            return begin + found + 1
    return 0
