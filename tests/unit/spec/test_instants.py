"""Times in ISO text, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from runpod_deploy.spec.instants import parse_instant


@pytest.mark.parametrize("text", ["2026-06-04T10:00:00+00:00", "2026-06-04T10:00:00Z", "2026-06-04T10:00:00"])
def test_a_time_is_aware(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 6, 4, 10, tzinfo=UTC)


def test_an_offset_is_kept() -> None:
    assert parse_instant("2026-06-04T12:00:00+02:00") == datetime(2026, 6, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "soon", 20260604, float("nan"), True, ["2026-06-04"]])
def test_other_values_are_no_time(value: Any) -> None:
    assert parse_instant(value) is None
