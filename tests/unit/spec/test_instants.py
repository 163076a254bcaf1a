"""Times in ISO text, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runpod_deploy.cloud.pod_labels import CAP_LABEL, CLOSING_LABEL, DEADLINE_LABEL, RUN_ID_LABEL, origin
from runpod_deploy.cloud.values import Pod
from runpod_deploy.record.paths import began_at
from runpod_deploy.spec.instants import EARLIEST, LATEST, from_epoch, parse_instant, shifted


@pytest.mark.parametrize("text", ["2026-06-04T10:00:00+00:00", "2026-06-04T10:00:00Z", "2026-06-04T10:00:00"])
def test_a_time_is_aware(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 6, 4, 10, tzinfo=UTC)


def test_a_time_with_an_offset_is_converted_to_utc() -> None:
    at = parse_instant("2026-06-04T12:00:00+02:00")

    assert at == datetime(2026, 6, 4, 10, tzinfo=UTC) and at.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1999-12-31", "2200-01-01T00:00:00-01:00"]
)
def test_a_time_with_which_nobody_can_calculate_is_no_time(text: str) -> None:
    assert parse_instant(text) is None


@pytest.mark.parametrize("seconds", [0, -1e18, 1e11, 1e300, float("nan"), float("inf")])
def test_the_same_holds_for_seconds_and_for_the_names_of_runs(seconds: float) -> None:
    assert from_epoch(seconds) is None
    assert began_at("99991231T235959Z") is None and began_at("20260604T100000Z") is not None


def test_a_duration_that_makes_no_sense_leads_to_the_end_of_the_calendar() -> None:
    at = datetime(2026, 6, 4, 10, tzinfo=UTC)

    assert shifted(at, 90) - at == timedelta(seconds=90)
    assert shifted(at, 1e15) == shifted(at, 1e12) == LATEST and shifted(at, -1e15) == EARLIEST


def test_a_pod_with_labels_that_make_no_sense_has_no_deadline() -> None:
    for cap, closing in (("nan", "9"), ("-1e300", "9"), ("1", "inf"), ("1", "nan"), ("1", "-1e300")):
        env = {RUN_ID_LABEL: "a", CAP_LABEL: cap, CLOSING_LABEL: closing, DEADLINE_LABEL: "253402300799"}
        at = datetime(2026, 6, 4, tzinfo=UTC)
        found = origin(Pod(id="a", name="a", status="RUNNING", created_at=at, usd_per_hour=1.0, env=env))
        assert found is not None and found.deadline_at is None


@pytest.mark.parametrize("value", [None, "", "soon", 20260604, float("nan"), True, ["2026-06-04"]])
def test_other_values_are_no_time(value: Any) -> None:
    assert parse_instant(value) is None
