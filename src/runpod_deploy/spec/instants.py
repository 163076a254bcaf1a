"""Times in ISO 8601 text, as configs, records and RunPod write them. Knows the notation; reads no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_instant(value: object) -> datetime | None:
    """The aware time that an ISO text names, in UTC if it names no offset; None for any other value."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
