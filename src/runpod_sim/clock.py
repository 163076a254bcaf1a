"""The time: instants as seconds since 1970, and as the API writes them. Knows nothing else.

Each simulator has a clock of its own, also if several run in one process. A clock that jumps changes what the API tells
from then on, and neither the bills nor the length of anything.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class Dial:
    """How the simulator's clock differs from this machine's."""

    skew_s: float = 0.0
    jumps: list[tuple[float, float]] = field(default_factory=list)
    """When it was set while it ran, oldest first, and by how much."""


_dial: ContextVar[Dial | None] = ContextVar("dial", default=None)


def start(skew_s: float = 0.0) -> None:
    """The cloud's clock is this far ahead of this machine's; negative: behind it."""
    _dial.set(Dial(skew_s))


def jump(seconds: float) -> None:
    """From now on the API tells a time that is this much later, or earlier."""
    if _dial.get() is None:
        start()
    dial().jumps.append((now(), seconds))


def dial() -> Dial:
    """The clock of the simulator that runs here."""
    return _dial.get() or Dial()


def now() -> float:
    """Seconds since 1970, as the cloud counts them: without jumps."""
    return time.time() + dial().skew_s


def told(at: float) -> float:
    """That instant as the API tells it, by the clock as it was then."""
    return at + sum(seconds for since, seconds in dial().jumps if since <= at)


def untold(told_at: float) -> float:
    """The instant that the API told so; the latest, if it told several so."""
    off_s = sum(seconds for _, seconds in dial().jumps)
    for since, seconds in reversed(dial().jumps):
        if since <= told_at - off_s <= now():
            break
        off_s -= seconds
    return told_at - off_s


def iso(at: float) -> str:
    """RFC 3339 with milliseconds and a Z, as the API writes instants."""
    return datetime.fromtimestamp(told(at), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> float:
    """Seconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return untold((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
