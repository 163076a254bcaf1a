"""/v2/network-volumes. Knows HTTP and the cloud's volumes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from . import schemas
from .answers import CLOUD, answer, body, nothing, page
from .clock import now
from .cloud import Cloud
from .meter import Meter
from .pods import new_id
from .problems import bad, missing
from .sandbox import wipe

# USD per GB and hour: 0.07 a month for the first TB, 0.05 beyond.
FIRST_TB_USD, BEYOND_USD = 0.07 / 730, 0.05 / 730


def routes() -> list[web.RouteDef]:
    """All of them."""
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
    ask = await body(request, schemas.CREATE_VOLUME)
    home = cloud.catalogue.datacenters.get(ask["dataCenter"])
    if home is None or not home["networkVolumeTypes"]:
        able = [name for name, row in cloud.catalogue.datacenters.items() if row["networkVolumeTypes"]]
        names = ", ".join(able)
        raise bad(f'data center "{ask["dataCenter"]}" does not support network volumes; supported: {names}')
    kind = ask.get("type", home["networkVolumeTypes"][0])
    if kind not in home["networkVolumeTypes"]:
        raise bad(f'data center "{ask["dataCenter"]}" does not support {kind} network volumes')
    volume = {name: ask[name] for name in ("name", "size", "dataCenter")} | {"id": new_id(10), "type": kind}
    cloud.volumes[volume["id"]] = volume
    cloud.world.ground.volume_dir(volume["id"]).mkdir(parents=True, exist_ok=True)
    _turn_meter(cloud, volume)
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
    _turn_meter(request.app[CLOUD], volume)
    return answer(volume)


async def delete(request: web.Request) -> web.Response:
    """The volume and its data are gone."""
    cloud, volume = request.app[CLOUD], _volume(request)
    if any(pod.volume_id() == volume["id"] for pod in cloud.left()):
        raise bad("network volume is attached to a pod")
    del cloud.volumes[volume["id"]]
    cloud.meters[volume["id"]].turn(now(), {})
    wipe(cloud.world.ground.volume_dir(volume["id"]))
    return nothing()


def _volume(request: web.Request) -> dict[str, Any]:
    volume = request.app[CLOUD].volumes.get(request.match_info["id"])
    if volume is None:
        raise missing("network volume")
    return volume


def _turn_meter(cloud: Cloud, volume: dict[str, Any]) -> None:
    first = min(volume["size"], 1000)
    usd = first * FIRST_TB_USD + (volume["size"] - first) * BEYOND_USD
    kind = "standard" if volume["type"] == "STANDARD" else "highPerformance"
    cloud.meters.setdefault(volume["id"], Meter()).turn(now(), {kind: usd})
