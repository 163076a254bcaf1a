"""What the account was billed for its pods. Knows the billing calls of API v2 and how their answers read.

The bill is no clock: it was seen to lag by weeks (2026-08), and what it does not name may still come.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .calls import Answer, Call
from .reading import making_sense, page_rows
from .shapes import as_instant

HOUR = timedelta(hours=1)
WHAT = "read the bill"
DAYS_BACK = 92
"""So far back the end of the bill is looked for."""
POD_AMOUNTS = ("podGpuAmount", "podCpuAmount", "podDiskAmount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one pod was billed for one hour."""

    pod_id: str
    hour_at: datetime
    """The beginning of the hour."""
    usd: float


def bills_call(start_at: datetime, end_at: datetime) -> Call:
    """The call for the bills of all pods of the account, by the hour."""
    query = {"bucketSize": "hour", "startTime": rfc3339(start_at), "endTime": rfc3339(end_at)}
    return Call(method="GET", path="/v2/billing/pods", what=WHAT, query=query)


def as_bills(answer: Answer) -> list[Bill]:
    """The bills of that answer. Raises CloudUnreachable if it makes no sense."""
    rows = page_rows(answer.document or {}, "records", WHAT)
    with making_sense(WHAT):
        return list(map(as_bill, rows))


def as_bill(row: Mapping[str, Any]) -> Bill:
    """One record. Raises ValueError if it is of another time than an hour: sizes have been ignored (2026-08)."""
    if as_instant(row["endTime"]) != begins(row) + HOUR:
        raise ValueError(f"not of an hour: {row}")
    return Bill(pod_id=str(row["podId"]), hour_at=begins(row), usd=amount(row, "totalAmount"))


def reach_call() -> Call:
    """The call for what was billed in all on each of the last days."""
    return Call(method="GET", path="/v2/billing", what=WHAT, query={"bucketSize": "day", "lastN": str(DAYS_BACK)})


def as_reach(answer: Answer) -> datetime | None:
    """The beginning of the last day with a bill for a pod: so far it has come. Raises CloudUnreachable."""
    rows = page_rows(answer.document or {}, "records", WHAT)
    with making_sense(WHAT):
        return max((begins(row) for row in rows if any(amount(row, name) for name in POD_AMOUNTS)), default=None)


def begins(row: Mapping[str, Any]) -> datetime:
    """The beginning of a record's time. Raises ValueError if it has none: it could be of any run, then."""
    at = as_instant(row["startTime"])
    if at is None:
        raise ValueError(f"no time in {row}")
    return at


def amount(row: Mapping[str, Any], name: str) -> float:
    """USD under that name. Raises ValueError for what is no amount, KeyError if there is none."""
    usd = float(row[name])
    if not math.isfinite(usd):
        raise ValueError(f"{name} is {usd}")
    return usd


def rfc3339(at: datetime) -> str:
    """The instant as the API writes it."""
    return at.isoformat().replace("+00:00", "Z")
