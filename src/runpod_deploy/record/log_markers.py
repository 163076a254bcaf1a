"""Markers in the job's log: steps, success, failure, and the rows that the job adds to the journal.

Pure: bytes in, events out. It does not matter how the bytes are split: a line is searched once, when it is whole.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from ..spec import DEFAULT_FAILURE_MARKERS, RunSpec
from .events import Event, FailureMarkerSeen, JobEvent, RemoteStepCompleted, RemoteStepStarted, SuccessMarkerSeen

OWN = b"__RUNPOD_"
# A name may hold underscores, so it ends at the last two underscores before the end of the word.
STEP = re.compile(r"__RUNPOD_STEP_(START|DONE)__([\w.-]+?)__(?=__RUNPOD_|[^\w.-]|$)")
EVENT = "__RUNPOD_EVENT__"
# The start of a longer line is searched as a line of its own, so that memory stays bounded.
LONGEST_LINE_BYTES = 1 << 20
SHOWN_CHARS = 300
DEEPEST = 50
"""The most levels that a row of a job may have."""


class LogScanner:
    """Searches a log for markers as it grows."""

    def __init__(self, job: RunSpec, *, offset: int = 0) -> None:
        self.success = job.success_marker
        self.configured = job.failure_markers is not None
        self.failures = job.failure_markers if job.failure_markers is not None else DEFAULT_FAILURE_MARKERS
        self.offset = offset
        self._rest = b""
        self._seen: set[str] = set()
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
        yield from steps(line, offset)
        if (row := job_row(line)) is not None:
            yield JobEvent(name=str(row["event"]), fields={**row, "log_offset": offset})
            return
        if self.success and self.success in line and self._first(self.success):
            yield SuccessMarkerSeen(marker=self.success, log_offset=offset)
        for marker in self.failures:
            if marker and marker in line and self._first(marker):
                shown = line.strip()[:SHOWN_CHARS]
                yield FailureMarkerSeen(marker=marker, line=shown, configured=self.configured, log_offset=offset)

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


def job_row(line: str) -> dict[str, object] | None:
    """The row in a `__RUNPOD_EVENT__ {…}` line, or None."""
    _, found, text = line.partition(EVENT)
    if not found:
        return None
    try:
        row = json.loads(text, parse_constant=number, parse_float=number)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("event"), str) and is_shallow(row, DEEPEST) else None


def number(text: str) -> float | None:
    """The number; None for NaN and infinities, which JSON does not allow but a training loss can be."""
    value = float(text)
    return value if math.isfinite(value) else None


def is_shallow(value: object, levels: int) -> bool:
    """Whether the value has at most this many levels: a deeper one could be read here and not be written again."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(is_shallow(item, levels - 1) for item in inner)
