"""The GPUs that a config names, as ids of the catalogue. Pure: names and offers in, ids out."""

from __future__ import annotations

from collections.abc import Iterable

from ..config.gpus import CARDS, GPU_IDS
from ..spec import PodSpec
from ..spec.gpu_names import Card, Order, in_order
from .values import Offer

KNOWN = {card.id: card for card in CARDS}


def cards_in(offers: Iterable[Offer]) -> list[Card]:
    """One card for each GPU that is offered, with its price."""
    one_each = {offer.gpu_id: offer for offer in offers}
    return [card_of(offer) for offer in one_each.values()]


def card_of(offer: Offer) -> Card:
    """The card that is offered; what the catalogue does not tell is taken from the list of known cards."""
    known = KNOWN.get(offer.gpu_id, Card(offer.gpu_id))
    memory = known.memory_gb if offer.memory_gb is None else offer.memory_gb
    return Card(offer.gpu_id, offer.name or known.name, memory, offer.usd_per_gpu_hour)


def order_of(pod: PodSpec, offers: Iterable[Offer]) -> Order:
    """The GPUs, or the CPU flavor, that the config asks for."""
    if pod.cpu:
        return Order((pod.cpu,))
    return in_order(pod.gpu_order, cards_in(offers), GPU_IDS)


def known_order(pod: PodSpec, *also: str) -> Order:
    """The order as it is without the catalogue, and so without prices; `also` are ids that may not be known here."""
    if pod.cpu:
        return Order((pod.cpu,))
    return in_order(pod.gpu_order, [*CARDS, *(Card(gpu) for gpu in also if gpu not in KNOWN)], GPU_IDS)
