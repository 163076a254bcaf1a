"""Bills from meters: amounts by time bucket. Pure; knows no HTTP and no pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ..records.meter import Meter, Period

PLACES = 6
"""Bills are in millionths of a dollar."""
Amounts = dict[str, Decimal]
SIZES = ("hour", "day", "week", "month", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillKind:
    """The fields of one kind of bill."""

    id_field: str | None = None
    """Records are for one resource each, named by this field; None: for all of them together."""
    count_field: str | None = None
    amounts: Mapping[str, str]
    """The meters' kind of cost by field of the bill; empty for costs that are not simulated."""


@dataclass(frozen=True, slots=True)
class Window:
    """A period of time, in whole buckets."""

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


def bill(meters: Mapping[str, Meter], bill_kind: BillKind, window: Window, until: float) -> list[dict[str, Any]]:
    """The records, by bucket and resource; costs after `until` are not in them yet.

    A cost is rounded once: for one hour, one resource and one kind. Therefore all bills of a time add up to the digit.
    """
    sums: dict[tuple[datetime, str], Amounts] = {}
    for name, meter in meters.items():
        for hour, costs in _hours(meter, window, until).items():
            row = sums.setdefault((floor(hour, window.size), name if bill_kind.id_field else ""), {})
            for field, kind in bill_kind.amounts.items():
                row[field] = row.get(field, Decimal()) + round(Decimal(costs.get(kind, 0.0)), PLACES)
    return [_record(start, name, amounts, bill_kind, window.size) for (start, name), amounts in sorted(sums.items())]


def totals(records: list[dict[str, Any]], bill_kind: BillKind) -> dict[str, float]:
    """The sums of all records."""
    fields = ("totalAmount", *bill_kind.amounts)
    return {field: float(sum(Decimal(repr(row[field])) for row in records)) for field in fields}


def _hours(meter: Meter, window: Window, until: float) -> dict[datetime, Counter[str]]:
    """The meter's costs in the window by hour and kind, not rounded."""
    costs: dict[datetime, Counter[str]] = {}
    for period in meter.periods(until):
        for hour, piece in _pieces(period, window, until):
            costs.setdefault(hour, Counter()).update({kind: piece.usd(kind) for kind in piece.rates})
    return costs


def _pieces(period: Period, window: Window, until: float) -> Iterator[tuple[datetime, Period]]:
    since = max(period.since, window.start.timestamp())
    end = min(period.until, window.end.timestamp(), until)
    while since < end:
        start = floor(datetime.fromtimestamp(since, UTC), "hour")
        cut = min(end, following(start, "hour").timestamp())
        yield start, Period(since, cut, period.rates)
        since = cut


def _record(start: datetime, name: str, amounts: Amounts, bill_kind: BillKind, size: str) -> dict[str, Any]:
    row: dict[str, Any] = {"startTime": rfc3339(start), "endTime": rfc3339(following(start, size))}
    row |= {field: float(amounts[field]) for field in bill_kind.amounts}
    row["totalAmount"] = float(sum(amounts.values(), Decimal()))
    return row | ({bill_kind.id_field: name} if bill_kind.id_field else {})


def rfc3339(at: datetime) -> str:
    """The instant as bills write it."""
    return at.isoformat().replace("+00:00", "Z")
