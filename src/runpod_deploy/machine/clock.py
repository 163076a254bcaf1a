"""Time, and the one way to wait for something. Nothing else here sleeps or reads a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")
STAMP = "%Y%m%dT%H%M%SZ"
"""How the names of runs and of their folders tell when they began."""


class Clock(Protocol):
    """Time as a run sees it."""

    def now(self) -> datetime:
        """Aware, UTC."""

    def monotonic(self) -> float:
        """Seconds from some start; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Returns after so long."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Returns after so long."""
        time.sleep(max(0.0, seconds))


def wait_until(clock: Clock, look: Callable[[], T | None], *, every_s: float, within_s: float, what: str) -> T:
    """The first look that is not None.

    The last look is taken at or after the deadline, so that a process that slept through it (a closed laptop)
    still sees what has come true meanwhile. Raises TimeoutError that names `what`.
    """
    deadline = clock.monotonic() + within_s
    while True:
        last = clock.monotonic() >= deadline
        if (seen := look()) is not None:
            return seen
        if last:
            raise TimeoutError(f"{what}: not within {within_s:.0f} s")
        clock.sleep(min(every_s, max(0.0, deadline - clock.monotonic())))
