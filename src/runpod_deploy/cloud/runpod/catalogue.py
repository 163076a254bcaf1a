"""The API's catalogue as offers. Pure; knows the meaning of its rows, none of which is a reservation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..values import Offer

LEVELS = ("NONE", "LOW", "MEDIUM", "HIGH")
PLACEHOLDER_ID = "unknown"
"""The id of a row in the catalogue that stands for no GPU: 0 GB, 0 dollars, on no cloud (2026-08)."""
ANYWHERE = ""
"""The datacenter of the offer that stands for a cloud as a whole."""

Row = Mapping[str, Any]


def gpu_query(cloud_type: str, gpu_count: int) -> dict[str, str]:
    """The query for the stock of pods with that many GPUs on that cloud."""
    return {"include": "AVAILABILITY", "product": "POD", "count": str(gpu_count), "cloud": cloud_type}


def cpu_query(vcpu_count: int) -> dict[str, str]:
    """The query for the stock of CPU pods of that size."""
    return {"include": "AVAILABILITY", "product": "POD", "vcpuCount": str(vcpu_count)}


def gpu_offers(rows: Iterable[Row], cloud_type: str, gpu_count: int) -> list[Offer]:
    """The offers of that cloud: for each GPU one per datacenter, and one for the cloud as a whole."""
    offers = []
    for row in rows:
        if row.get("id") in (None, "", PLACEHOLDER_ID) or not rentable(row, cloud_type, gpu_count):
            continue
        offers += offers_of(row, cloud_type, price_of(row, cloud_type.lower()))
    return offers


def cpu_offers(rows: Iterable[Row], vcpu_count: int) -> list[Offer]:
    """The offers of all flavors, each at the price of a pod of that size. CPU pods are on Secure Cloud only."""
    offers = []
    for row in rows:
        per_vcpu = price_of(row, "securePerVcpu")
        price = None if per_vcpu is None else round(per_vcpu * vcpu_count, 6)
        offers += offers_of(row, "SECURE", price)
    return offers


def offers_of(row: Row, cloud_type: str, price: float | None) -> list[Offer]:
    """The offers of one row. The cloud as a whole gets the best stock of its datacenters: its own figure has been NONE
    while one of them had LOW."""
    shown = [(place["id"], place.get("availability") or "NONE") for place in row.get("dataCenters") or []]
    best = max([row.get("availability") or "NONE", *(stock for _, stock in shown)], key=stock_level)
    return [
        Offer(
            gpu_id=row["id"],
            datacenter_id=datacenter_id,
            cloud_type=cloud_type,
            usd_per_gpu_hour=price,
            stock=stock,
        )
        for datacenter_id, stock in [*shown, (ANYWHERE, best)]
    ]


def rentable(row: Row, cloud_type: str, gpu_count: int) -> bool:
    """Whether that cloud has this GPU at all, in machines that are large enough."""
    cloud_key = cloud_type.lower()
    most = (row.get("maxCount") or {}).get(cloud_key, gpu_count)
    return bool(row.get(cloud_key, True)) and most >= gpu_count


def price_of(row: Row, price_key: str) -> float | None:
    """The price in USD per hour; None if the catalogue names none. Zero counts as none: nothing is free there."""
    price = (row.get("price") or {}).get(price_key)
    return float(price) if price else None


def stock_level(stock: str) -> int:
    """The rank of this stock; a value that the API has added since ranks as LOW."""
    return LEVELS.index(stock) if stock in LEVELS else 1
