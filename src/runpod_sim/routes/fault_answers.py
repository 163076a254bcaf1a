"""The answers to requests that a fault applies to. Knows aiohttp and faults; knows no cloud."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from aiohttp import web

from ..faults.fault import Fault
from ..records.problems import Problem
from .answers import problem_answer

BAD_GATEWAY_PAGE = (
    "<html>\n<head><title>{status} {title}</title></head>\n<body>\n"
    "<center><h1>{status} {title}</h1></center>\n<hr><center>cloudflare</center>\n</body>\n</html>\n"
)


def answer_instead(request: web.Request, fault: Fault) -> web.Response:
    """The fault's answer in place of the handler, which is not called."""
    match fault.what:
        case "refuse":
            return _error(fault.parameters)
        case "rate-limited":
            wait_s = fault.parameters["retry_after_s"]
            return problem_answer(Problem(429, "rate limit exceeded for the minute window", retry_after_s=wait_s))
        case "nonsense":
            return web.Response(body=b'{"id": "5xpma5eg', content_type="application/json")
    return _cut(request)


async def answer_after(request: web.Request, fault: Fault) -> web.Response:
    """The fault's answer after the handler has done its work."""
    match fault.what:
        case "effect-then-500":
            return _error(fault.parameters)
        case "effect-then-hang":
            await asyncio.sleep(fault.parameters["seconds"])
    return _cut(request)


def _error(parameters: dict[str, Any]) -> web.Response:
    status = int(parameters["status"])
    if not parameters["html"]:
        return problem_answer(Problem(status, "upstream request failed"))
    page = BAD_GATEWAY_PAGE.format(status=status, title="Bad Gateway" if status == 502 else "Error")
    return web.Response(text=page, status=status, content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    """The connection is reset; the returned answer is never sent."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
