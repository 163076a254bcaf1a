"""/v2/pods/{id}/logs: a pod's logs as server-sent events. Knows HTTP and pods.

As the live service does it (measured by others in autumn 2026): not even the headers come before the first line,
the stream never ends by itself, and `tail` counts for each source.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

from aiohttp import web

from ..clock import from_iso, iso
from ..records.pods import LOG_LINES, SOURCES, LogLine, Pod
from ..records.problems import invalid
from .answers import CLOUD, chosen, number

TAIL = 100
LOOK_EVERY_S = 0.05
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
}


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [web.get("/v2/pods/{id}/logs", follow, allow_head=False)]


async def follow(request: web.Request) -> web.StreamResponse:
    """Lines until the client has enough or the pod is gone."""
    pod = request.app[CLOUD].pod(request.match_info["id"])
    wanted = chosen(request, "source", SOURCES) or list(SOURCES)
    lines, seen = _backfill(request, pod, wanted)
    stream = web.StreamResponse(headers=HEADERS)
    # The client ends the stream, at any moment.
    with contextlib.suppress(ConnectionError):
        await _send(request, stream, wanted, (lines, seen))
    return stream


async def _send(
    request: web.Request, stream: web.StreamResponse, wanted: list[str], start: tuple[list[LogLine], float]
) -> None:
    pod = request.app[CLOUD].pod(request.match_info["id"])
    lines, seen = start
    while not _is_cut(request) and (lines or pod.ended_at is None):
        if lines and not stream.prepared:
            await stream.prepare(request)
        for line in lines:
            await stream.write(_event(line))
            seen = line.at
        await asyncio.sleep(LOOK_EVERY_S)
        lines = [line for line in _after(pod, seen) if line.source in wanted]


def _backfill(request: web.Request, pod: Pod, wanted: list[str]) -> tuple[list[LogLine], float]:
    """The first lines, and the instant after which later ones are looked for. Raises Problem."""
    tail = number(request, "tail", TAIL, 0, LOG_LINES)
    since = _instant(request.headers.get("Last-Event-ID"), "$.Last-Event-ID")
    # `since` includes its instant; Last-Event-ID does not.
    since = since if since is not None else _just_before(_instant(request.query.get("since"), "$.since"))
    if since is not None:
        return [line for line in _after(pod, since) if line.source in wanted], since
    shown = [
        line for source in wanted for line in [row for row in pod.logs if row.source == source][-tail or LOG_LINES :]
    ]
    return sorted(shown if tail else [], key=lambda line: line.at), pod.logs[-1].at if pod.logs else 0.0


def _instant(text: str | None, where: str) -> float | None:
    try:
        return None if text is None else from_iso(text)
    except ValueError as error:
        raise invalid(f"{where}: '{text}' is not valid date-time") from error


def _just_before(at: float | None) -> float | None:
    return None if at is None else at - 0.0005


def _after(pod: Pod, at: float) -> Iterator[LogLine]:
    """Later lines, oldest first."""
    newest = []
    for line in reversed(pod.logs):
        if line.at <= at:
            break
        newest.append(line)
    return reversed(newest)


def _event(line: LogLine) -> bytes:
    data = json.dumps({"ts": iso(line.at), "source": line.source, "line": line.text}, separators=(",", ":"))
    return f"id: {iso(line.at)}\ndata: {data}\n\n".encode()


def _is_cut(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
