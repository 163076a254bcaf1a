"""The combinations of GPU and datacenter to try, in order. Pure: offers and the pod section in, candidates out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from ..errors import CloudUnreachable, ConfigError, StockOut
from ..spec import PodSpec
from ..spec.gpu_names import Card, suggestion
from . import price_limit
from .gpu_order import cards_in, order_of
from .values import Candidate, Offer

CUDA_TAG = re.compile(r"(?:^|[^a-z0-9])(?:cu(\d\d)(\d)\d*|cuda-?(\d\d)\.(\d+))", re.IGNORECASE)


def cuda_floor(image: str) -> str | None:
    """The CUDA version that an image tag names (`cu1281` is 12.8), which the host's driver must support."""
    found = CUDA_TAG.search(image.rpartition(":")[2])
    return f"{found[1] or found[3]}.{found[2] or found[4]}" if found else None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates that will be tried, and a reason for each GPU that is left out."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    """What the names mean that are no ids, such as `H100`."""


def rank(pod: PodSpec, offers: list[Offer], *, cloud_type: str, max_usd_per_gpu_hour: float | None) -> Ranking:
    """The candidates on one cloud, those in stock first. The catalogue reserves nothing, so the others are tried too.

    Raises ConfigError if no GPU of the list exists, StockOut if all are too expensive, and CloudUnreachable if a price
    limit is set and no price is known: a limit that cannot be checked is not met.
    """
    prices = {offer.gpu_id: offer.usd_per_gpu_hour for offer in offers}
    stock = {(offer.gpu_id, offer.datacenter_id): offer.stock for offer in offers}
    order = order_of(pod, offers)
    wanted, cards = order.ids, cards_in(offers)
    skipped = {gpu: reason for gpu in wanted if (reason := objection(gpu, prices, max_usd_per_gpu_hour, cards))}
    if len(skipped) == len(wanted):
        raise nothing_left(wanted, prices, skipped)
    kept = [gpu for gpu in wanted if gpu not in skipped]
    pairs = sorted(ordered(pod, kept, prices), key=lambda pair: stock.get(pair, "NONE") == "NONE")
    candidates = (
        Candidate(gpu_id=g, datacenter_id=d, cloud_type=cloud_type, usd_per_gpu_hour=prices[g]) for g, d in pairs
    )
    return Ranking(tuple(candidates), tuple(skipped.values()), order.notes)


def ordered(pod: PodSpec, gpus: list[str], prices: dict[str, float | None]) -> Iterable[tuple[str, str]]:
    """(GPU, datacenter) pairs in the order that the config asks for."""
    if pod.selection == "datacenter_first":
        return [(gpu, datacenter) for datacenter, gpu in product(pod.datacenters, gpus)]
    if pod.selection == "cheapest":
        gpus = sorted(gpus, key=lambda gpu: float("inf") if (price := prices[gpu]) is None else price)
    return product(gpus, pod.datacenters)


def objection(gpu: str, prices: dict[str, float | None], limit: float | None, cards: Iterable[Card] = ()) -> str:
    """Why this GPU is not a candidate; empty if it is."""
    if gpu not in prices:
        near = suggestion(gpu, cards)
        return f"{gpu}: no such GPU in the catalogue" + (f"; did you mean {near!r}?" if near else "")
    reason = price_limit.objection(prices[gpu], limit)
    return f"{gpu}: {reason}" if reason else ""


def nothing_left(
    wanted: tuple[str, ...], prices: dict[str, float | None], skipped: dict[str, str]
) -> ConfigError | StockOut | CloudUnreachable:
    """The error that says why no GPU of the list can be tried."""
    reasons = "; ".join(skipped.values())
    known = [gpu for gpu in wanted if gpu in prices]
    if not known:
        hint = "list the GPUs of a datacenter with `runpod-deploy gpu-list --datacenter ID`"
        return ConfigError(f"pod.gpu_order: {reasons}", hint=hint)
    if any(prices[gpu] is None for gpu in known):
        return CloudUnreachable(
            f"the price limit cannot be checked, so no pod was created: {reasons}",
            hint="try again later, or leave out budget.max_gpu_price",
        )
    return StockOut(
        f"no GPU within the price limit: {reasons}", hint="raise --max-gpu-price, or add cheaper GPUs to pod.gpu_order"
    )
