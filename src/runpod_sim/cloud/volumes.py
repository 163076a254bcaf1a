"""Network volumes as records: created, metered, deleted. Knows the cloud; knows no HTTP."""

from __future__ import annotations

from typing import Any

from ..clock import now
from ..containers.sandbox import wipe
from ..records.meter import Meter
from ..records.pods import new_id
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


def update_meter(cloud: Cloud, volume: dict[str, Any]) -> None:
    """The volume bills for the size that it has now."""
    first = min(volume["size"], 1000)
    usd = first * FIRST_TB_USD + (volume["size"] - first) * BEYOND_USD
    kind = "standard" if volume["type"] == STANDARD else "highPerformance"
    cloud.meters.setdefault(volume["id"], Meter()).set_rates(now(), {kind: usd})


def remove_volume(cloud: Cloud, volume: dict[str, Any]) -> None:
    """The volume and its data are gone, and it bills no more."""
    del cloud.volumes[volume["id"]]
    cloud.meters[volume["id"]].set_rates(now(), {})
    wipe(cloud.platform.site.volume_dir(volume["id"]))
