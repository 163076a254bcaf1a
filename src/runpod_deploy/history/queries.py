"""Search in the events of many runs. Knows files and conditions; memory stays flat, however large the files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..record.paths import EVENTS_NAME
from ..spec.instants import parse_instant
from .blocks import blocks, new_buffer
from .conditions import Condition
from .events import BadLines, Row, parse_row
from .folders import Unreadable, find_files, why_unreadable
from .prefilter import Prefilter


@dataclass(frozen=True, slots=True)
class Query:
    """The rows to search for: all conditions hold, and the time is between the two limits."""

    conditions: Sequence[Condition] = ()
    since_at: datetime | None = None
    until_at: datetime | None = None

    def matches(self, row: Row) -> bool:
        """Whether the row matches. With a time limit, a row without a readable time does not."""
        return all(condition.holds(row) for condition in self.conditions) and self._in_time(row)

    def _in_time(self, row: Row) -> bool:
        if self.since_at is None and self.until_at is None:
            return True
        at = parse_instant(row.get("ts_utc"))
        if at is None or (self.since_at is not None and at < self.since_at):
            return False
        return self.until_at is None or at <= self.until_at


def search(root: str, query: Query, unreadable: Unreadable) -> Iterator[tuple[str, Row]]:
    """Each matching row below root with the path of its run dir; files in path order, rows in the order of the file.

    Lines whose bytes cannot match are not parsed, so that unreadable ones among them are not reported.
    """
    prefilter, buffer = Prefilter(query.conditions), new_buffer()
    for path in find_files(root, EVENTS_NAME, unreadable):
        for row in candidates(path, prefilter, buffer, unreadable):
            if query.matches(row):
                yield folder_of(path), row


def folder_of(path: str) -> str:
    """The path of the folder that contains this file."""
    return path.rpartition("/")[0] or "."


def candidates(path: str, prefilter: Prefilter, buffer: bytearray, unreadable: Unreadable) -> Iterator[Row]:
    """The rows of one file that may match. `unreadable` is called once if a line among them is no JSON object."""
    bad = BadLines(path, unreadable)
    try:
        for end in blocks(path, buffer):
            for line in prefilter.lines(buffer, end):
                if (row := parse_row(line)) is not None:
                    yield row
                elif line.strip():
                    bad.note()
    except OSError as error:
        unreadable(path, why_unreadable(error))
    bad.report()
