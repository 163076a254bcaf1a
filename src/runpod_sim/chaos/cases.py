"""What is done to one run: faults of the cloud, and blows when the journal reaches a row. Pure.

The same seed makes the same cases.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

POST = "POST /v2/pods"
FaultJson = dict[str, Any]

# A run bears these: it ends as if nothing had happened.
MILD: tuple[FaultJson, ...] = (
    {"where": POST, "what": "effect-then-500"},
    {"where": POST, "what": "effect-then-reset"},
    {"where": POST, "what": "effect-then-hang", "seconds": 3},
    {"where": POST, "what": "reset"},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 502, "html": True, "times": 3},
    {"where": "GET /v2/pods", "what": "nonsense", "times": 2},
    {"where": "*", "what": "reset", "nth": 2},
    {"where": "*", "what": "rate-limited", "retry_after_s": 1, "times": 3},
    {"where": "*", "what": "slow", "seconds": 1.0, "times": 3},
    {"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},
    {"where": "DELETE /v2/pods/{id}", "what": "effect-then-500"},
    {"where": "pod", "what": "ssh-refused", "connections": 2},
    {"where": "pod", "what": "ssh-hangs", "connections": 1},
    {"where": "pod", "what": "ssh-drops", "after_bytes": 20_000},
    {"where": "pod", "what": "delete-lags", "seconds": 4},
    {"where": "pod", "what": "lag", "seconds": 4},
    {"where": "pod", "what": "slow-boot", "seconds": 3},
    {"where": "pod", "what": "running-at-once"},
)
# After these a run may fail; it must say so, and nothing may be left.
ROUGH: tuple[FaultJson, ...] = (
    {"where": POST, "what": "no-stock", "nth": 1, "times": 1},
    {"where": "pod", "what": "never-running"},
    {"where": "pod", "what": "sshd-never"},
    {"where": "pod", "what": "boot-error"},
    {"where": "pod", "what": "image-pull-fails"},
    {"where": "pod", "what": "crash-loop"},
    {"where": "pod", "what": "ssh-key-refused"},
    {"where": "pod", "what": "other-host-key", "connections": 1},
    {"where": "pod", "what": "key-revoked"},
    {"where": "pod", "what": "pod-dies", "after_s": 3},
    {"where": "pod", "what": "pod-dies", "after_s": 4, "as": "exited"},
    {"where": "pod", "what": "container-exits", "after_s": 3},
)
MILD_BLOWS = ("kill", "pause", "drop-ssh", "outage")
ROUGH_BLOWS = ("restart-container", "interrupt")
# A blow falls at once when its row is there, or so much later: between the rows there are calls to die in.
LATER_S = (0.0, 0.0, 0.02, 0.1, 0.4)
LONG_EVERY = 4

AS_GIVEN = "as given"
GROUNDS = (AS_GIVEN, "network volume", "unknown image")
"""On what the job runs; an image whose start command nobody knows has no guard before SSH answers."""
PLAIN = "resume"
WAYS = (PLAIN, "attach", "detach", "run id")
"""How a run is taken up again: by its folder, by looking on, after leaving it on purpose, by asking for it again."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that happens when the journal has reached a row."""

    at: int | str
    """Number of the row from 1 on, or the name of an event."""
    what: str = "kill"
    """kill, pause or interrupt the driver's process group, drop-ssh, outage of the API, restart-container."""
    after_s: float = 0.0
    """How long after that row."""

    def __str__(self) -> str:
        return f"{self.what} at {self.at}" + (f" + {self.after_s} s" if self.after_s else "")


@dataclass(frozen=True, slots=True)
class Case:
    """One run and all that befalls it."""

    number: int = 0
    blows: tuple[Blow, ...] = ()
    faults: tuple[FaultJson, ...] = ()
    resumed: bool = True
    """Whether somebody takes the run up again after the last kill."""
    ground: str = AS_GIVEN
    """One of GROUNDS."""
    way: str = PLAIN
    """One of WAYS."""

    @property
    def mild(self) -> bool:
        """Whether the run must end as if nothing had happened."""
        return all(f in MILD for f in self.faults) and all(b.what in MILD_BLOWS for b in self.blows)

    def __str__(self) -> str:
        parts = [*map(str, self.blows), *(json.dumps(fault) for fault in self.faults)]
        parts += [word for word in (self.ground, self.way) if word not in (AS_GIVEN, PLAIN)]
        return ", ".join(parts or ["undisturbed"]) + ("" if self.resumed else ", never resumed")


@dataclass(frozen=True, slots=True)
class Scope:
    """What cases are made of."""

    rows: int
    """Of an undisturbed run's journal."""
    grounds: Sequence[str] = (AS_GIVEN,)
    ways: Sequence[str] = (PLAIN,)

    def grid(self, seed: int) -> list[tuple[int, FaultJson | None, bool]]:
        """Each row with each fault and with none, resumed and never resumed, in the order of this seed."""
        found = list(product(range(1, max(1, self.rows) + 1), (None, *MILD, *ROUGH), (True, False)))
        random.Random(seed).shuffle(found)
        return found


def cases(count: int, seed: int, scope: Scope) -> Iterator[Case]:
    """So many cases: each fourth is a long one, the others go through the grid."""
    grid = scope.grid(seed)
    for number in range(1, count + 1):
        dice = random.Random(f"{seed}/{number}")
        ground, way = dice.choice(scope.grounds), dice.choice(scope.ways)
        if number % LONG_EVERY == 0:
            yield long_case(number, dice, scope.rows, ground, way)
            continue
        row, fault, resumed = grid[(number - number // LONG_EVERY) % len(grid)]
        blow = Blow(row, after_s=dice.choice(LATER_S))
        yield Case(number, (blow,), (fault,) if fault else (), resumed, ground, way)


def long_case(number: int, dice: random.Random, rows: int, ground: str, way: str) -> Case:
    """Several kills and other blows, under several faults."""

    def blow(what: str) -> Blow:
        return Blow(dice.randint(1, rows), what, dice.choice(LATER_S))

    kills = [blow("kill") for _ in range(dice.randint(2, 4))]
    others = [blow(dice.choice(MILD_BLOWS + ROUGH_BLOWS)) for _ in range(dice.randint(0, 3))]
    blows = sorted({*kills, *others}, key=lambda one: (int(one.at), one.what, one.after_s))
    return Case(number, tuple(blows), some_faults(dice, 2), dice.random() < 0.8, ground, way)


def some_faults(dice: random.Random, at_most: int) -> tuple[FaultJson, ...]:
    """So many faults or fewer, mostly mild ones."""
    return tuple(dice.choice(ROUGH if dice.random() < 0.2 else MILD) for _ in range(dice.randint(0, at_most)))
