"""Time, and the one way to wait for something. No other module sleeps or reads the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from .limited import limited_by
from .signals import await_ready

T = TypeVar("T")


class Clock(Protocol):
    """The time that a run goes by."""

    def now(self) -> datetime:
        """The time of day: aware, UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never decreases."""

    def sleep(self, seconds: float) -> None:
        """Returns after that many seconds."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The time of day: aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never decreases."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Returns after that many seconds. Raises Interrupt as soon as a signal arrives that may interrupt here."""
        await_ready(None, 0, seconds)


def within(clock: Clock, seconds: float, what: str) -> AbstractContextManager[None]:
    """A block that ends with a TimeoutError that names `what`, at its first wait after that many seconds."""
    deadline = clock.monotonic() + seconds

    def check() -> None:
        if clock.monotonic() >= deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")

    return limited_by(check)


def wait_until(clock: Clock, look: Callable[[], T | None], *, every_s: float, within_s: float, what: str) -> T:
    """The first result of `look` that is not None.

    The last look is at or after the deadline, so that a process that slept through it (a closed laptop) still sees
    what happened meanwhile. Raises a TimeoutError that names `what`.
    """
    deadline = clock.monotonic() + within_s
    while True:
        last = clock.monotonic() >= deadline
        if (seen := look()) is not None:
            return seen
        if last:
            raise TimeoutError(f"{what}: not within {within_s:.0f} s")
        clock.sleep(min(every_s, max(0.0, deadline - clock.monotonic())))
