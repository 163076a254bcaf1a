"""/v2/account: SSH keys and secrets. Knows HTTP and the cloud's records; values of secrets are never answered."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..cloud.account import add_secret
from ..records import schemas
from ..records.problems import missing
from .answers import CLOUD, answer, body, nothing


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/account/ssh-keys", ssh_keys, allow_head=False),
        web.put("/v2/account/ssh-keys", replace_ssh_keys),
        web.get("/v2/account/secrets", index, allow_head=False),
        web.post("/v2/account/secrets", create),
        web.get("/v2/account/secrets/{id}", show, allow_head=False),
        web.patch("/v2/account/secrets/{id}", update),
        web.delete("/v2/account/secrets/{id}", delete),
    ]


async def ssh_keys(request: web.Request) -> web.Response:
    """The account's public keys."""
    return answer({"keys": request.app[CLOUD].ssh_keys})


async def replace_ssh_keys(request: web.Request) -> web.Response:
    """The account has exactly these keys."""
    request.app[CLOUD].ssh_keys[:] = (await body(request, schemas.SSH_KEYS))["keys"]
    return await ssh_keys(request)


async def index(request: web.Request) -> web.Response:
    """The secrets, or those with that name."""
    wanted = request.query.get("name", "").lower()
    rows = request.app[CLOUD].secrets.values()
    return answer({"secrets": [_shown(row) for row in rows if not wanted or row["name"].lower() == wanted]})


async def create(request: web.Request) -> web.Response:
    """A new secret."""
    given = await body(request, schemas.CREATE_SECRET)
    return answer(_shown(add_secret(request.app[CLOUD], given)), 201)


async def show(request: web.Request) -> web.Response:
    """One secret."""
    return answer(_shown(_secret(request)))


async def update(request: web.Request) -> web.Response:
    """The secret with another value or description; pods see it at their next boot."""
    row = _secret(request)
    row.update(await body(request, schemas.UPDATE_SECRET))
    return answer(_shown(row))


async def delete(request: web.Request) -> web.Response:
    """The secret is gone."""
    del request.app[CLOUD].secrets[_secret(request)["id"]]
    return nothing()


def _secret(request: web.Request) -> dict[str, Any]:
    row = request.app[CLOUD].secrets.get(request.match_info["id"])
    if row is None:
        raise missing()
    return row


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "value"}
