"""Prices of GPUs and disks, for scripts. Reads the cloud's catalogue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..cloud.values import Offer
from ..errors import DeployError
from ..live import connect_cloud
from ..money import VOLUME_STORAGE_USD_PER_GB_MONTH, disk_usd_per_day

__all__ = [
    "VOLUME_STORAGE_USD_PER_GB_MONTH",
    "GpuPrice",
    "estimate_volume_storage_cost_usd_per_day",
    "fetch_gpu_prices",
    "select_price_for_pod",
]

logger = logging.getLogger("runpod_deploy")


@dataclass(frozen=True, slots=True)
class GpuPrice:
    """Prices of one GPU type in USD per GPU and hour; None if a price is not known."""

    id: str
    display_name: str
    secure_price: float | None = None
    community_price: float | None = None
    secure_spot_price: float | None = None
    """Always None: RunPod no longer sells spot pods."""
    community_spot_price: float | None = None
    """Always None."""
    lowest_price: float | None = None


def fetch_gpu_prices(
    *, api_key: str | None = None, force_refresh: bool = False, cache_ttl_sec: int = 3600
) -> dict[str, GpuPrice]:
    """Prices by GPU id, read from the catalogue now. If that fails, the result is empty and the log has a warning.

    api_key replaces RUNPOD_API_KEY. A refresh is two calls, so nothing is cached: force_refresh and cache_ttl_sec are
    accepted for older scripts and change nothing.
    """
    del force_refresh, cache_ttl_sec
    try:
        source = connect_cloud(api_key=api_key)
        return prices_of(source.catalogue("SECURE", gpu_count=1), source.catalogue("COMMUNITY", gpu_count=1))
    except DeployError as error:
        logger.warning("no prices: %s", error.message)
        return {}


def prices_of(secure: Iterable[Offer], community: Iterable[Offer]) -> dict[str, GpuPrice]:
    """Prices by GPU id from the offers of both clouds."""
    own, others = cheapest(secure), cheapest(community)
    return {
        gpu: GpuPrice(
            id=gpu,
            display_name=gpu,
            secure_price=own.get(gpu),
            community_price=others.get(gpu),
            lowest_price=lowest(own.get(gpu), others.get(gpu)),
        )
        for gpu in sorted({*own, *others})
    }


def cheapest(offers: Iterable[Offer]) -> dict[str, float | None]:
    """The lowest price of each GPU among the offers."""
    prices: dict[str, float | None] = {}
    for offer in offers:
        prices[offer.gpu_id] = lowest(prices.get(offer.gpu_id), offer.usd_per_gpu_hour)
    return prices


def lowest(*prices: float | None) -> float | None:
    """The lowest price that is known."""
    return min((price for price in prices if price is not None), default=None)


def select_price_for_pod(
    prices: Mapping[str, GpuPrice], *, gpu_id: str, cloud_type: str, spot: bool = False
) -> float | None:
    """The price of one GPU on one cloud in USD per hour; None if it is unknown."""
    if gpu_id not in prices:
        return None
    name = f"{cloud_type.lower()}_{'spot_' if spot else ''}price"
    price: float | None = getattr(prices[gpu_id], name, None)
    return price


def estimate_volume_storage_cost_usd_per_day(gb: float) -> float:
    """The price in USD per day of a running pod's volume disk of this size; 0 if the size is not positive."""
    return disk_usd_per_day(gb, VOLUME_STORAGE_USD_PER_GB_MONTH)
