"""Cases: faults of the cloud for one run, and disturbances when its journal reaches a row. Pure.

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

# A run gets over these: it ends as if nothing had happened.
MILD: tuple[FaultJson, ...] = (
    {"where": POST, "what": "effect-then-500"},
    {"where": POST, "what": "effect-then-reset"},
    {"where": POST, "what": "effect-then-hang", "seconds": 3},
    {"where": POST, "what": "reset"},
    {"where": POST, "what": "late-create", "seconds": 3},
    {"where": "pod", "what": "short-name"},
    {"where": "DELETE /v2/pods/{id}", "what": "refuse", "status": 404, "detail": "pod not found"},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 404, "detail": "pod not found", "nth": 3},
    {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 502, "html": True, "times": 3},
    {"where": "GET /v2/pods", "what": "nonsense", "times": 2},
    {"where": "GET /v2/pods", "what": "unfolds", "megabytes": 64},
    {"where": "GET /v2/pods/{id}", "what": "deep"},
    {"where": "GET /v2/pods/{id}", "what": "drip", "seconds": 0.02},
    {"where": "*", "what": "edge-refuses", "times": 3},
    {"where": "GET /v2/pods/{id}", "what": "key-refused", "lasts_s": 3},
    {"where": "GET /v2/pods", "what": "odd-rows", "times": 0},
    {
        "where": "pod",
        "what": "odd-fields",
        "fields": {"disk": "much", "createdAt": 7, "runtime.uptime": "x", "ssh": "x"},
    },
    {"where": "pod", "what": "other-price", "usd_per_hour": "NaN"},
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
    {"where": "pod", "what": "image-pull-fails", "cause": "not-found"},
    {"where": "pod", "what": "crash-loop"},
    {"where": "pod", "what": "no-ssh-port"},
    {"where": "pod", "what": "other-delivery", "gpus": 0},
    {"where": POST, "what": "refuse", "status": 500, "detail": "create pod: no instances currently available"},
    {"where": "pod", "what": "ssh-key-refused"},
    {"where": "pod", "what": "other-host-key", "connections": 1},
    {"where": "pod", "what": "key-revoked"},
    {"where": "pod", "what": "pod-dies", "after_s": 3},
    {"where": "pod", "what": "pod-dies", "after_s": 4, "as": "exited"},
    {"where": "pod", "what": "container-exits", "after_s": 3},
)
MILD_DISTURBANCES = ("kill", "pause", "drop-ssh", "outage")
ROUGH_DISTURBANCES = ("restart-container", "interrupt")
# Between two rows of the journal there are calls to be killed in, so a disturbance may come a little after its row.
DELAYS_S = (0.0, 0.0, 0.02, 0.1, 0.4)
LONG_EVERY = 4

AS_GIVEN = "as given"
VARIANTS = (AS_GIVEN, "network volume", "unknown image")
"""Variants of the config. An image whose start command is unknown has no guard before SSH answers."""
BY_FOLDER = "resume"
RESUME_METHODS = (BY_FOLDER, "attach", "detach", "run id")
"""Ways to continue a run: resume of its folder; attach; attach after `run --detach`; a second `run` with its id."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that happens when the journal has reached a row."""

    at: int | str
    """Number of the row from 1 on, or the name of an event."""
    what: str = "kill"
    """kill, pause or interrupt the driver's process group, drop-ssh, outage of the API, restart-container."""
    after_s: float = 0.0
    """Delay after that row."""

    def __str__(self) -> str:
        return f"{self.what} at {self.at}" + (f" + {self.after_s} s" if self.after_s else "")


@dataclass(frozen=True, slots=True)
class Case:
    """One run and everything that disturbs it."""

    number: int = 0
    disturbances: tuple[Disturbance, ...] = ()
    faults: tuple[FaultJson, ...] = ()
    resumed: bool = True
    """Whether the run is resumed after the last kill."""
    variant: str = AS_GIVEN
    """One of VARIANTS."""
    resume_method: str = BY_FOLDER
    """One of RESUME_METHODS."""

    @property
    def mild(self) -> bool:
        """Whether the run must end as if nothing had happened."""
        return all(fault in MILD for fault in self.faults) and all(
            disturbance.what in MILD_DISTURBANCES for disturbance in self.disturbances
        )

    def __str__(self) -> str:
        parts = [*map(str, self.disturbances), *(json.dumps(fault) for fault in self.faults)]
        parts += [word for word in (self.variant, self.resume_method) if word not in (AS_GIVEN, BY_FOLDER)]
        return ", ".join(parts or ["undisturbed"]) + ("" if self.resumed else ", never resumed")


@dataclass(frozen=True, slots=True)
class Scope:
    """The values that cases are made of."""

    rows: int
    """Number of rows in the journal of an undisturbed run."""
    variants: Sequence[str] = (AS_GIVEN,)
    resume_methods: Sequence[str] = (BY_FOLDER,)

    def grid(self, seed: int) -> list[tuple[int, FaultJson | None, bool]]:
        """Each row with each fault and with none, resumed and never resumed, in the order of this seed."""
        found = list(product(range(1, max(1, self.rows) + 1), (None, *MILD, *ROUGH), (True, False)))
        random.Random(seed).shuffle(found)
        return found


def cases(count: int, seed: int, scope: Scope) -> Iterator[Case]:
    """So many cases: each fourth is a long one, the others go through the grid."""
    grid = scope.grid(seed)
    for number in range(1, count + 1):
        rng = random.Random(f"{seed}/{number}")
        variant, resume_method = rng.choice(scope.variants), rng.choice(scope.resume_methods)
        if number % LONG_EVERY == 0:
            yield long_case(number, rng, scope.rows, variant, resume_method)
            continue
        row, fault, resumed = grid[(number - number // LONG_EVERY) % len(grid)]
        kill = Disturbance(row, after_s=rng.choice(DELAYS_S))
        yield Case(number, (kill,), (fault,) if fault else (), resumed, variant, resume_method)


def long_case(number: int, rng: random.Random, rows: int, variant: str, resume_method: str) -> Case:
    """Several kills and other disturbances, under several faults."""

    def disturbance(what: str) -> Disturbance:
        return Disturbance(rng.randint(1, rows), what, rng.choice(DELAYS_S))

    kills = [disturbance("kill") for _ in range(rng.randint(2, 4))]
    others = [disturbance(rng.choice(MILD_DISTURBANCES + ROUGH_DISTURBANCES)) for _ in range(rng.randint(0, 3))]
    in_order = sorted({*kills, *others}, key=lambda one: (int(one.at), one.what, one.after_s))
    return Case(number, tuple(in_order), some_faults(rng, 2), rng.random() < 0.8, variant, resume_method)


def some_faults(rng: random.Random, at_most: int) -> tuple[FaultJson, ...]:
    """So many faults or fewer, mostly mild ones."""
    return tuple(rng.choice(ROUGH if rng.random() < 0.2 else MILD) for _ in range(rng.randint(0, at_most)))
