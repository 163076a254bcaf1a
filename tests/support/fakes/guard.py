"""The guard of a pod in memory, by the rules of pod/scripts/guard.sh. Knows no shell and no HTTP.

tests/support/guard_cases.py has the cases that both guards must pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.fakes.clock import FakeClock

DAY_S = 86_400.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
NO_JOB, RUNS, OVER = "none", "running", "over"

Api = Callable[[str], bool]
"""Asks the cloud to `delete`, `terminate` or `stop` the guard's own pod; whether the cloud said yes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When the guard acts, by the clock in memory, and how it releases the pod."""

    deadline_s: float
    idle_s: float
    ended_s: float = field(default=math.inf, kw_only=True)
    """The idle time after the end of a job, if it is shorter."""
    started: str
    unstarted: str = "delete"


@dataclass
class GuardFiles:
    """The files of the guard on the pod's volume, which outlive the container."""

    terms: Terms | None = None
    seen_s: float = 0.0
    rest: bool = False
    disarmed: bool = False


@dataclass
class FakeGuard:
    """The guard of one container: it ends with the container, and its files stay."""

    clock: FakeClock
    files: GuardFiles
    boot_terms: Terms | None
    """The terms in the container's variables."""
    job: Callable[[], str]
    """NO_JOB, RUNS or OVER."""
    stop_job: Callable[[], None]
    api: Api
    alive: bool = True
    tried_s: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    turn: int = 0
    """Counts the planned looks: only the last one is made."""

    def start(self) -> None:
        """The guard runs, with the terms on the volume, or else with those of the container."""
        if self.files.terms is None or self.files.rest:
            self.take_first_terms()
        self.look()

    def take_first_terms(self) -> None:
        """The container's terms are in force, if their time is still to come; else a day's time."""
        now, first = self.clock.monotonic(), self.boot_terms
        if self.files.rest or first is None or first.deadline_s <= now:
            idle_s = first.idle_s if first else 3600.0
            first = Terms(now + DAY_S, idle_s, started="stop", unstarted="stop")
        self.files.terms, self.files.seen_s, self.files.rest = first, now, False

    def arm(self, terms: Terms) -> None:
        """These terms are in force."""
        self.files.terms, self.files.seen_s = terms, self.clock.monotonic()
        self.files.rest = self.files.disarmed = False
        self.tried_s, self.pause_s = 0.0, FIRST_PAUSE_S
        self.look()

    def contact(self) -> None:
        """A client is at work on the pod."""
        self.files.seen_s = self.clock.monotonic()

    def look(self) -> None:
        """The pod is released if that is due, and the next look is planned."""
        terms, now = self.files.terms, self.clock.monotonic()
        if not self.alive or terms is None:
            return
        if self.job() == RUNS:
            self.files.seen_s = now
        if not self.files.disarmed and now >= self.tried_s and self.due(terms, now):
            self.release(terms)
            self.tried_s, self.pause_s = now + self.pause_s, min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.plan(terms, now)

    def due(self, terms: Terms, now: float) -> bool:
        """Whether the deadline has passed, or no job runs and nobody has come for the idle time."""
        return now >= terms.deadline_s or (self.job() != RUNS and now - self.files.seen_s >= self.patience_s(terms))

    def patience_s(self, terms: Terms) -> float:
        """How long the guard waits for a client."""
        return min(terms.idle_s, terms.ended_s) if self.job() == OVER else terms.idle_s

    def plan(self, terms: Terms, now: float) -> None:
        """The next look is at the next instant at which something may be due."""
        next_s = min(terms.deadline_s, self.files.seen_s + min(terms.idle_s, terms.ended_s))
        self.turn += 1
        turn = self.turn
        self.clock.at(max(next_s, self.tried_s, now + 1.0), lambda: self.look() if turn == self.turn else None)

    def release(self, terms: Terms) -> None:
        """The job was stopped, and the cloud was asked to release the pod."""
        action = terms.unstarted
        if self.job() != NO_JOB:
            action = terms.started or "stop"
            self.stop_job()
        deleted = action == "delete" and (self.api("delete") or self.api("terminate"))
        if action != "preserve" and not deleted and self.api("stop"):
            self.files.rest = True  # the pod's next start is on purpose
