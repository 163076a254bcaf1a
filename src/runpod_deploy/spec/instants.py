"""Times in ISO 8601 text, as configs, records and RunPod write them. Knows the notation; reads no clock.

A time outside of the years 2000 to 2199 is no time: it would overflow as soon as a duration is added to it, or as
soon as it is converted to another time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def parse_instant(value: object) -> datetime | None:
    """The time that an ISO text names, in UTC, also if it names no offset; None for any other value."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return plausible(at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def from_epoch(seconds: float) -> datetime | None:
    """The time so many seconds after the epoch; None if that makes no sense."""
    try:
        return plausible(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def plausible(at: datetime) -> datetime | None:
    """The time, unless it is outside of the years that make sense."""
    return at if EARLIEST <= at < LATEST else None


def shifted(at: datetime, seconds: float) -> datetime:
    """The time so many seconds later, or the end of the years that make sense."""
    try:
        return min(max(at + timedelta(seconds=seconds), EARLIEST), LATEST)
    except OverflowError:
        return LATEST if seconds > 0 else EARLIEST
