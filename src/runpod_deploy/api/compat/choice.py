"""A choice among GPUs, datacenters and volumes, for scripts that make it themselves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...money import cents
from ..prices import GpuPrice

OnFailover = Callable[[str, str | None, str], None]
"""Called with the datacenter that was passed over, the next one (None at the end), and the reason."""
IN_STOCK = ("high", "medium", "low")


def select_gpu_across_datacenters(
    payload: Iterable[Mapping[str, Any]],
    *,
    datacenters: Sequence[str],
    gpu_order: Sequence[str],
    on_failover: OnFailover | None = None,
    prices: Mapping[str, GpuPrice | float] | None = None,
    max_gpu_price_usd: float | None = None,
) -> tuple[str, str]:
    """The first GPU of gpu_order in stock in the first datacenter that has one, as (gpu_id, datacenter_id).

    payload is a list of datacenters in the form of `runpodctl datacenter list -o json` or of the REST API's catalogue.
    prices has USD per hour, or a GpuPrice, for each GPU. With a price limit, a GPU whose price is unknown is passed
    over. Raises ValueError without datacenters, and RuntimeError if no GPU can be chosen.
    """
    if not datacenters:
        raise ValueError("no datacenters to choose from")
    report = on_failover or ignore
    stock = {str(row.get("id")): stock_of(row) for row in payload}
    for here, following in zip(datacenters, [*datacenters[1:], None], strict=True):
        for gpu_id in gpu_order:
            if not in_stock(stock.get(here, {}), gpu_id):
                continue
            if reason := too_expensive(gpu_id, prices or {}, max_gpu_price_usd):
                report(here, following, reason)
                continue
            return gpu_id, here
        report(here, following, f"none of {', '.join(gpu_order)} in stock")
    raise RuntimeError(f"none of {', '.join(gpu_order)} is available in {', '.join(datacenters)}")


def ignore(_left: str, _following: str | None, _why: str) -> None:
    """Does nothing, for callers that gave no callback."""


def stock_of(datacenter: Mapping[str, Any]) -> dict[str, str]:
    """Stock levels by GPU id and by display name, in lower case."""
    rows = datacenter.get("gpuAvailability") or ()
    levels: dict[str, str] = {}
    for row in rows:
        level = str(row.get("stockStatus") or row.get("availability") or "").lower()
        names = (row.get("gpuId"), row.get("gpuTypeId"), row.get("displayName"), row.get("id"))
        levels |= {str(name): level for name in names if name}
    return levels


def in_stock(levels: Mapping[str, str], gpu_id: str) -> bool:
    """Whether the GPU is in stock."""
    return levels.get(gpu_id, "") in IN_STOCK


def too_expensive(gpu_id: str, prices: Mapping[str, GpuPrice | float], limit_usd: float | None) -> str:
    """The reason why a GPU is over the limit; empty if it is not, or if there is no limit."""
    if limit_usd is None:
        return ""
    found = prices.get(gpu_id)
    price = found.lowest_price if isinstance(found, GpuPrice) else found
    if price is None:
        return f"{gpu_id}: price unknown, limit ${cents(limit_usd)}/hr"
    return f"{gpu_id}: ${cents(price)}/hr is over the limit of ${cents(limit_usd)}/hr" if price > limit_usd else ""


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
