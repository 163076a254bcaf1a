"""/v2/registries and /v2/global-volumes: small records. Knows HTTP; passwords are never answered."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..cloud.account import add_registry
from ..records import schemas
from ..records.pods import new_id
from ..records.problems import REGISTRY_NOT_FOUND, bad, missing
from .answers import CLOUD, answer, body, nothing, page


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/registries", index, allow_head=False),
        web.post("/v2/registries", create),
        web.get("/v2/registries/{id}", show, allow_head=False),
        web.delete("/v2/registries/{id}", delete),
        web.get("/v2/global-volumes", global_volumes, allow_head=False),
        web.post("/v2/global-volumes", create_global_volume),
    ]


async def index(request: web.Request) -> web.Response:
    """The credentials, without what is secret of them."""
    return answer({"registries": [_shown(row) for row in request.app[CLOUD].registries.values()]})


async def create(request: web.Request) -> web.Response:
    """A new credential."""
    given = await body(request, schemas.CREATE_REGISTRY)
    return answer(_shown(add_registry(request.app[CLOUD], given)), 201)


async def show(request: web.Request) -> web.Response:
    """One credential."""
    row = request.app[CLOUD].registries.get(request.match_info["id"])
    if row is None:
        raise missing()
    return answer(_shown(row))


async def delete(request: web.Request) -> web.Response:
    """The credential is gone, unless a pod uses it."""
    cloud, name = request.app[CLOUD], request.match_info["id"]
    if name not in cloud.registries:
        # Not 404; measured on the live service (2026-09-18).
        raise bad(REGISTRY_NOT_FOUND)
    if any(pod.spec["registry"] == name for pod in cloud.left()):
        raise bad("Registry auth is in use by a pod and cannot be deleted")
    del cloud.registries[name]
    return nothing()


async def global_volumes(request: web.Request) -> web.Response:
    """All global volumes, newest first."""
    return page(request, "globalVolumes", list(reversed(request.app[CLOUD].global_volumes.values())))


async def create_global_volume(request: web.Request) -> web.Response:
    """A new global volume. It cannot be mounted: of the live service only the listing is known."""
    row = await body(request, schemas.CREATE_GLOBAL_VOLUME) | {"id": new_id(10)}
    request.app[CLOUD].global_volumes[row["id"]] = row
    return answer(row, 201)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "name": row["name"]}
