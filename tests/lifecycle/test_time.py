"""Time that passes during a sleep, limits that are reached after the job has ended, and heartbeats."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.events import ArtifactPullFailed, Heartbeat, JobEnded, StopRequested
from runpod_deploy.spec import BudgetSpec
from tests.support.worlds import Memory, with_job

HOUR_S = 3600.0


def asleep(world: Memory, *, at_s: float, for_s: float) -> None:
    """The machine of the driver sleeps; the job goes on."""
    world.clock.at(at_s, lambda: world.clock.advance(for_s))


def stalling(world: Memory, minutes: int) -> None:
    run = replace(world.spec.job.run, stall_timeout_minutes=minutes)
    world.spec = with_job(world.spec, run=run)


def ends(world: Memory) -> list[tuple[str, int | None]]:
    return [(event.why, event.exit_code) for event in world.events if isinstance(event, JobEnded)]


def test_a_sleeping_laptop_hears_no_silence(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=1.5 * HOUR_S)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=9.0))
    stalling(world, minutes=60)
    asleep(world, at_s=300, for_s=70 * 60)
    assert carry_out(world.open()).outcome == "succeeded"


def test_a_silent_log_stops_the_job(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=3 * HOUR_S)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=9.0))
    stalling(world, minutes=60)
    assert carry_out(world.open()).outcome == "stopped"
    assert ends(world) == [("stalled", 143)]


def test_a_job_that_ended_before_its_limit_is_no_victim_of_it(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=600.0)
    asleep(world, at_s=300, for_s=9 * HOUR_S)
    state = carry_out(world.open())
    assert state.job.stop_requested == "cost_cap", "the limit had passed when we woke up"
    assert ends(world) == [("exited", 0)] and state.outcome == "succeeded"


def test_an_early_pull_does_not_outlast_the_limit(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=9 * HOUR_S, pull_lasts_s=HOUR_S)
    early = replace(world.spec.job.artifacts[0], every_sec=60)
    world.spec = with_job(world.spec, artifacts=(early,), budget=BudgetSpec(cost_cap_usd=0.20, pull_grace_sec=2 * 3600))
    state = carry_out(world.open())
    asked = next(event for event in world.events if isinstance(event, StopRequested))
    assert state.cost.stop_at and (asked.ts_utc - state.cost.stop_at).total_seconds() < 2
    assert state.outcome == "stopped" and (tmp_path / "results/out").exists()


def test_a_pull_after_the_limit_ends_with_its_grace(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=9 * HOUR_S, pull_lasts_s=HOUR_S)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=0.20, pull_grace_sec=300))
    state = carry_out(world.open())
    failed = next(event for event in world.events if isinstance(event, ArtifactPullFailed))
    assert state.cost.stop_at and 300 <= (failed.ts_utc - state.cost.stop_at).total_seconds() < 305
    assert "no time left" in failed.error and state.exit_code == 21


def test_the_heart_beats_in_whatever_phase_is_long(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=200.0)
    world.cloud.placing_s, world.cloud.starting_s, world.cloud.address_s = 5.0, 185.0, 190.0
    carry_out(world.open())
    beats = [event for event in world.events if isinstance(event, Heartbeat)]
    assert {(beat.phase, beat.doing) for beat in beats} == {("connect", "image_pull"), ("watch", "")}
    apart = [(b.ts_utc - a.ts_utc).total_seconds() for a, b in pairwise(beats)]
    assert apart and all(60 <= gap < 63 for gap in apart)
    assert beats[-1].spent_usd > beats[0].spent_usd > 0


def test_who_waits_for_stock_says_so(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.sold_out = {("NVIDIA L4", "EU-RO-1"), ("NVIDIA L4", "US-TX-3")}
    world.spec = replace(world.spec, wait_for_stock_s=HOUR_S)
    world.clock.at(300.0, world.cloud.sold_out.clear)
    assert carry_out(world.open()).outcome == "succeeded"
    beats = [event for event in world.events if isinstance(event, Heartbeat)]
    assert {(beat.phase, beat.doing) for beat in beats} == {("provision", "waiting for stock")} and len(beats) >= 4
