"""The bill in the API's answers: it is read or refused, never guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runpod_deploy.cloud.runpod.bills import Bill, as_billed_through, as_bills, bills_call
from runpod_deploy.cloud.runpod.calls import Answer
from runpod_deploy.errors import CloudUnreachable

TEN = datetime(2026, 6, 4, 10, tzinfo=UTC)
ROW: dict[str, Any] = {
    "startTime": "2026-06-04T10:00:00Z",
    "endTime": "2026-06-04T11:00:00Z",
    "podId": "p1",
    "totalAmount": 0.28,
    "gpuAmount": 0.27,
    "cpuAmount": 0,
    "diskAmount": 0.01,
}


def answer(*records: dict[str, Any]) -> Answer:
    """The API's answer with these records."""
    return Answer(status=200, headers={}, body=json.dumps({"records": records, "metadata": {}}).encode())


def test_a_record_is_the_bill_of_one_pod_and_hour() -> None:
    assert as_bills(answer(ROW, {**ROW, "podId": "p2", "totalAmount": 1})) == [
        Bill(pod_id="p1", hour_at=TEN, usd=0.28),
        Bill(pod_id="p2", hour_at=TEN, usd=1.0),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"endTime": "2026-06-05T10:00:00Z"},
        {"startTime": "yesterday"},
        {"totalAmount": None},
        {"totalAmount": float("nan")},
        {"totalAmount": "much"},
    ],
)
def test_a_record_that_is_no_hourly_bill_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CloudUnreachable, match="cannot read the bill"):
        as_bills(answer({**ROW, **change}))
    with pytest.raises(CloudUnreachable):
        as_bills(Answer(status=200, headers={}, body=b"{}"))


def test_the_call_asks_for_hours() -> None:
    assert dict(bills_call(TEN, TEN.replace(hour=12)).query) == {
        "bucketSize": "hour",
        "startTime": "2026-06-04T10:00:00Z",
        "endTime": "2026-06-04T12:00:00Z",
    }


def test_the_bill_reaches_to_the_last_day_with_money_for_a_pod() -> None:
    def day(number: int, usd: float) -> dict[str, Any]:
        amounts = {"podGpuAmount": usd, "podCpuAmount": 0, "podDiskAmount": 0, "storageStandardAmount": 5.0}
        return {"startTime": f"2026-06-{number:02}T00:00:00Z", "totalAmount": 9.0, **amounts}

    assert as_billed_through(answer(day(3, 1.0), day(4, 0.5), day(5, 0.0))) == datetime(2026, 6, 4, tzinfo=UTC)
    assert as_billed_through(answer(day(3, 0.0))) is None
