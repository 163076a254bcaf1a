"""The time: instants as seconds since 1970, and as the API writes them. Knows nothing else."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_skew_s = 0.0


def set_skew(seconds: float) -> None:
    """The cloud's clock is this far ahead of this machine's; negative: behind it."""
    global _skew_s
    _skew_s = seconds


def now() -> float:
    """Seconds since 1970, as the cloud sees it."""
    return time.time() + _skew_s


def iso(at: float) -> str:
    """RFC 3339 with milliseconds and a Z, as the API writes instants."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> float:
    """Seconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
