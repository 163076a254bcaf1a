"""A pod's log at the cloud: server-sent events that never end by themselves. Knows their format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from urllib.parse import quote

from ...machine import limits
from ...spec import strict_json
from ..values import LogLine
from .calls import Call

MAX_LINES = 5000
"""The most lines per source that the API sends (2026-08)."""
SOURCES = 2
"""The container and the system (2026-08)."""


def log_call(pod_id: str, tail: int) -> Call:
    """The call that streams a pod's log, starting with its last `tail` lines."""
    path = f"/v2/pods/{quote(pod_id, safe='')}/logs"
    return Call(
        method="GET",
        path=path,
        what=f"read the log of pod {pod_id}",
        query={"tail": str(min(tail, MAX_LINES))},
    )


def log_lines(stream: bytes) -> list[LogLine]:
    """The lines of the stream in the order of their time; events that are incomplete or make no sense are left out."""
    lines = [line for data in event_data(stream) if (line := as_line(data)) is not None]
    return sorted(lines, key=lambda line: line.at)


def event_data(stream: bytes) -> Iterator[str]:
    """The data of each complete event, as many as the API may send."""
    *blocks, _ = stream.replace(b"\r\n", b"\n").split(b"\n\n")
    whole = (block for block in blocks if b"data:" in block and len(block) <= limits.CLOUD_LOG_EVENT_BYTES)
    for block in islice(whole, SOURCES * MAX_LINES):
        lines = block.decode(errors="replace").split("\n")
        yield "\n".join(line[5:].strip() for line in lines if line[:5] == "data:")


def as_line(data: str) -> LogLine | None:
    """The line in one event, or None if it holds none."""
    try:
        row = strict_json.loads(data)
        return LogLine(at=str(row["ts"]), source=str(row["source"]), text=str(row["line"]))
    except (ValueError, KeyError, TypeError):
        return None
