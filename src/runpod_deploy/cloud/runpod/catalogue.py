"""The API's catalogue as offers. Pure; knows the meaning of its rows, none of which is a reservation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..values import Offer
from .fields import number_in, part_in, parts_in, size_in, text_in
from .reading import OnOdd, each, ignore

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


def gpu_offers(rows: Iterable[Row], cloud_type: str, gpu_count: int, on_odd: OnOdd = ignore) -> list[Offer]:
    """The offers of that cloud: for each GPU one per datacenter, and one for the cloud as a whole."""

    def read(row: Row) -> list[Offer]:
        if row.get("id") in (None, "", PLACEHOLDER_ID) or not rentable(row, cloud_type, gpu_count):
            return []
        return offers_of(row, cloud_type, price_of(row, cloud_type.lower()))

    return [offer for offers in each(rows, read, on_odd) for offer in offers]


def cpu_offers(rows: Iterable[Row], vcpu_count: int, on_odd: OnOdd = ignore) -> list[Offer]:
    """The offers of all flavors, each at the price of a pod of that size. CPU pods are on Secure Cloud only."""

    def read(row: Row) -> list[Offer]:
        per_vcpu = price_of(row, "securePerVcpu")
        return offers_of(row, "SECURE", None if per_vcpu is None else round(per_vcpu * vcpu_count, 6))

    return [offer for offers in each(rows, read, on_odd) for offer in offers]


def offers_of(row: Row, cloud_type: str, price: float | None) -> list[Offer]:
    """The offers of one row. The cloud as a whole gets the best stock of its datacenters: its own figure has been NONE
    while one of them had LOW."""
    gpu_id = text_in(row["id"])
    if gpu_id is None:
        raise ValueError(f"no id: {row['id']!r}")
    places = [(text_in(place.get("id")), place) for place in parts_in(row, "dataCenters")]
    shown = [(name, text_in(place.get("availability")) or "NONE") for name, place in places if name]
    best = max([text_in(row.get("availability")) or "NONE", *(stock for _, stock in shown)], key=stock_level)
    return [
        Offer(
            gpu_id=gpu_id,
            datacenter_id=datacenter_id,
            cloud_type=cloud_type,
            usd_per_gpu_hour=price,
            stock=stock,
            name=text_in(row.get("name")) or "",
            memory_gb=size_in(row.get("memory")),
        )
        for datacenter_id, stock in [*shown, (ANYWHERE, best)]
    ]


def rentable(row: Row, cloud_type: str, gpu_count: int) -> bool:
    """Whether that cloud has this GPU at all, in machines that are large enough."""
    cloud_key = cloud_type.lower()
    most = number_in(part_in(row, "maxCount").get(cloud_key))
    return bool(row.get(cloud_key, True)) and (most is None or most >= gpu_count)


def price_of(row: Row, price_key: str) -> float | None:
    """The price in USD per hour; None if the catalogue names none above zero: nothing is free there."""
    price = number_in(part_in(row, "price").get(price_key))
    return price if price is not None and price > 0 else None


def stock_level(stock: str) -> int:
    """The rank of this stock; a value that the API has added since ranks as LOW."""
    return LEVELS.index(stock) if stock in LEVELS else 1
