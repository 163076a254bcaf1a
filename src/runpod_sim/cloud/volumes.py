"""Network volumes as records: created, metered, deleted. Knows the cloud; knows no HTTP."""

from __future__ import annotations

from typing import Any

from ..clock import now
from ..containers.sandbox import wipe
from ..records import schemas
from ..records.meter import Meter
from ..records.pods import new_id
from ..records.problems import bad
from ..records.validation import breaches
from .cloud import Cloud

# USD per GB and hour: 0.07 a month for the first TB, 0.05 beyond.
FIRST_TB_USD, BEYOND_USD = 0.07 / 730, 0.05 / 730
STANDARD = "STANDARD"


def add_volume(cloud: Cloud, *, name: str, size_gb: int, datacenter: str, kind: str = STANDARD) -> dict[str, Any]:
    """A new, empty volume, which bills from now on."""
    volume_id = new_id(10)
    volume = {"id": volume_id, "name": name, "size": size_gb, "dataCenter": datacenter, "type": kind}
    cloud.volumes[volume_id] = volume
    cloud.platform.site.volume_dir(volume_id).mkdir(parents=True, exist_ok=True)
    update_meter(cloud, volume)
    return volume


def new_volume(cloud: Cloud, given: dict[str, Any]) -> dict[str, Any]:
    """A new volume from a body of REST v2. Raises Problem."""
    _check(given, schemas.CREATE_VOLUME)
    homes, name = cloud.catalogue.datacenters, given["dataCenter"]
    kinds = homes[name]["networkVolumeTypes"] if name in homes else []
    if not kinds:
        able = ", ".join(home for home, row in homes.items() if row["networkVolumeTypes"])
        raise bad(f'data center "{name}" does not support network volumes; supported: {able}')
    kind = given.get("type", kinds[0])
    if kind not in kinds:
        raise bad(f'data center "{name}" does not support {kind} network volumes')
    return add_volume(cloud, name=given["name"], size_gb=given["size"], datacenter=name, kind=kind)


def change_volume(cloud: Cloud, volume: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The volume with another name or a larger size. Raises Problem."""
    _check(change, schemas.UPDATE_VOLUME)
    if change.get("size", volume["size"]) < volume["size"]:
        raise bad(f"network volume size cannot be reduced: it is {volume['size']} GB")
    volume.update(change)
    update_meter(cloud, volume)
    return volume


def _check(body: dict[str, Any], schema: schemas.Schema) -> None:
    if lines := breaches(body, schema):
        raise bad("; ".join(lines))


def update_meter(cloud: Cloud, volume: dict[str, Any]) -> None:
    """The volume bills for the size that it has now."""
    first = min(volume["size"], 1000)
    usd = first * FIRST_TB_USD + (volume["size"] - first) * BEYOND_USD
    kind = "standard" if volume["type"] == STANDARD else "highPerformance"
    cloud.meters.setdefault(volume["id"], Meter()).set_rates(now(), {kind: usd})


def remove_volume(cloud: Cloud, volume: dict[str, Any]) -> None:
    """The volume and its data are gone, and it bills no more. Raises Problem if a pod has it."""
    if any(pod.volume_id() == volume["id"] for pod in cloud.left()):
        raise bad("network volume is attached to a pod")
    del cloud.volumes[volume["id"]]
    cloud.meters[volume["id"]].set_rates(now(), {})
    wipe(cloud.platform.site.volume_dir(volume["id"]))
