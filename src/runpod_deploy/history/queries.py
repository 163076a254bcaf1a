"""Events of many runs, searched. Knows files and conditions; memory stays flat whatever their size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .conditions import Condition
from .events import BadLines, Row, instant, parsed
from .folders import EVENTS_NAME, Unreadable, find, reason
from .prefilter import Prefilter

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Query:
    """What rows to look for: all conditions hold, and the time lies in between."""

    conditions: Sequence[Condition] = ()
    since_at: datetime | None = None
    until_at: datetime | None = None

    def matches(self, row: Row) -> bool:
        """Whether the row is wanted. With a time limit, a row without a readable time is not."""
        return all(condition.holds(row) for condition in self.conditions) and self._in_time(row)

    def _in_time(self, row: Row) -> bool:
        if self.since_at is None and self.until_at is None:
            return True
        at = instant(row.get("ts_utc"))
        if at is None or (self.since_at is not None and at < self.since_at):
            return False
        return self.until_at is None or at <= self.until_at


def search(root: str, query: Query, unreadable: Unreadable) -> Iterator[tuple[str, Row]]:
    """Each wanted row below root with the path of its run dir; files in path order, rows as stored.

    Lines that cannot match by their bytes are not parsed; of what is unreadable among them nothing is told.
    """
    prefilter = Prefilter(query.conditions)
    for path in find(root, EVENTS_NAME, unreadable):
        run_dir = str(Path(path).parent)
        for row in candidates(path, prefilter, unreadable):
            if query.matches(row):
                yield run_dir, row


def candidates(path: str, prefilter: Prefilter, unreadable: Unreadable) -> Iterator[Row]:
    """The rows of one file that may match; it is told of once if a line among them is no JSON object."""
    bad = BadLines(path, unreadable)
    try:
        for block in blocks(path):
            for line in prefilter.lines(block):
                if (row := parsed(line)) is not None:
                    yield row
                elif line.strip():
                    bad.note()
    except OSError as error:
        unreadable(path, reason(error))
    bad.tell()


def blocks(path: str) -> Iterator[bytes]:
    """The file in blocks of whole lines, each about BLOCK_BYTES long; its last line may lack its end."""
    carried = b""
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(BLOCK_BYTES):
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield (carried + chunk[:cut]) if carried else chunk[:cut]
                carried = chunk[cut:]
            else:
                carried += chunk
    if carried:
        yield carried
