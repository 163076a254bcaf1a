"""One request and its answer, within a time and a size. Knows urllib3 and threads; knows no retries and no API.

A name that nobody resolves, a TLS handshake or an answer that comes a byte at a time would hold a plain call for ever,
since the library's timeouts begin anew with every byte. So each call has a total time, after which it is left.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import urllib3
from urllib3 import exceptions as failures

from ...config.proxies import Proxy
from ...machine import background, limits
from .calls import Answer
from .connections import Line, pool_of

T = TypeVar("T")

PIECE_BYTES = 1 << 16
KEY_BEGINS = 16
"""Characters of a key that make it recognisable, if a page shows only its beginning."""
SILENT = 200
"""The status of an endless answer that has not even begun."""


class Oversized(failures.HTTPError):
    """The answer is larger than any that the API gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None
    connect_s: float
    """How long the connection to one of the server's addresses may take."""
    silence_s: float
    """How long the server may be silent."""
    at_most_s: float = math.inf
    """How long the caller has."""

    @property
    def total_s(self) -> float:
        """The longest time that the whole exchange may take, from resolving the name to the last byte."""
        return min(self.at_most_s, self.connect_s + self.silence_s)


class Exchange:
    """Makes one exchange after the other, over one connection that is kept open."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy = proxy
        self._line = Line()
        self._pool = pool_of(self._line, proxy)

    def answer(self, request: Request) -> Answer:
        """The answer. Raises an HTTPError of urllib3, and Interrupt as `signals.checkpoint` does."""
        pool = self._pool  # the thread must not use the pool of a later call, should it begin late
        return self._bounded(lambda: _answer(pool, request), request.total_s)

    def stream(self, request: Request, *, within_s: float) -> Answer:
        """The answer as far as it has come when the server was silent, or when within_s seconds have passed.

        Raises as `answer` does. Such an answer never ends, so its connection is not used again.
        """
        pool, pieces = self._pool, _Pieces(limits.CLOUD_LOG_BYTES)
        try:
            self._bounded(lambda: _stream(pool, request, pieces), within_s)
        except failures.ReadTimeoutError:
            pass  # the server is silent
        except (failures.TimeoutError, Oversized):
            if pieces.status is None:
                raise
        finally:
            self._leave()
        body = without_key(bytes(pieces.body), request.headers)
        return Answer(status=pieces.status or SILENT, headers={}, body=body)

    def _bounded(self, action: Callable[[], T], within_s: float) -> T:
        try:
            return background.call(lambda: _harmless(action), within_s=within_s, leave=self._leave)
        except TimeoutError as error:
            raise failures.TimeoutError(f"the whole call took longer than {within_s:.0f} s") from error
        except OSError as error:
            raise failures.NewConnectionError(None, str(error)) from error  # type: ignore[arg-type]

    def _leave(self) -> None:
        """The call that is under way ends soon, and the next one begins with a new connection."""
        self._line.cut()
        self._pool.clear()
        self._line = Line()
        self._pool = pool_of(self._line, self._proxy)


def _answer(pool: urllib3.PoolManager, request: Request) -> Answer:
    response, pieces = _send(pool, request), _Pieces(limits.ANSWER_BYTES)
    try:
        pieces.take_all(response, response.read)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status, headers=headers, body=without_key(bytes(pieces.body), request.headers))


def without_key(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body without the request's key, which a gateway's error page may show: it goes to logs and records."""
    key = headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if len(key) < KEY_BEGINS or key[:KEY_BEGINS] not in body:
        return body
    return re.sub(re.escape(key[:KEY_BEGINS]) + rb"[\w-]*", b"[key]", body)


def _stream(pool: urllib3.PoolManager, request: Request, pieces: _Pieces) -> None:
    response = _send(pool, request)
    try:
        pieces.take_all(response, response.read1)
    finally:
        response.close()


def _send(pool: urllib3.PoolManager, request: Request) -> urllib3.BaseHTTPResponse:
    return pool.request(
        request.method,
        request.url,
        body=request.body,
        headers=request.headers,
        timeout=urllib3.Timeout(connect=request.connect_s, read=request.silence_s),
        redirect=False,
        preload_content=False,
    )


class _Pieces:
    """The body of an answer as it arrives, up to a limit."""

    def __init__(self, limit: int) -> None:
        self.status: int | None = None
        self.body = bytearray()
        self._limit = limit

    def take_all(self, response: urllib3.BaseHTTPResponse, read: Callable[..., bytes]) -> None:
        """The whole body is here. Raises Oversized."""
        self.status = response.status
        while piece := read(PIECE_BYTES, decode_content=True):
            self.body += piece
            if len(self.body) > self._limit:
                raise Oversized(f"the answer is larger than {self._limit >> 20} MB")


def _harmless(action: Callable[[], T]) -> T:
    """The result. Whatever a hostile answer makes the library raise is one of the library's own failures."""
    try:
        return action()
    except failures.HTTPError:
        raise
    except Exception as error:
        raise failures.ProtocolError(f"{type(error).__name__}: {error}", error) from error
