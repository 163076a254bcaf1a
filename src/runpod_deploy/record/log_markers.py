"""Markers in the job's log: steps, success, failure, and the rows that the job adds to the journal.

Pure: bytes in, events out. It does not matter how the bytes are split: a line is searched once, when it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..machine.limits import JOB_NAME_CHARS, JOB_ROW_BYTES, JOB_ROWS
from ..spec import DEFAULT_FAILURE_MARKERS, RunSpec
from ..spec.strict_json import loads
from .events import (
    Event,
    FailureMarkerSeen,
    JobEvent,
    JobRowsLimited,
    RemoteStepCompleted,
    RemoteStepStarted,
    SuccessMarkerSeen,
    job_fields,
    job_name,
)

OWN = b"__RUNPOD_"
# A name may hold underscores, so it ends at the last two underscores before the end of the word.
STEP = re.compile(rf"__RUNPOD_STEP_(START|DONE)__([\w.-]{{1,{JOB_NAME_CHARS}}}?)__(?=__RUNPOD_|[^\w.-]|$)")
EVENT = "__RUNPOD_EVENT__"
# The start of a longer line is searched as a line of its own, so that memory stays bounded.
LONGEST_LINE_BYTES = 1 << 20
SHOWN_CHARS = 300


class LogScanner:
    """Searches a log for markers as it grows."""

    def __init__(self, job: RunSpec, *, offset: int = 0) -> None:
        self.success = job.success_marker
        self.configured = job.failure_markers is not None
        self.failures = job.failure_markers if job.failure_markers is not None else DEFAULT_FAILURE_MARKERS
        self.offset = offset
        self._rest = b""
        self._seen: set[str] = set()
        self._rows = 0
        words = [*self.failures, *([self.success] if self.success else [])]
        self._needles = [OWN, *(word.encode() for word in words if word)]

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events in the lines that these bytes complete."""
        text = self._rest + data
        cut = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if cut == 0 and len(text) > LONGEST_LINE_BYTES:
            cut = len(text)
        self._rest = text[cut:]
        yield from self._lines(text[:cut])

    def finish(self) -> Iterator[Event]:
        """The events in a last line without a line end."""
        rest, self._rest = self._rest, b""
        yield from self._lines(rest)

    def _lines(self, whole: bytes) -> Iterator[Event]:
        begin, self.offset = self.offset, self.offset + len(whole)
        if not any(needle in whole for needle in self._needles):
            return  # the usual case, and the reason why a large log is searched quickly
        for line in re.split(rb"(?<=[\n\r])", whole):
            begin += len(line)
            if any(needle in line for needle in self._needles):
                yield from self._events_of(line.decode(errors="replace").strip("\r\n"), begin)

    def _events_of(self, line: str, offset: int) -> Iterator[Event]:
        yield from self._limited(steps(line, offset), offset)
        if (row := job_row(line)) is not None:
            name = job_name(row["event"][:JOB_NAME_CHARS])
            fields = {**job_fields(row), "log_offset": offset}
            yield from self._limited([JobEvent(name=name, fields=fields)], offset)
            return
        if self.success and self.success in line and self._first(self.success):
            yield SuccessMarkerSeen(marker=self.success, log_offset=offset)
        for marker in self.failures:
            if marker and marker in line and self._first(marker):
                shown = line.strip()[:SHOWN_CHARS]
                yield FailureMarkerSeen(marker=marker, line=shown, configured=self.configured, log_offset=offset)

    def _limited(self, rows: Iterable[Event], offset: int) -> Iterator[Event]:
        """The job's rows as long as they are not too many; then one event that says so."""
        for row in rows:
            self._rows += 1
            if self._rows <= JOB_ROWS:
                yield row
            elif self._rows == JOB_ROWS + 1:
                yield JobRowsLimited(limit=JOB_ROWS, log_offset=offset)

    def _first(self, marker: str) -> bool:
        """Whether this marker is seen for the first time: only that is recorded."""
        if marker in self._seen:
            return False
        self._seen.add(marker)
        return True


def steps(line: str, offset: int) -> Iterator[Event]:
    """The step markers of a line, in order."""
    for found in STEP.finditer(line):
        kind = RemoteStepStarted if found[1] == "START" else RemoteStepCompleted
        yield kind(name=found[2], log_offset=offset)


def job_row(line: str) -> dict[str, Any] | None:
    """The row in a `__RUNPOD_EVENT__ {…}` line, or None."""
    _, found, text = line.partition(EVENT)
    if not found or len(text) > JOB_ROW_BYTES:
        return None
    try:
        row = loads(text)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("event"), str) else None
