"""The stock of a config's GPUs in its datacenters. Pure: offers in, reports out; knows no API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..money import cents
from .values import Offer

LEVELS = ("HIGH", "MEDIUM", "LOW")
UNKNOWN_PRICE = "—"


@dataclass(frozen=True, slots=True)
class DatacenterInventory:
    """The stock in one datacenter, of the config's GPUs and of others."""

    datacenter_id: str
    configured_available: tuple[str, ...]
    configured_low_stock: tuple[str, ...]
    configured_stockout: tuple[str, ...]
    configured_unknown: tuple[str, ...]
    """GPUs that are not offered there at all."""
    other_available: tuple[str, ...]

    @property
    def stocked(self) -> bool:
        """Whether a GPU of the config is available there now."""
        return bool(self.configured_available or self.configured_low_stock)


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """The stock of a config's GPUs in its datacenters."""

    gpu_order: tuple[str, ...]
    datacenters: tuple[DatacenterInventory, ...]

    @property
    def any_stocked(self) -> bool:
        """Whether a GPU of the config is available anywhere now."""
        return any(datacenter.stocked for datacenter in self.datacenters)

    @property
    def others(self) -> list[str]:
        """GPUs outside the config that are available in its datacenters, sorted."""
        return sorted({gpu for datacenter in self.datacenters for gpu in datacenter.other_available})


def inventory(gpu_order: Sequence[str], datacenters: Sequence[str], offers: Iterable[Offer]) -> InventoryReport:
    """The report on these GPUs in these datacenters."""
    stock = {(offer.datacenter_id, offer.gpu_id): offer.stock for offer in offers}
    found = tuple(datacenter_inventory(name, gpu_order, stock) for name in datacenters)
    return InventoryReport(gpu_order=tuple(gpu_order), datacenters=found)


def datacenter_inventory(name: str, gpu_order: Sequence[str], stock: dict[tuple[str, str], str]) -> DatacenterInventory:
    """The report on one datacenter."""
    here = {gpu: level for (datacenter, gpu), level in stock.items() if datacenter == name}
    return DatacenterInventory(
        datacenter_id=name,
        configured_available=tuple(gpu for gpu in gpu_order if here.get(gpu) in LEVELS[:2]),
        configured_low_stock=tuple(gpu for gpu in gpu_order if here.get(gpu) == "LOW"),
        configured_stockout=tuple(gpu for gpu in gpu_order if gpu in here and here[gpu] not in LEVELS),
        configured_unknown=tuple(gpu for gpu in gpu_order if gpu not in here),
        other_available=tuple(sorted(gpu for gpu in here if gpu not in gpu_order and here[gpu] in LEVELS)),
    )


def inventory_lines(report: InventoryReport) -> Iterable[str]:
    """The report in the layout that scripts read."""
    yield f"gpu_order: {list(report.gpu_order)}"
    for datacenter in report.datacenters:
        yield f"datacenter: {datacenter.datacenter_id}"
        yield from (f"  {gpu}  available" for gpu in datacenter.configured_available)
        yield from (f"  {gpu}  low" for gpu in datacenter.configured_low_stock)
        if not datacenter.stocked:
            yield "  no configured GPU stocked here"
        yield from (f"  {gpu}  stockout" for gpu in datacenter.configured_stockout)
        yield from (f"  {gpu}  (not listed in this datacenter)" for gpu in datacenter.configured_unknown)
        if datacenter.other_available:
            yield f"  also available (not in gpu_order): {list(datacenter.other_available)}"
    if report.any_stocked:
        yield "ok: at least one configured GPU is currently stocked"


def by_stock(offers: Iterable[Offer]) -> list[Offer]:
    """The offers with most stock first, then by name."""
    return sorted(offers, key=lambda offer: (rank(offer.stock), offer.gpu_id))


def rank(stock: str) -> int:
    """0 for HIGH, more for less stock; values that RunPod has added since come last."""
    return LEVELS.index(stock) if stock in LEVELS else len(LEVELS)


def offer_lines(offers: Sequence[Offer], price_label: str) -> Iterable[str]:
    """A datacenter's offers in the layout that scripts read. Without a single price there is no price column."""
    priced = any(offer.usd_per_gpu_hour is not None for offer in offers)
    width = max([3, *(len(offer.gpu_id) for offer in offers)])
    yield f"{'gpu':{width}}  {'stock':8}  $/hr ({price_label})" if priced else f"{'gpu':{width}}  stock"
    for offer in offers:
        price = price_text(offer.usd_per_gpu_hour) if priced else ""
        yield f"{offer.gpu_id:{width}}  {stock_text(offer.stock):8}  {price}".rstrip()


def cheapest_first(offers: Iterable[Offer]) -> list[Offer]:
    """One offer for each GPU by rising price, those of unknown price last."""
    one_each = {offer.gpu_id: offer for offer in offers}
    return sorted(one_each.values(), key=lambda offer: (price_key(offer), offer.gpu_id))


def price_key(offer: Offer) -> float:
    """The price as a sort key; infinite if it is unknown."""
    return float("inf") if offer.usd_per_gpu_hour is None else offer.usd_per_gpu_hour


def price_lines(offers: Sequence[Offer], price_label: str) -> Iterable[str]:
    """Prices in the layout that scripts read."""
    width = max([3, *(len(offer.gpu_id) for offer in offers)])
    yield f"{'gpu':{width}}  $/hr ({price_label})"
    yield from (f"{offer.gpu_id:{width}}  {price_text(offer.usd_per_gpu_hour)}" for offer in offers)


def price_text(usd: float | None) -> str:
    """`$0.99`, or a dash for an unknown price."""
    return UNKNOWN_PRICE if usd is None else f"${cents(usd)}"


def stock_text(stock: str) -> str:
    """`High`, or a dash for an unknown stock."""
    return stock.capitalize() if stock else UNKNOWN_PRICE
