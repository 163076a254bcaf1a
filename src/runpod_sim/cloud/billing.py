"""Bills out of meters: amounts by time bucket. Pure; knows no HTTP and no pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..records.meter import Meter, Stretch

SIZES = ("hour", "day", "week", "month", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one kind of bill is made of."""

    id_field: str | None = None
    """Records are for one resource each, named by this field; None: for all of them together."""
    count_field: str | None = None
    amounts: Mapping[str, str]
    """By field, the meters' kind of cost; never metered here: an empty one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, in whole buckets."""

    start: datetime
    end: datetime
    size: str


def floor(at: datetime, size: str) -> datetime:
    """The beginning of the bucket that this instant is in."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match size:
        case "hour":
            return at.replace(minute=0, second=0, microsecond=0)
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def following(start: datetime, size: str) -> datetime:
    """The beginning of the next bucket."""
    match size:
        case "hour":
            return start + timedelta(hours=1)
        case "day" | "week":
            return start + timedelta(days=1 if size == "day" else 7)
        case "month":
            return (start + timedelta(days=31)).replace(day=1)
    return start.replace(year=start.year + 1)


def earlier(start: datetime, size: str, count: int) -> datetime:
    """The beginning of the bucket so many before. Raises ValueError or OverflowError before the year 1."""
    months = start.year * 12 + start.month - 1
    match size:
        case "year":
            return start.replace(year=start.year - count)
        case "month":
            return start.replace(year=(months - count) // 12, month=(months - count) % 12 + 1)
    return start - count * timedelta(hours={"hour": 1, "day": 24, "week": 168}[size])


def bill(meters: Mapping[str, Meter], family: Family, window: Window, until: float) -> list[dict[str, Any]]:
    """The records, by bucket and resource; what came after `until` is not in them yet."""
    sums: dict[tuple[datetime, str], Counter[str]] = {}
    for name, meter in meters.items():
        for stretch in meter.stretches(until):
            for start, piece in _pieces(stretch, window, until):
                row = sums.setdefault((start, name if family.id_field else ""), Counter())
                row.update({field: piece.usd(kind) for field, kind in family.amounts.items() if kind})
    return [_record(start, name, amounts, family, window.size) for (start, name), amounts in sorted(sums.items())]


def totals(records: list[dict[str, Any]], family: Family) -> dict[str, float]:
    """The sums of all records."""
    return {field: sum(row[field] for row in records) for field in ("totalAmount", *family.amounts)}


def _pieces(stretch: Stretch, window: Window, until: float) -> Iterator[tuple[datetime, Stretch]]:
    since = max(stretch.since, window.start.timestamp())
    end = min(stretch.until, window.end.timestamp(), until)
    while since < end:
        start = floor(datetime.fromtimestamp(since, UTC), window.size)
        cut = min(end, following(start, window.size).timestamp())
        yield start, Stretch(since, cut, stretch.rates)
        since = cut


def _record(start: datetime, name: str, amounts: Counter[str], family: Family, size: str) -> dict[str, Any]:
    row: dict[str, Any] = {"startTime": rfc3339(start), "endTime": rfc3339(following(start, size))}
    row |= {field: amounts[field] for field in family.amounts}
    row["totalAmount"] = sum(amounts.values())
    return row | ({family.id_field: name} if family.id_field else {})


def rfc3339(at: datetime) -> str:
    """As bills write instants."""
    return at.isoformat().replace("+00:00", "Z")
