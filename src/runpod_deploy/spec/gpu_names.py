"""What people call GPUs: `H100`, `A100-80GB`, `4090`, `24GB+`, and the cards that they mean. Pure; knows no catalogue.

A name never means another card: `3090` is not the 3090 Ti, and `RTX 6000` is not the RTX PRO 6000.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

AT_LEAST = re.compile(r"(\d+)\s*gb?\s*\+", re.IGNORECASE)
MEMORY = re.compile(r"(\d+)gb")
SPELLINGS = (
    (re.compile(r"max-?\s?q\b"), "maxq"),
    (re.compile(r"\b(\d+)\s+gb\b"), r"\1gb"),
    (re.compile(r"\b(rtx|gtx)(?=\d)"), r"\1 "),
    (re.compile(r"(\d{4})(ti|super)\b"), r"\1 \2"),
)
"""Spellings that mean the same, in lower case."""
VARIANTS = frozenset({"ti", "super", "sff", "maxq", "mig", "pro"})
"""Words that make another card of the one without them."""
CLOSE = 0.75
MOST_NAMED = 5
MEMORY_SLACK_GB = 2
"""The catalogue's memory of a card may differ by this much from what people call it."""


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU type: its id, the name that RunPod shows, its memory, and its price, as far as they are known."""

    id: str
    name: str = ""
    memory_gb: int | None = None
    usd_per_hour: float | None = None

    @property
    def words(self) -> frozenset[str]:
        """The words of both names."""
        return words_of(self.id) | words_of(self.name)


def words_of(name: str) -> frozenset[str]:
    """The words of a name, in one spelling."""
    text = name.lower()
    for pattern, same in SPELLINGS:
        text = pattern.sub(same, text)
    return frozenset(word for word in re.split(r"[\s_/-]+", text) if word)


def meant(name: str, cards: Iterable[Card]) -> list[Card]:
    """The cards that the name means, the cheapest first; none if it means none of these."""
    known = list(cards)
    for same in ("id", "name"):
        if found := [card for card in known if getattr(card, same).lower() == name.strip().lower()]:
            return found[:1]
    if (least := AT_LEAST.fullmatch(name.strip())) is not None:
        return by_price(card for card in known if is_large_enough(card, int(least[1])))
    asked = words_of(name)
    return by_price(card for card in known if models_of(asked) and fits(card, asked))


def by_price(cards: Iterable[Card]) -> list[Card]:
    """The cards by rising price, those of unknown price last."""
    return sorted(cards, key=lambda card: (price_key(card), card.id))


def price_key(card: Card) -> float:
    """The price; infinite if it is unknown."""
    return float("inf") if card.usd_per_hour is None else card.usd_per_hour


def is_large_enough(card: Card, memory_gb: int) -> bool:
    """Whether `24GB+` means this card: whole cards for CUDA only."""
    whole = card.words.isdisjoint(("amd", "mig"))
    return whole and card.memory_gb is not None and card.memory_gb >= memory_gb


def fits(card: Card, asked: frozenset[str]) -> bool:
    """Whether every word of the name is true of the card, and the card is no variant that the name does not tell."""
    true = all(word in card.words or has_memory(card, word) for word in asked)
    return true and not (card.words & VARIANTS) - asked


def has_memory(card: Card, word: str) -> bool:
    """Whether the word is the card's memory, such as `80gb`."""
    found = MEMORY.fullmatch(word)
    return found is not None and card.memory_gb is not None and abs(card.memory_gb - int(found[1])) <= MEMORY_SLACK_GB


def models_of(words: frozenset[str]) -> frozenset[str]:
    """The words that name a model, such as `a100` or `4090`."""
    return frozenset(w for w in words if any(c.isdigit() for c in w) and not MEMORY.fullmatch(w))


def suggestion(name: str, cards: Iterable[Card]) -> str:
    """The id of the card that a mistyped name probably means, with the same model number; empty if there is none."""
    known = list(cards)
    if exact := meant(name, known):
        return exact[0].id
    numbers = numbers_in(words_of(name))
    same = [
        card for card in known if numbers_in(card.words) >= numbers and bool(numbers_in(card.words)) == bool(numbers)
    ]
    spelled = {text.lower(): card.id for card in same for text in (card.id, card.name) if text}
    near = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=CLOSE)
    return spelled[near[0]] if near else ""


def numbers_in(words: frozenset[str]) -> frozenset[str]:
    """The numbers of the models; the letter O is read as the digit."""
    return frozenset(number for model in models_of(words) for number in re.findall(r"\d+", model.replace("o", "0")))


@dataclass(frozen=True, slots=True)
class Order:
    """The ids that a list of names means, in order, each once."""

    ids: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """A sentence for each name that is not an id."""


def in_order(names: Sequence[str], cards: Iterable[Card], ids: Iterable[str] = ()) -> Order:
    """The ids for these names. A name that means no card stays as it is, and so does one of `ids`, which are exact."""
    known, exact = list(cards), frozenset(ids)
    found: list[str] = []
    notes = []
    for name in names:
        cards_meant = [] if name in exact else [card.id for card in meant(name, known)]
        found += cards_meant or [name]
        if cards_meant and cards_meant != [name]:
            notes.append(f"{name} means {some(cards_meant)}")
    return Order(tuple(dict.fromkeys(found)), tuple(notes))


def some(ids: Sequence[str]) -> str:
    """The first of the ids, and how many more there are."""
    more = f" and {len(ids) - MOST_NAMED} more, by price" if len(ids) > MOST_NAMED else ""
    return ", ".join(ids[:MOST_NAMED]) + more
