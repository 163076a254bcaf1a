"""The cost of a pod or volume so far. Knows rates and instants; knows no pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Period:
    """A period at constant rates."""

    since: float
    until: float
    rates: dict[str, float]
    """USD per hour by kind: gpu, cpu, disk."""

    def usd(self, kind: str | None = None) -> float:
        """The cost of one kind, or the total."""
        rate = sum(self.rates.values()) if kind is None else self.rates.get(kind, 0.0)
        return max(0.0, self.until - self.since) / 3600 * rate


@dataclass(slots=True)
class Meter:
    """A meter that runs from its first rates until it is stopped."""

    closed: list[Period] = field(default_factory=list)
    since: float = 0.0
    rates: dict[str, float] = field(default_factory=dict)

    def set_rates(self, at: float, rates: dict[str, float]) -> None:
        """From this instant on these rates apply, in USD per hour; without any the meter is stopped."""
        if self.rates:
            self.closed.append(Period(self.since, at, self.rates))
        self.since, self.rates = at, dict(rates)

    def periods(self, at: float) -> Iterator[Period]:
        """All periods until then, oldest first."""
        yield from self.closed
        if self.rates:
            yield Period(self.since, at, self.rates)

    def usd(self, at: float) -> float:
        """The cost until then."""
        return sum(period.usd() for period in self.periods(at))
