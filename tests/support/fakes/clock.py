"""A clock that stands still until somebody sleeps. Knows nothing of what time is used for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from runpod_deploy.machine.signals import checkpoint

START = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """Time that only `sleep` and `advance` move; actions planned with `at` happen on the way."""

    def __init__(self, start: datetime = START) -> None:
        self.slept: list[float] = []
        self._start = start
        self._elapsed_s = 0.0
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def set_back(self, by: timedelta) -> None:
        """The time of day is this much earlier, as after a correction of the machine's clock."""
        self._start -= by

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed_s

    def sleep(self, seconds: float) -> None:
        """Returns at once; the clock shows a time this much later."""
        self.slept.append(seconds)
        self.advance(seconds)
        checkpoint()

    def advance(self, seconds: float) -> None:
        """The time is this much later, and every action planned until then has happened at its time."""
        end = self._elapsed_s + max(0.0, seconds)
        while self._plan and self._plan[0][0] <= end:
            when, _, action = heapq.heappop(self._plan)
            self._elapsed_s = max(self._elapsed_s, when)
            action()
        self._elapsed_s = max(self._elapsed_s, end)

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """The action will happen this many seconds after the clock's start."""
        heapq.heappush(self._plan, (seconds, next(self._order), action))
