"""Times of day for people: in UTC in files, and in the time of this machine on a terminal. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

LOCAL: tzinfo | None = None
"""The time of this machine, as `datetime.astimezone` takes it."""


def time_of_day(instant: datetime, now: datetime, zone: tzinfo | None = UTC) -> str:
    """`14:05:09 CET`, with its date if it is on another day than now."""
    there, today = instant.astimezone(zone), now.astimezone(zone).date()
    return f"{there:%H:%M:%S %Z}" if there.date() == today else f"{there:%b %d %H:%M:%S %Z}"
