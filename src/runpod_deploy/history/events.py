"""One run's events, read leniently and shown as lines. Knows JSON lines; knows no event by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ..spec.instants import parse_instant
from .blocks import Bytes, lines_in
from .folders import EVENTS_NAME, Unreadable, why_unreadable

Row = dict[str, Any]
AROUND = "\ufeff \t\r\n"
"""What may stand around a row: white space, and the mark that some editors put before the first."""
decode = json.JSONDecoder().raw_decode


def read_events(path: Path | str, unreadable: Unreadable) -> Iterator[Row]:
    """The rows of that file, or of that run dir, in order. Lines that are no JSON object are told of once."""
    place = str(events_path(Path(path)))
    bad = BadLines(place, unreadable)
    try:
        for index, line in enumerate(lines_in(place), start=1):
            if (row := parse_row(line)) is not None:
                yield row
            elif line.strip():
                bad.note(index)
    except OSError as error:
        unreadable(place, why_unreadable(error))
    bad.tell()


def events_path(path: Path) -> Path:
    """The file itself, given it or its run dir."""
    return path / EVENTS_NAME if path.is_dir() else path


def parse_row(line: Bytes) -> Row | None:
    """The row that this line holds; None if it holds none."""
    try:
        text = line.decode().strip(AROUND)
        # A third of the time of json.loads, which looks for an encoding first.
        row, end = decode(text)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and end == len(text) else None


class BadLines:
    """Remembers that lines of one file cannot be read, to name the file once."""

    def __init__(self, path: str, unreadable: Unreadable) -> None:
        self._path, self._unreadable = path, unreadable
        self._why = ""

    def note(self, index: int | None = None) -> None:
        """One more; its number, if it is known."""
        where = "" if index is None else f", first on line {index}"
        self._why = self._why or f"skipped what is no JSON object{where}"

    def tell(self) -> None:
        """Names the file if there was any."""
        if self._why:
            self._unreadable(self._path, self._why)


def with_offsets(rows: Iterator[Row]) -> Iterator[tuple[str, Row]]:
    """Each row after its offset from the first readable time."""
    start: datetime | None = None
    for row in rows:
        at = parse_instant(row.get("ts_utc"))
        start = start or at
        yield f"[{offset(start, at)}]", row


def offset(start: datetime | None, at: datetime | None) -> str:
    """`+M:SS` since the start, `+H:MM:SS` from an hour on, `-` before it, `+--:--` if unknown."""
    if start is None or at is None:
        return "+--:--"
    seconds = int((at - start).total_seconds())
    minutes, rest = divmod(abs(seconds), 60)
    clock = f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{'-' if seconds < 0 else '+'}{clock}"


def described(row: Row) -> str:
    """The event's name and its fields in stored order."""
    fields = (f"{key}={field_text(value)}" for key, value in row.items() if key not in ("ts_utc", "event"))
    return " ".join((str(row.get("event", "?")), *fields))


def field_text(value: Any) -> str:
    """The value as text; in double quotes if it holds a space or one of these."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and (" " in value or '"' in value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
