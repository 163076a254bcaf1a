"""What is done to one run: faults of the cloud, and blows when the journal reaches a row. Pure.

The same seed makes the same cases.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

POST = "POST /v2/pods"
FaultJson = dict[str, Any]

# A run bears these: it ends as if nothing had happened.
MILD: tuple[FaultJson, ...] = (
    {"where": POST, "what": "effect-then-500"},
    {"where": POST, "what": "effect-then-reset"},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 502, "html": True, "times": 3},
    {"where": "GET /v2/pods", "what": "nonsense", "times": 2},
    {"where": "*", "what": "reset", "nth": 2},
    {"where": "*", "what": "rate-limited", "retry_after_s": 1, "times": 3},
    {"where": "*", "what": "slow", "seconds": 1.0, "times": 3},
    {"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},
    {"where": "pod", "what": "ssh-refused", "connections": 2},
    {"where": "pod", "what": "ssh-drops", "after_bytes": 20_000},
    {"where": "pod", "what": "delete-lags", "seconds": 4},
    {"where": "pod", "what": "lag", "seconds": 4},
    {"where": "pod", "what": "slow-boot", "seconds": 3},
)
# After these a run may fail; it must say so, and nothing may be left.
ROUGH: tuple[FaultJson, ...] = (
    {"where": POST, "what": "no-stock", "nth": 1, "times": 1},
    {"where": "pod", "what": "never-running"},
    {"where": "pod", "what": "sshd-never"},
    {"where": "pod", "what": "boot-error"},
    {"where": "pod", "what": "pod-dies", "after_s": 3},
    {"where": "pod", "what": "pod-dies", "after_s": 4, "as": "exited"},
    {"where": "pod", "what": "container-exits", "after_s": 3},
)
MILD_BLOWS = ("kill", "pause", "drop-ssh", "outage")
ROUGH_BLOWS = ("restart-container",)
LONG_EVERY, NEVER_EVERY = 4, 4


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that happens when the journal has reached a row."""

    at: int | str
    """Number of the row from 1 on, or the name of an event."""
    what: str = "kill"
    """kill or pause the driver's process group, drop-ssh, outage of the API, restart-container."""

    def __str__(self) -> str:
        return f"{self.what} at {self.at}"


@dataclass(frozen=True, slots=True)
class Case:
    """One run and all that befalls it."""

    number: int = 0
    blows: tuple[Blow, ...] = ()
    faults: tuple[FaultJson, ...] = ()
    resumed: bool = True
    """Whether somebody takes the run up again after the last kill."""

    @property
    def mild(self) -> bool:
        """Whether the run must end as if nothing had happened."""
        return all(f in MILD for f in self.faults) and all(b.what in MILD_BLOWS for b in self.blows)

    def __str__(self) -> str:
        parts = [*map(str, self.blows), *(json.dumps(fault) for fault in self.faults)]
        return ", ".join(parts or ["undisturbed"]) + ("" if self.resumed else ", never resumed")


def cases(count: int, seed: int, rows: int) -> Iterator[Case]:
    """So many cases for a run whose undisturbed journal has so many rows; the kills are spread over all of them."""
    order = list(range(1, max(1, rows) + 1))
    random.Random(seed).shuffle(order)
    for number in range(1, count + 1):
        dice = random.Random(f"{seed}/{number}")
        row = order[number % len(order)]
        if number % LONG_EVERY == 0:
            yield long_case(number, dice, len(order))
        else:
            yield Case(number, (Blow(row),), some_faults(dice, 1), resumed=number % NEVER_EVERY != 1)


def long_case(number: int, dice: random.Random, rows: int) -> Case:
    """Several kills and other blows, under several faults."""
    kills = [Blow(dice.randint(1, rows)) for _ in range(dice.randint(2, 4))]
    others = [Blow(dice.randint(1, rows), dice.choice(MILD_BLOWS + ROUGH_BLOWS)) for _ in range(dice.randint(0, 3))]
    blows = sorted({*kills, *others}, key=lambda blow: (int(blow.at), blow.what))
    return Case(number, tuple(blows), some_faults(dice, 2), resumed=dice.random() < 0.8)


def some_faults(dice: random.Random, at_most: int) -> tuple[FaultJson, ...]:
    """So many faults or fewer, mostly mild ones."""
    return tuple(dice.choice(ROUGH if dice.random() < 0.2 else MILD) for _ in range(dice.randint(0, at_most)))
