"""The events of one run as rows and as lines of text. Knows JSON lines; knows no event by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ..record.paths import EVENTS_NAME
from ..spec.instants import parse_instant
from .blocks import Bytes, lines_in
from .folders import Unreadable, why_unreadable

Row = dict[str, Any]
AROUND = "\ufeff \t\r\n"
"""Characters to ignore around a row: white space, and the byte order mark that some editors write."""
decode = json.JSONDecoder().raw_decode


def read_rows(path: Path | str, unreadable: Unreadable) -> Iterator[Row]:
    """The rows of that file or run dir, in order. For lines that are no JSON object, `unreadable` is called once."""
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
    bad.report()


def events_path(path: Path) -> Path:
    """The path of the events file, from its own path or that of its run dir."""
    return path / EVENTS_NAME if path.is_dir() else path


def parse_row(line: Bytes) -> Row | None:
    """The row of a line; None if the line is not a JSON object."""
    try:
        text = line.decode().strip(AROUND)
        # Takes a third of the time of json.loads, which has to detect the encoding first.
        row, end = decode(text)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and end == len(text) else None


class BadLines:
    """Remembers that lines of one file cannot be read, to report the file once."""

    def __init__(self, path: str, unreadable: Unreadable) -> None:
        self._path, self._unreadable = path, unreadable
        self._why = ""

    def note(self, index: int | None = None) -> None:
        """Remembers one more line, with its number if that is known."""
        where = "" if index is None else f", first on line {index}"
        self._why = self._why or f"skipped lines that are not JSON objects{where}"

    def report(self) -> None:
        """Calls `unreadable` if there were such lines."""
        if self._why:
            self._unreadable(self._path, self._why)


def with_offsets(rows: Iterator[Row]) -> Iterator[tuple[str, Row]]:
    """Each row with its offset from the first known time."""
    start: datetime | None = None
    for row in rows:
        at = parse_instant(row.get("ts_utc"))
        start = start or at
        yield f"[{offset(start, at)}]", row


def offset(start: datetime | None, at: datetime | None) -> str:
    """`+M:SS` since the start, `+H:MM:SS` from an hour on, with `-` before the start, and `+--:--` if unknown."""
    if start is None or at is None:
        return "+--:--"
    seconds = int((at - start).total_seconds())
    minutes, rest = divmod(abs(seconds), 60)
    clock = f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{'-' if seconds < 0 else '+'}{clock}"


def described(row: Row) -> str:
    """The event's name and its fields, in the order of the file."""
    fields = (f"{key}={field_text(value)}" for key, value in row.items() if key not in ("ts_utc", "event"))
    return " ".join((str(row.get("event", "?")), *fields))


def field_text(value: Any) -> str:
    """The value as text, in double quotes if it contains a space or a double quote."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and (" " in value or '"' in value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
