"""Serves a recording: each request gets the answers that it got, in their order. Knows aiohttp; knows no cloud."""

from __future__ import annotations

import json
from collections import defaultdict, deque

from aiohttp import web

from .tape import Exchange

Wanted = tuple[str, str, str]


class Player:
    """The answers that are left for each request; the last one is repeated."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.left: dict[Wanted, deque[Exchange]] = defaultdict(deque)
        for exchange in exchanges:
            self.left[_wanted(exchange.method, exchange.path, exchange.sent)].append(exchange)

    async def handle(self, request: web.Request) -> web.Response:
        """The next answer that was recorded for this request."""
        sent = await request.read()
        rows = self.left.get(_wanted(request.method, request.raw_path, sent))
        if not rows:
            detail = f"the recording has no {request.method} {request.raw_path}"
            body = {"title": "Not Found", "status": 404, "detail": detail}
            return web.json_response(body, status=404, content_type="application/problem+json")
        return _answer(rows.popleft() if len(rows) > 1 else rows[0])


def application(exchanges: list[Exchange]) -> web.Application:
    """Every request is answered from the recording."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Player(exchanges).handle)
    return app


def _wanted(method: str, path: str, sent: object) -> Wanted:
    """What a request asks for. In GraphQL the query tells that, and its blanks do not matter; elsewhere the address."""
    if not path.startswith("/graphql"):
        return method, path, ""
    try:
        given = json.loads(sent) if isinstance(sent, bytes) else sent
    except (ValueError, RecursionError):
        given = None
    query = given.get("query") if isinstance(given, dict) else None
    return method, "/graphql", " ".join(query.split()) if isinstance(query, str) else ""


def _answer(exchange: Exchange) -> web.Response:
    body = exchange.body
    raw = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    return web.Response(body=raw.encode(errors="replace"), status=exchange.status, headers=exchange.headers)
