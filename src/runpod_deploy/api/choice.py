"""Choices that scripts make for themselves among GPUs, datacenters and volumes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .prices import GpuPrice

OnFailover = Callable[[str, str | None, str], None]
"""Is told the datacenter that was left, the one that comes next (None at the end), and why."""
IN_STOCK = ("high", "medium", "low")


def select_gpu_across_datacenters(
    payload: Iterable[Mapping[str, Any]],
    *,
    datacenters: Sequence[str],
    gpu_order: Sequence[str],
    on_failover: OnFailover | None = None,
    prices: Mapping[str, GpuPrice] | None = None,
    max_gpu_price_usd: float | None = None,
) -> tuple[str, str]:
    """The first GPU of gpu_order in stock in the first datacenter that has one, as (gpu_id, datacenter_id).

    payload is a list of datacenters as `runpodctl datacenter list -o json` and the REST API's catalogue show them.
    With a price limit, a GPU whose price is unknown is passed over. Raises ValueError without datacenters, and
    RuntimeError if there is nothing to be had.
    """
    if not datacenters:
        raise ValueError("no datacenters to choose from")
    tell = on_failover or unheard
    stock = {str(row.get("id")): stock_of(row) for row in payload}
    for here, following in zip(datacenters, [*datacenters[1:], None], strict=True):
        for gpu_id in gpu_order:
            if not in_stock(stock.get(here, {}), gpu_id):
                continue
            if reason := too_dear(gpu_id, prices or {}, max_gpu_price_usd):
                tell(here, following, reason)
                continue
            return gpu_id, here
        tell(here, following, f"none of {', '.join(gpu_order)} in stock")
    raise RuntimeError(f"none of {', '.join(gpu_order)} is to be had in {', '.join(datacenters)}")


def unheard(_left: str, _following: str | None, _why: str) -> None:
    """A failover that nobody wants to hear of."""


def stock_of(datacenter: Mapping[str, Any]) -> dict[str, str]:
    """Stock by GPU id and by display name, in small letters."""
    rows = datacenter.get("gpuAvailability") or ()
    levels: dict[str, str] = {}
    for row in rows:
        level = str(row.get("stockStatus") or row.get("availability") or "").lower()
        names = (row.get("gpuId"), row.get("gpuTypeId"), row.get("displayName"), row.get("id"))
        levels |= {str(name): level for name in names if name}
    return levels


def in_stock(levels: Mapping[str, str], gpu_id: str) -> bool:
    """Whether the GPU can be had."""
    return levels.get(gpu_id, "") in IN_STOCK


def too_dear(gpu_id: str, prices: Mapping[str, GpuPrice], limit_usd: float | None) -> str:
    """Why a GPU is over the limit; empty if it is not, or there is none."""
    if limit_usd is None:
        return ""
    price = prices[gpu_id].lowest_price if gpu_id in prices else None
    if price is None:
        return f"{gpu_id}: price unknown, limit ${limit_usd:.2f}/hr"
    return f"{gpu_id}: ${price:.2f}/hr is over the limit of ${limit_usd:.2f}/hr" if price > limit_usd else ""


def resolve_volume(
    volumes: Iterable[Mapping[str, Any]], *, volume_name: str, expected_datacenter_id: str
) -> tuple[str, str]:
    """Id and datacenter of the one network volume of that name in that datacenter. Raises RuntimeError."""
    named = [volume for volume in volumes if volume.get("name") == volume_name]
    places = [str(volume.get("dataCenterId") or volume.get("dataCenter")) for volume in named]
    here = [str(v.get("id")) for v, place in zip(named, places, strict=True) if place == expected_datacenter_id]
    if len(here) == 1:
        return here[0], expected_datacenter_id
    if here:
        raise RuntimeError(f"there are {len(here)} network volumes named {volume_name!r} in {expected_datacenter_id}")
    found = f"it is in {', '.join(places)}" if places else "there is none of that name"
    raise RuntimeError(f"no network volume {volume_name!r} in {expected_datacenter_id}: {found}")
