"""Cases: faults of the cloud for one run, and disturbances when its journal reaches a row. Pure.

The same seed makes the same cases.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from .fault_lists import MILD, NEEDS_A_PERSON, ROUGH, FaultJson

MILD_DISTURBANCES = ("kill", "pause", "drop-ssh", "outage")
ROUGH_DISTURBANCES = ("restart-container", "interrupt")
# Between two rows of the journal there are calls to be killed in, so a disturbance may come a little after its row.
DELAYS_S = (0.0, 0.0, 0.02, 0.1, 0.4)
LONG_EVERY = 4

AS_GIVEN = "as given"
RECYCLED = "recycled pod"
MISBEHAVING = "misbehaving job"
VARIANTS = (AS_GIVEN, "network volume", "unknown image", RECYCLED, MISBEHAVING)
"""Variants of the config. An image whose start command is unknown has no guard before SSH answers. A run of a recycled
pod starts the pod that an earlier run has paused. A misbehaving job kills by name, removes the tool's folder, empties
its log and leaves a process behind."""
BY_FOLDER = "resume"
BY_RUN_ID = "run id"
TWO_FOLDERS = "two folders"
DETACH, DETACH_PULL, DETACH_STOP, DETACH_END = "detach", "detach, pull", "detach, stop", "detach, stop run"
RESUME_METHODS = (BY_FOLDER, "attach", DETACH, DETACH_PULL, DETACH_STOP, DETACH_END, BY_RUN_ID, TWO_FOLDERS)
"""Ways to continue a run: resume of its folder; attach; attach after `run --detach`, and after a pull, a stop of the
pod or of the run, too; a second `run` with its id, also while a run of another folder has the same id."""
ENDING = (DETACH_STOP, DETACH_END)
"""Ways by which the user ends the run."""


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
        if self.resume_method in ENDING or any(fault not in MILD for fault in self.faults):
            return False
        if self.variant == RECYCLED and self.has("key-refused"):
            return False  # before the paused pod is its own, a run may end at a refusal of its key
        return all(disturbance.what in MILD_DISTURBANCES for disturbance in self.disturbances)

    @property
    def short(self) -> bool:
        """Whether the cap is small, because the guard has to end the pod."""
        return not self.resumed or self.has(*NEEDS_A_PERSON)

    def has(self, *kinds: str) -> bool:
        """Whether one of the faults is of these kinds."""
        return any(fault["what"] in kinds for fault in self.faults)

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
            yield playable(long_case(number, rng, scope.rows, variant, resume_method))
            continue
        row, fault, resumed = grid[(number - number // LONG_EVERY) % len(grid)]
        kill = Disturbance(row, after_s=rng.choice(DELAYS_S))
        yield playable(Case(number, (kill,), (fault,) if fault else (), resumed, variant, resume_method))


def playable(case: Case) -> Case:
    """The case, with one folder if the guard has to end its pod: the second run would have to wait for a guard, too.

    A price that changes is followed by a run that somebody watches, so that such a run is resumed.
    """
    if case.has("price-changes"):
        case = replace(case, resumed=True)
    if case.resume_method == TWO_FOLDERS and case.has(*NEEDS_A_PERSON):
        return replace(case, resume_method=BY_RUN_ID)
    return case


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
