"""/v2/templates and the catalogue of public ones. Knows HTTP and the cloud's templates."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..records import schemas
from ..records.pod_rules import check_container
from ..records.pods import new_id
from ..records.problems import Problem, bad, invalid, missing
from ..records.templates import DEFAULTS, PUBLIC
from .answers import CLOUD, answer, body, nothing, page

SOURCES = ("official", "verified", "community")


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/templates", index, allow_head=False),
        web.post("/v2/templates", create),
        web.get("/v2/templates/{id}", show, allow_head=False),
        web.patch("/v2/templates/{id}", update),
        web.delete("/v2/templates/{id}", delete),
        web.get("/v2/catalog/templates", catalogue, allow_head=False),
    ]


async def index(request: web.Request) -> web.Response:
    """The account's templates, newest first."""
    return page(request, "templates", list(reversed(request.app[CLOUD].templates.values())))


async def create(request: web.Request) -> web.Response:
    """A new template."""
    rows = request.app[CLOUD].templates
    given = await body(request, schemas.CREATE_TEMPLATE)
    _check_name(given["name"], rows)
    row = DEFAULTS | given | {"id": new_id(10)}
    check_container(row)
    rows[row["id"]] = row
    return answer(row, 201)


async def show(request: web.Request) -> web.Response:
    """One template, a public one included."""
    name = request.match_info["id"]
    row = request.app[CLOUD].templates.get(name) or PUBLIC.get(name)
    if row is None:
        raise missing()
    return answer(row)


async def update(request: web.Request) -> web.Response:
    """The template with these fields changed."""
    row = _own(request)
    change = await body(request, schemas.UPDATE_TEMPLATE)
    if change.get("name", row["name"]) != row["name"]:
        _check_name(change["name"], request.app[CLOUD].templates)
    changed = row | change
    # The registry is cleared by an empty text; null changes nothing (a maintainer's notes, 2026).
    changed["registry"] = row["registry"] if change.get("registry") is None else change["registry"] or None
    check_container(changed)
    row.update(changed)
    return answer(row)


async def delete(request: web.Request) -> web.Response:
    """The template is gone; pods made from it stay as they are."""
    del request.app[CLOUD].templates[_own(request)["id"]]
    return nothing()


async def catalogue(request: web.Request) -> web.Response:
    """The public templates."""
    source = request.query.get("source", "official")
    if source not in SOURCES:
        raise invalid("$.source: value must be one of " + ", ".join(f"'{value}'" for value in SOURCES))
    return page(request, "templates", list(PUBLIC.values()) if source == "official" else [])


def _own(request: web.Request) -> dict[str, Any]:
    name = request.match_info["id"]
    if name in PUBLIC:
        raise Problem(403, "access denied")
    row = request.app[CLOUD].templates.get(name)
    if row is None:
        raise missing()
    return row


def _check_name(name: str, rows: dict[str, dict[str, Any]]) -> None:
    if any(row["name"] == name for row in rows.values()):
        raise bad("Template name must be unique.")
