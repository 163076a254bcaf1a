"""The answers to requests that a fault applies to. Knows aiohttp and faults; knows no cloud."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import zlib
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ..faults.fault import Fault
from ..records.problems import Problem
from .answers import problem_answer

JSON = "application/json"
BAD_GATEWAY_PAGE = (
    "<html>\n<head><title>{status} {title}</title></head>\n<body>\n"
    "<center><h1>{status} {title}</h1></center>\n<hr><center>cloudflare</center>\n</body>\n</html>\n"
)


def answer_instead(request: web.Request, fault: Fault) -> web.Response:
    """The fault's answer in place of the handler, which is not called."""
    match fault.what:
        case "refuse":
            return _error(fault.parameters)
        case "key-refused":
            return problem_answer(Problem(int(fault.parameters["status"]), "invalid bearer token"))
        case "edge-refuses":
            return _of_gateway(int(fault.parameters["status"]), str(fault.parameters["form"]))
        case "rate-limited":
            wait_s = fault.parameters["retry_after_s"]
            return problem_answer(Problem(429, "rate limit exceeded for the minute window", retry_after_s=wait_s))
        case "unfolds":
            return _unfolding(int(fault.parameters["megabytes"]))
        case "deep":
            levels = int(fault.parameters["levels"])
            return web.Response(body=b'{"pods": ' + b"[" * levels + b"]" * levels + b"}", content_type=JSON)
        case "nonsense":
            return web.Response(body=b'{"id": "5xpma5eg', content_type=JSON)
    return _cut(request)


def without_pods(label: str) -> web.Response | None:
    """The answer to this request of an account that has no pods; None if the request is not about pods."""
    if label == "GET /v2/pods":
        empty = {"pods": [], "pagination": {"nextCursor": None, "hasNextPage": False}}
        return web.Response(body=json.dumps(empty).encode(), content_type=JSON)
    return problem_answer(Problem(404, "pod not found")) if "/v2/pods/{id}" in label else None


async def answer_after(request: web.Request, fault: Fault) -> web.Response:
    """The fault's answer after the handler has done its work."""
    match fault.what:
        case "effect-then-500":
            return _error(fault.parameters)
        case "effect-then-hang":
            await asyncio.sleep(fault.parameters["seconds"])
    return _cut(request)


async def drip(request: web.Request, answer: web.StreamResponse, pause_s: float) -> web.StreamResponse:
    """The answer, sent a byte at a time with a pause after each."""
    body = answer.body if isinstance(answer, web.Response) else b""
    slow = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    slow.content_length = len(body) if isinstance(body, bytes) else 0
    await slow.prepare(request)
    # The client may have ended meanwhile.
    with contextlib.suppress(ConnectionError):
        for byte in body if isinstance(body, bytes) else b"":
            await slow.write(bytes([byte]))
            await asyncio.sleep(pause_s)
    return slow


def _unfolding(megabytes: int) -> web.Response:
    """A small body that is valid JSON, and as large as that once it is decompressed."""
    packer, blank = zlib.compressobj(wbits=31), b" " * (1 << 20)
    parts = [packer.compress(b'{"pods": ['), *(packer.compress(blank) for _ in range(megabytes))]
    body = b"".join([*parts, packer.compress(b"]}"), packer.flush()])
    return web.Response(body=body, content_type=JSON, headers={"Content-Encoding": "gzip"})


def _error(parameters: dict[str, Any]) -> web.Response:
    status = int(parameters["status"])
    if not parameters["html"]:
        return problem_answer(Problem(status, str(parameters.get("detail", "upstream request failed"))))
    page = BAD_GATEWAY_PAGE.format(status=status, title="Bad Gateway" if status == 502 else "Error")
    return web.Response(text=page, status=status, content_type="text/html")


def _of_gateway(status: int, form: str) -> web.Response:
    """The refusal of a gateway in front of the API, as Cloudflare words it (2026-11)."""
    headers = {"cf-ray": "9a1b2c3d4e5f6789-FRA"}
    if form == "text":
        return web.Response(text="error code: 1010", status=status, headers=headers)
    if form == "html":
        page = BAD_GATEWAY_PAGE.format(status=status, title="Forbidden")
        return web.Response(text=page, status=status, content_type="text/html")
    problem = {
        "type": "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/",
        "title": "Error 1010: Access denied",
        "status": status,
        "detail": "The site owner has blocked access based on your client's signature.",
        "error_code": 1010,
        "cloudflare_error": True,
        "retryable": False,
    }
    body = json.dumps(problem).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/problem+json")


def with_odd_rows(answer: web.StreamResponse, rows: list[Any]) -> web.StreamResponse:
    """The answer, whose list holds these rows, too."""
    return _with_lists(answer, lambda listed: [*rows, *listed])


def without_rows(answer: web.StreamResponse, count: int) -> web.StreamResponse:
    """The answer, whose list lacks its first rows."""
    return _with_lists(answer, lambda listed: listed[count:])


def _with_lists(answer: web.StreamResponse, change: Callable[[list[Any]], list[Any]]) -> web.StreamResponse:
    """The answer with its lists changed, if it is one that succeeded."""
    if not isinstance(answer, web.Response) or answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    document = json.loads(answer.body)
    changed = {name: change(listed) for name, listed in document.items() if isinstance(listed, list)}
    return web.Response(body=json.dumps(document | changed).encode(), content_type=answer.content_type)


def _cut(request: web.Request) -> web.Response:
    """The connection is reset; the returned answer is never sent."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
