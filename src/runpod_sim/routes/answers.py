"""Reads requests and writes answers. Knows aiohttp; knows no pods."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from ..cloud.cloud import Cloud
from ..records.problems import Problem, invalid
from ..records.schemas import Schema
from ..records.validation import body_of
from .quotas import Limits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CLOUD = web.AppKey("cloud", Cloud)
LIMITS = web.AppKey("limits", Limits)
CALLER = web.RequestKey("caller", str)
"""The id of the pod whose key was sent; "account" for the account's key."""
PAGE_LIMIT = 1000
DIGITS = 18
"""Longer numbers are cut: they are beyond every limit, and Python does not read those of thousands of digits."""


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")


def nothing() -> web.Response:
    """An answer without a body: 204."""
    return web.Response(status=204)


def problem_answer(problem: Problem) -> web.Response:
    """The problem as an answer, in the format of RFC 9457."""
    raw = json.dumps(problem.body()).encode()
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    return web.Response(body=raw, status=problem.status, headers=headers, content_type="application/problem+json")


def request_id() -> str:
    """A new request id."""
    return secrets.token_hex(16)


async def body(request: web.Request, schema: Schema) -> Any:
    """The request's body, which fits the schema. Raises Problem."""
    return body_of(await request.read(), schema)


def listed(request: web.Request, name: str) -> list[str]:
    """A comma-joined query parameter; empty if it is not there. Raises Problem if it is repeated."""
    values = request.query.getall(name, [])
    if len(values) > 1:
        raise invalid(f"parameter '{name}' is not exploded, but is specified multiple times")
    return values[0].split(",") if values else []


def chosen(request: web.Request, name: str, allowed: tuple[str, ...]) -> list[str]:
    """A comma-joined query parameter of allowed values only. Raises Problem."""
    values = listed(request, name)
    if not set(values) <= set(allowed):
        raise invalid(f"$.{name}: value must be one of " + ", ".join(f"'{value}'" for value in allowed))
    return values


def matching(request: web.Request, name: str, pattern: re.Pattern[str]) -> list[str]:
    """A comma-joined query parameter of values with this pattern. Raises Problem."""
    values = listed(request, name)
    for value in values:
        if not pattern.fullmatch(value):
            raise invalid(f"$.{name}: '{value}' does not match pattern '^{pattern.pattern}$'")
    return values


def number(request: web.Request, name: str, default: int, least: int, most: int | None = None) -> int:
    """A whole number of the query. Raises Problem."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise invalid(f"$.{name}: got string, want integer")
    value = int(text[:DIGITS])
    if value < least:
        raise invalid(f"$.{name}: minimum: got {value}, want {least}")
    if most is not None and value > most:
        raise invalid(f"$.{name}: maximum: got {value}, want {most}")
    return value


def flag(request: web.Request, name: str) -> bool | None:
    """A boolean of the query; None if it is not there. Raises Problem."""
    text = request.query.get(name)
    if text not in (None, "true", "false"):
        raise invalid(f"$.{name}: got string, want boolean")
    return None if text is None else text == "true"


def page(
    request: web.Request, name: str, rows: list[dict[str, Any]], ever: Iterable[str] | None = None
) -> web.Response:
    """One page of rows that each have an id; `ever` has all ids, deleted ones included. Raises Problem."""
    limit = number(request, "limit", PAGE_LIMIT, 1, PAGE_LIMIT)
    rest = _after(request.query.get("cursor"), rows, [row["id"] for row in rows] if ever is None else list(ever))
    shown, more = rest[:limit], len(rest) > limit
    cursor = base64.urlsafe_b64encode(shown[-1]["id"].encode()).decode() if more else None
    return answer({name: shown, "pagination": {"nextCursor": cursor, "hasNextPage": more}})


def _after(cursor: str | None, rows: list[dict[str, Any]], ever: list[str]) -> list[dict[str, Any]]:
    if cursor is None:
        return rows
    try:
        last = base64.urlsafe_b64decode(cursor.encode()).decode()
        later = set(ever[ever.index(last) + 1 :])
    except ValueError as error:
        raise invalid("$.cursor: unreadable cursor") from error
    return [row for row in rows if row["id"] in later]
