"""A proxy on this machine that passes requests on and keeps what was said. Knows aiohttp; knows no cloud."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web

from .tape import KEPT_HEADERS, Exchange

PASSED_ON = ("Authorization", "User-Agent", "Content-Type", "Accept", "Last-Event-ID")
BODY_LIMIT = 64 << 20
STREAM = "text/event-stream"


@dataclass(slots=True)
class Recorder:
    """The requests so far, and where they go."""

    upstream: str
    session: ClientSession
    exchanges: list[Exchange] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The upstream's answer."""
        sent = await request.read()
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url = self.upstream + request.raw_path
        try:
            async with self.session.request(
                request.method, url, data=sent or None, headers=headers, allow_redirects=False
            ) as answer:
                return await self._pass_back(request, sent, answer)
        except ClientError as error:
            return web.Response(text=f"runpod-sim record: {error}\n", status=502)

    async def _pass_back(self, request: web.Request, sent: bytes, answer: ClientResponse) -> web.StreamResponse:
        # A stream never ends, so only its beginning is told.
        is_stream = answer.content_type == STREAM
        raw = b"" if is_stream else await answer.read()
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=request.raw_path,
                sent=_json_or_text(sent),
                status=answer.status,
                headers=headers,
                body=_json_or_text(raw),
            )
        )
        if not is_stream:
            return web.Response(body=raw, status=answer.status, headers=headers)
        stream = web.StreamResponse(status=answer.status, headers=headers)
        await stream.prepare(request)
        async for chunk in answer.content.iter_any():
            await stream.write(chunk)
        return stream


def application(recorder: Recorder) -> web.Application:
    """Every request goes to the recorder."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_route("*", "/{path:.*}", recorder.handle)
    return app


def new_session() -> ClientSession:
    """A client without a limit of its own: the caller has one."""
    return ClientSession(timeout=ClientTimeout(total=None), auto_decompress=True)


def _json_or_text(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
