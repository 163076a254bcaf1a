"""/v2/network-volumes. Knows HTTP and the cloud's volumes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..cloud.volumes import add_volume, remove_volume, update_meter
from ..records import schemas
from ..records.problems import bad, missing
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
    home = cloud.catalogue.datacenters.get(given["dataCenter"])
    if home is None or not home["networkVolumeTypes"]:
        able = [name for name, row in cloud.catalogue.datacenters.items() if row["networkVolumeTypes"]]
        names = ", ".join(able)
        raise bad(f'data center "{given["dataCenter"]}" does not support network volumes; supported: {names}')
    kind = given.get("type", home["networkVolumeTypes"][0])
    if kind not in home["networkVolumeTypes"]:
        raise bad(f'data center "{given["dataCenter"]}" does not support {kind} network volumes')
    volume = add_volume(cloud, name=given["name"], size_gb=given["size"], datacenter=given["dataCenter"], kind=kind)
    return answer(volume, 201)


async def show(request: web.Request) -> web.Response:
    """One volume."""
    return answer(_volume(request))


async def update(request: web.Request) -> web.Response:
    """The volume with another name or a larger size."""
    volume = _volume(request)
    change = await body(request, schemas.UPDATE_VOLUME)
    if change.get("size", volume["size"]) < volume["size"]:
        raise bad(f"network volume size cannot be reduced: it is {volume['size']} GB")
    volume.update(change)
    update_meter(request.app[CLOUD], volume)
    return answer(volume)


async def delete(request: web.Request) -> web.Response:
    """The volume and its data are gone."""
    cloud, volume = request.app[CLOUD], _volume(request)
    if any(pod.volume_id() == volume["id"] for pod in cloud.left()):
        raise bad("network volume is attached to a pod")
    remove_volume(cloud, volume)
    return nothing()


def _volume(request: web.Request) -> dict[str, Any]:
    volume = request.app[CLOUD].volumes.get(request.match_info["id"])
    if volume is None:
        raise missing("network volume")
    return volume
