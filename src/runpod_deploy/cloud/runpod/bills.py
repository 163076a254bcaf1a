"""The account's bills for its pods. Knows the billing calls of API v2 and the layout of their answers.

The bill was seen to lag by weeks (2026-08): a pod that it does not name yet may still be billed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...spec.instants import parse_instant
from .calls import Answer, Call
from .reading import OnOdd, Row, each, ignore, page_rows, parsing

HOUR = timedelta(hours=1)
WHAT = "read the bill"
MAX_DAYS_BACK = 92
"""The number of past days in which the latest bill is searched."""
POD_AMOUNTS = ("podGpuAmount", "podCpuAmount", "podDiskAmount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The amount billed for one pod and one hour."""

    pod_id: str
    hour_at: datetime
    """The start of the hour, UTC."""
    usd: float


def bills_call(start_at: datetime, end_at: datetime) -> Call:
    """The call for the bills of all pods of the account, by the hour."""
    query = {"bucketSize": "hour", "startTime": rfc3339(start_at), "endTime": rfc3339(end_at)}
    return Call(method="GET", path="/v2/billing/pods", what=WHAT, query=query)


def as_bills(answer: Answer, pod_ids: Collection[str] | None = None, on_odd: OnOdd = ignore) -> list[Bill]:
    """The bills of these pods, or of all pods. Raises CloudUnreachable if one of them makes no sense."""
    rows = page_rows(answer.document or {}, "records", WHAT, on_odd)
    asked = [row for row in rows if pod_ids is None or row.get("podId") in pod_ids]
    with parsing(WHAT):
        return list(map(as_bill, asked))


def as_bill(row: Mapping[str, Any]) -> Bill:
    """One record. Raises ValueError if it does not cover one hour: the API has ignored the bucket size (2026-08)."""
    if parse_instant(row["endTime"]) != start_of(row) + HOUR:
        raise ValueError(f"not one hour: {row}")
    return Bill(pod_id=str(row["podId"]), hour_at=start_of(row), usd=amount(row, "totalAmount"))


def last_days_call() -> Call:
    """The call for the total bill of each of the last days."""
    return Call(method="GET", path="/v2/billing", what=WHAT, query={"bucketSize": "day", "lastN": str(MAX_DAYS_BACK)})


def as_billed_through(answer: Answer) -> datetime | None:
    """The start of the last day that has a bill for a pod; None if there is none. Raises CloudUnreachable.

    A record that makes no sense is skipped: the bill then counts as less complete than it may be.
    """
    rows = page_rows(answer.document or {}, "records", WHAT)
    days = each(rows, day_with_pods)
    return max((day for day in days if day is not None), default=None)


def day_with_pods(row: Row) -> datetime | None:
    """The start of a record's day; None if no pod was billed on it. Raises ValueError if the record makes no sense."""
    return start_of(row) if any(amount(row, name) for name in POD_AMOUNTS) else None


def start_of(row: Mapping[str, Any]) -> datetime:
    """The start of a record's hour or day. Raises ValueError if it has none: it could belong to any run."""
    at = parse_instant(row["startTime"])
    if at is None:
        raise ValueError(f"no time in {row}")
    return at


def amount(row: Mapping[str, Any], name: str) -> float:
    """The amount under that name in USD. Raises ValueError if it is no finite number, KeyError if it is absent."""
    usd = float(row[name])
    if not math.isfinite(usd):
        raise ValueError(f"{name} is {usd}")
    return usd


def rfc3339(at: datetime) -> str:
    """The instant in the format of the API."""
    return at.isoformat().replace("+00:00", "Z")
