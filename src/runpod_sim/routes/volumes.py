"""/v2/network-volumes. Knows HTTP and the cloud's volumes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..cloud.volumes import change_volume, new_volume, remove_volume
from ..records import schemas
from ..records.problems import missing
from .answers import CLOUD, answer, body, nothing, page


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/network-volumes", index, allow_head=False),
        web.post("/v2/network-volumes", create),
        web.get("/v2/network-volumes/{id}", show, allow_head=False),
        web.patch("/v2/network-volumes/{id}", update),
        web.delete("/v2/network-volumes/{id}", delete),
    ]


async def index(request: web.Request) -> web.Response:
    """All volumes, newest first."""
    return page(request, "networkVolumes", list(reversed(request.app[CLOUD].volumes.values())))


async def create(request: web.Request) -> web.Response:
    """A new, empty volume."""
    cloud = request.app[CLOUD]
    given = await body(request, schemas.CREATE_VOLUME)
    return answer(new_volume(cloud, given), 201)


async def show(request: web.Request) -> web.Response:
    """One volume."""
    return answer(_volume(request))


async def update(request: web.Request) -> web.Response:
    """The volume with another name or a larger size."""
    volume = _volume(request)
    change = await body(request, schemas.UPDATE_VOLUME)
    return answer(change_volume(request.app[CLOUD], volume, change))


async def delete(request: web.Request) -> web.Response:
    """The volume and its data are gone."""
    cloud, volume = request.app[CLOUD], _volume(request)
    remove_volume(cloud, volume)
    return nothing()


def _volume(request: web.Request) -> dict[str, Any]:
    volume = request.app[CLOUD].volumes.get(request.match_info["id"])
    if volume is None:
        raise missing()
    return volume
