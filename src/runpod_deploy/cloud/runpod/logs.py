"""A pod's log at the cloud: server-sent events that never end by themselves. Knows their format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from .calls import Call

MAX_LINES = 5000
"""The most lines per source that the API sends (2026-08)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a pod's log."""

    at: str
    """The time in RFC 3339, as the API writes it."""
    source: str
    """`container` or `system`."""
    text: str


def log_call(pod_id: str, tail: int) -> Call:
    """The call that streams a pod's log, starting with its last `tail` lines."""
    path = f"/v2/pods/{quote(pod_id, safe='')}/logs"
    return Call(
        method="GET",
        path=path,
        what=f"read the log of pod {pod_id}",
        query={"tail": str(min(tail, MAX_LINES))},
    )


def log_lines(pieces: Iterable[bytes]) -> list[LogLine]:
    """The lines of the stream in the order of their time; events that make no sense are left out."""
    lines = [line for data in event_data(pieces) if (line := as_line(data)) is not None]
    return sorted(lines, key=lambda line: line.at)


def event_data(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each complete event."""
    rest = b""
    for piece in pieces:
        *blocks, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        for block in blocks:
            data = [line[5:].strip() for line in block.decode(errors="replace").split("\n") if line[:5] == "data:"]
            yield "\n".join(data)


def as_line(data: str) -> LogLine | None:
    """The line in one event, or None if it holds none."""
    try:
        row = json.loads(data)
        return LogLine(at=str(row["ts"]), source=str(row["source"]), text=str(row["line"]))
    except (ValueError, KeyError, TypeError):
        return None
