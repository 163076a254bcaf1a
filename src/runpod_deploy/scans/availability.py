"""A config checked against RunPod's live catalogue: names that do not exist, and the stock in each datacenter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from ..cloud.gpu_order import cards_in, order_of
from ..cloud.stock import LEVELS
from ..cloud.values import Offer
from ..config import Draft, Finding
from ..errors import ConfigError, StockOut
from ..spec import PodSpec
from ..spec.gpu_names import meant, suggestion
from ..spec.spelling import closest

MOST_NAMED = 4


class Catalogue(Protocol):
    """The part of the cloud that this scan asks."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False) -> list[Offer]:
        """All offers of one cloud type."""

    def datacenter_ids(self) -> list[str]:
        """Ids of all datacenters."""

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one network volume of that name. Raises ConfigError on none or several."""


def check_availability(draft: Draft, cloud: Catalogue) -> Iterator[Finding]:
    """Errors for names of which none is known, warnings for other unknown ones and for low stock.

    Raises StockOut if nothing requested is in stock.
    """
    asked = draft.trial.job.pod
    yield from missing_volume(draft, cloud)
    offers = cloud.catalogue(asked.cloud_type, gpu_count=asked.gpu_count, cpu=asked.cpu is not None)
    yield from meanings(draft, asked, offers)
    pod = asked if asked.cpu else replace(asked, gpu_order=order_of(asked, offers).ids)
    known = cloud.datacenter_ids()
    unknown = [
        *only_warnings(list(unknown_gpus(draft, asked, offers)), requested(asked)),
        *only_warnings(list(unknown_datacenters(draft, pod, known)), pod.datacenters),
    ]
    yield from unknown
    yield from stock_of_each(draft, pod, offers, known)
    if all(finding.level == "warning" for finding in unknown):
        raise_if_out_of_stock(pod, offers)


def only_warnings(findings: list[Finding], names: tuple[str, ...]) -> list[Finding]:
    """The findings about unknown names: warnings if another of the names is known, since GPUs come and go."""
    if len(findings) == len(names):
        return findings
    return [replace(finding, level="warning") for finding in findings]


def missing_volume(draft: Draft, cloud: Catalogue) -> Iterator[Finding]:
    """An error for a network volume that the account does not have, or has twice."""
    name = draft.trial.job.storage.volume_name
    try:
        if name:
            cloud.volume(name)
    except ConfigError as error:
        yield draft.document.finding(("storage", "volume_name"), error.message, hint=error.hint)


def requested(pod: PodSpec) -> tuple[str, ...]:
    """The GPUs or the CPU flavor that the config asks for."""
    return (pod.cpu,) if pod.cpu else pod.gpu_order


def meanings(draft: Draft, pod: PodSpec, offers: list[Offer]) -> Iterator[Finding]:
    """A note for each GPU name that is no id."""
    for note in order_of(pod, offers).notes:
        yield draft.document.finding(("pod", "gpu_order"), note, level="note")


def unknown_gpus(draft: Draft, pod: PodSpec, offers: list[Offer]) -> Iterator[Finding]:
    """Findings about GPUs that this cloud type does not have."""
    cards = cards_in(offers)
    known = {card.id for card in cards}
    for i, gpu in enumerate(requested(pod)):
        if gpu not in known and not (pod.cpu is None and meant(gpu, cards)):
            loc = ("pod", "cpu") if pod.cpu else ("pod", "gpu_order", i)
            guess = suggestion(gpu, cards)
            hint = f"did you mean {guess!r}?" if guess else "see `runpod-deploy gpu-list`"
            yield draft.document.finding(loc, f"{pod.cloud_type} cloud has no {gpu!r}", hint=hint)


def unknown_datacenters(draft: Draft, pod: PodSpec, known: list[str]) -> Iterator[Finding]:
    """Findings about datacenters that do not exist."""
    for i, datacenter in enumerate(pod.datacenters):
        if datacenter not in known:
            meant = closest(datacenter, known)
            hint = f"did you mean {meant}?" if meant else f"there are {some_of(known)}"
            yield draft.document.finding(("pod", "datacenters", i), f"there is no datacenter {datacenter!r}", hint=hint)


def some_of(known: list[str]) -> str:
    """The first datacenters of the list, and the number of the others."""
    more = len(known) - MOST_NAMED
    return ", ".join(known[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def stock_of_each(draft: Draft, pod: PodSpec, offers: list[Offer], known: list[str]) -> Iterator[Finding]:
    """A warning for each datacenter where nothing that was asked for is in stock, or only little; else a note."""
    for i, datacenter in enumerate(pod.datacenters):
        stocks = {o.gpu_id: o.stock for o in offers if o.datacenter_id == datacenter and o.gpu_id in requested(pod)}
        there = [gpu for gpu, stock in stocks.items() if stock in LEVELS]
        loc = ("pod", "datacenters", i)
        if not there and datacenter in known:
            message = f"{datacenter} has no {' or '.join(requested(pod))} now"
            yield draft.document.finding(loc, message, level="warning")
        elif there and all(stocks[gpu] == "LOW" for gpu in there):
            message = f"{datacenter} has only little stock of {', '.join(there)}"
            yield draft.document.finding(loc, message, level="warning")
        elif there:
            message = f"{datacenter} has " + ", ".join(f"{gpu} ({stocks[gpu].lower()})" for gpu in there)
            yield draft.document.finding(loc, message, level="note")


def raise_if_out_of_stock(pod: PodSpec, offers: list[Offer]) -> None:
    """Returns if one of the GPUs is in stock in one of the datacenters. Raises StockOut that names alternatives."""
    here = [offer for offer in offers if offer.datacenter_id in pod.datacenters and offer.stock in LEVELS]
    if any(offer.gpu_id in requested(pod) for offer in here):
        return
    others = sorted({offer.gpu_id for offer in here})
    elsewhere = sorted({o.datacenter_id for o in offers if o.gpu_id in requested(pod) and o.stock in LEVELS} - {""})
    hints = [f"in stock there: {', '.join(others)}"] if others else []
    hints += [f"the same GPUs are in stock in {', '.join(elsewhere)}"] if elsewhere else []
    message = f"no {' or '.join(requested(pod))} in {', '.join(pod.datacenters)}"
    raise StockOut(message, hint="; ".join(hints) or "try later, or with another cloud_type")
