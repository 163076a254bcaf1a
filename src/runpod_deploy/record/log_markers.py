"""Marks in the job's log: step markers, rows that the job asks for, success and failure markers.

Pure: bytes in, events out. Split writes do not matter: a line is looked at once, when it is whole.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from ..spec import DEFAULT_FAILURE_MARKERS, RunSpec
from .events import Event, FailureMarkerSeen, JobEvent, RemoteStepCompleted, RemoteStepStarted, SuccessMarkerSeen

OWN = b"__RUNPOD_"
# A name may hold underscores, so it ends where the marker's own are followed by no more of a name.
STEP = re.compile(r"__RUNPOD_STEP_(START|DONE)__([\w.-]+?)__(?=__RUNPOD_|[^\w.-]|$)")
EVENT = "__RUNPOD_EVENT__"
# A line without an end is not kept for ever: what follows so many bytes is looked at as a line of its own.
LONGEST_LINE_BYTES = 1 << 20
SHOWN_CHARS = 300
DEEPEST = 50
"""How deep the rows of a job may be nested."""


class LogScanner:
    """Looks at a log as it grows."""

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
        """The events of the lines that these bytes complete."""
        text = self._rest + data
        cut = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if cut == 0 and len(text) > LONGEST_LINE_BYTES:
            cut = len(text)
        self._rest = text[cut:]
        yield from self._lines(text[:cut])

    def finish(self) -> Iterator[Event]:
        """The events of a last line that has no end."""
        rest, self._rest = self._rest, b""
        yield from self._lines(rest)

    def _lines(self, whole: bytes) -> Iterator[Event]:
        begin, self.offset = self.offset, self.offset + len(whole)
        if not any(needle in whole for needle in self._needles):
            return  # the usual case, and the reason why a gigabyte passes quickly
        for line in re.split(rb"(?<=[\n\r])", whole):
            begin += len(line)
            if any(needle in line for needle in self._needles):
                yield from self._marks(line.decode(errors="replace").strip("\r\n"), begin)

    def _marks(self, line: str, offset: int) -> Iterator[Event]:
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
        """Whether this marker is seen for the first time; once is news, a thousand times is not."""
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
    """The row that a `__RUNPOD_EVENT__ {…}` line asks for, or None."""
    _, found, text = line.partition(EVENT)
    if not found:
        return None
    try:
        row = json.loads(text, parse_constant=number, parse_float=number)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("event"), str) and is_shallow(row, DEEPEST) else None


def number(text: str) -> float | None:
    """The number; None for NaN and infinities, which are no JSON: a loss may well be one."""
    value = float(text)
    return value if math.isfinite(value) else None


def is_shallow(value: object, levels: int) -> bool:
    """Whether it is nested no deeper than so: what is read at the limit of the stack could not be written."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(is_shallow(item, levels - 1) for item in inner)
