"""Whole runs while prices and clocks change: the cap holds by the real price, and only the run's own clock matters."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import WORK, Simulator, job, run

HOURS = 7200
CAP_USD = 120.0
DEAR = {"pod": {"gpu_order": ["SIM 3600"]}, "budget": {"cost_cap_usd": CAP_USD, "assumed_hourly_rate_usd": 3600}}


def at(row: dict[str, Any], field: str) -> datetime:
    """An instant of an event."""
    return datetime.fromisoformat(row[field])


def test_a_pod_that_becomes_dearer_is_stopped_when_the_cap_is_spent_at_its_real_price(
    sim: Simulator, tmp_path: Path
) -> None:
    sim.fault(what="price-changes", after_s=20, usd_per_hour=36_000)
    ended = run(sim, job(tmp_path / "p", body=WORK + "sleep 600", **DEAR))
    assert ended.code == 21 and ended.manifest["failure"]["kind"] == "cost_cap", ended.err
    (created,), (change,) = ended.named("pod_created"), ended.named("price_changed")
    since, stop = at(change, "since_at"), at(change, "stop_at")
    spent = (since - at(created, "created_at")).total_seconds() * 1.0 + (stop - since).total_seconds() * 10.0
    assert spent == pytest.approx(CAP_USD, rel=0.01), "a dollar a second, then ten"
    assert stop < at(created, "stop_at") and at(ended.named("stop_requested")[0], "ts_utc") >= stop
    assert (ended.run_dir and next(ended.run_dir.rglob("result.txt"))).read_text() == "result\n"  # type: ignore[union-attr]
    assert [round(row["usd_per_hour"], -1) for row in ended.manifest["pods"]] == [3600, 36_000]
    assert "RunPod tells another price for this pod: $36000.00/hr instead of $3600.00/hr" in ended.err
    assert [row["status"] for row in sim.ledger["pods"]] == ["EXITED"]


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_clocks_of_the_api_and_the_pod_that_jump_change_nothing(sim: Simulator, tmp_path: Path, seconds: int) -> None:
    sim.fault(where="POST /v2/pods", what="clock-jumps", seconds=seconds)
    sim.fault(where="GET /v2/pods", what="clock-jumps", seconds=seconds, nth=2)
    sim.fault(what="pod-clock-jumps", after_s=0.2, seconds=-seconds)
    ended = run(sim, job(tmp_path / "p", body=WORK + "date +%s\nsleep 3\ndate +%s"))
    assert ended.code == 0, ended.err
    (created,), armed = ended.named("pod_created"), ended.named("guard_armed")
    hours = timedelta(hours=1)
    assert -hours < at(created, "created_at") - at(created, "ts_utc") < hours
    assert armed and at(armed[0], "deadline_at") > at(created, "stop_at")
    assert ended.manifest["estimated_cost_usd"] < 0.1 and ended.manifest["billed_sec"] < 90
    assert sim.ledger["pods_left"] == 0 and len(ended.named("job_ended")) == 1
