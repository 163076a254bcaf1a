"""The journal of a run: append-only JSON rows. Knows files; knows nothing of what the events mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..machine.files import extend
from .events import Event
from .events.codec import from_row, to_row


class Journal:
    """Append-only JSON rows; the only writer of a run's history.

    A torn last line (a crash in the middle of a write) is cut off before the next append. A full disk keeps rows
    in memory until there is room again: the run must go on to release its pod.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten = b""
        self._end = self._cut_torn_tail()

    def _cut_torn_tail(self) -> int:
        if not self.path.exists():
            return 0
        with self.path.open("r+b") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)
        return whole

    def append(self, event: Event, common: dict[str, Any], *, must: bool = False) -> bool:
        """Whether the event is on disk. With `must`, raises OSError rather than keep it in memory."""
        row = {**to_row(event)}
        row |= {k: v for k, v in common.items() if v is not None and k not in row}
        line = json.dumps(row).encode() + b"\n"
        try:
            extend(self.path, self._unwritten + line, self._end, synced=True)
        except OSError:
            if must:
                raise
            self._unwritten += line
            return False
        self._end += len(self._unwritten + line)
        self._unwritten = b""
        return True

    def read(self) -> list[Event]:
        """All events that we know, in order."""
        return [event for row in rows(self.path) if (event := from_row(row)) is not None]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The whole, readable rows of a JSONL file; none if there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                yield row
