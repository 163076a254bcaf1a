"""What a thing has cost so far. Knows rates and instants; knows no pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time at one rate."""

    since: float
    until: float
    rates: dict[str, float]
    """USD per hour by kind: gpu, cpu, disk."""

    def usd(self, kind: str | None = None) -> float:
        """What it cost, of one kind or in all."""
        rate = sum(self.rates.values()) if kind is None else self.rates.get(kind, 0.0)
        return max(0.0, self.until - self.since) / 3600 * rate


@dataclass(slots=True)
class Meter:
    """Runs from its first rate until it is stopped."""

    closed: list[Stretch] = field(default_factory=list)
    since: float = 0.0
    rates: dict[str, float] = field(default_factory=dict)

    def turn(self, at: float, rates: dict[str, float]) -> None:
        """From now on these rates count, in USD per hour; none: nothing does."""
        if self.rates:
            self.closed.append(Stretch(self.since, at, self.rates))
        self.since, self.rates = at, dict(rates)

    def stretches(self, at: float) -> Iterator[Stretch]:
        """All of it until then, oldest first."""
        yield from self.closed
        if self.rates:
            yield Stretch(self.since, at, self.rates)

    def usd(self, at: float) -> float:
        """What it has cost until then."""
        return sum(stretch.usd() for stretch in self.stretches(at))
