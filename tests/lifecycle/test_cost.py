"""The cost in the manifest agrees with the fake cloud's own meter, whatever happened to the run."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.errors import AnswerUnclear, CloudUnreachable
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.money import Disks
from runpod_deploy.record.manifest import manifest
from runpod_deploy.spec import BudgetSpec, LifecycleAction, LifecyclePolicySpec
from tests.lifecycle.test_carry_out import EFFECTS, EVENTS
from tests.support.worlds import FaultAt, Killed, Memory, dies_after, with_job

NOTICED_WITHIN_S = 30.0
"""A pod that ended by itself may be noticed so late; the estimate counts until then."""
DISKS = Disks(container_gb=20, volume_gb=10).usd_per_hour
"""Container and volume of the job of these worlds, in USD per hour."""


def told(world: Memory) -> dict[str, Any]:
    """The manifest of the run as it stands now."""
    return manifest(world.spec, world.open().state, now=world.clock.now(), log=None, files=[])


def metered_usd(world: Memory) -> float:
    """What the pods of the fake cloud have cost, by their own times and prices."""
    return sum(lived_s(world, number) * rate / 3600 for number, rate in enumerate(rates(world)))


def rates(world: Memory) -> list[float]:
    """The price of each pod with its disks, in USD per hour."""
    return [(rented.pod.usd_per_hour or math.nan) + DISKS for rented in world.cloud.rented.values()]


def lived_s(world: Memory, number: int) -> float:
    """Seconds from the creation of a pod to its deletion, or until now."""
    rented = list(world.cloud.rented.values())[number]
    assert rented.pod.created_at is not None
    return ((rented.deleted_at or world.clock.now()) - rented.pod.created_at).total_seconds()


def check(world: Memory) -> dict[str, Any]:
    """The manifest, once it agrees with the meter, and its parts with the whole."""
    document, rate = told(world), max(rates(world), default=0.0)
    late_usd = NOTICED_WITHIN_S * rate / 3600
    metered, rounding = metered_usd(world), 1e-4
    assert metered - rounding <= document["estimated_cost_usd"] <= metered + late_usd + rounding
    assert sum(pod["cost_usd"] for pod in document["pods"]) == pytest.approx(document["estimated_cost_usd"], abs=1e-4)
    assert sum(phase["cost_usd"] for phase in document["phases"]) <= document["estimated_cost_usd"] + 1e-4
    return document


def test_an_undisturbed_run_costs_its_pod_from_creation_to_release_disks_included(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())

    document = check(world)
    by_phase = {phase["name"]: phase["cost_usd"] for phase in document["phases"]}
    assert sum(by_phase.values()) == pytest.approx(document["estimated_cost_usd"], abs=1e-4)
    assert by_phase["check"] == by_phase["choose"] == 0.0 < by_phase["connect"]
    (pod,) = document["pods"]
    assert pod["usd_per_hour"] == pytest.approx(0.40 + DISKS)
    assert document["gpu_price_per_hour_usd"] == 0.40, "as the cloud names it"
    assert document["wall_time_sec"] == document["billed_sec"] == pytest.approx(lived_s(world, 0), abs=1)


@pytest.mark.parametrize("n", range(1, EVENTS + 1))
def test_what_nobody_watched_is_counted_and_belongs_to_no_phase(tmp_path: Path, n: int) -> None:
    world = Memory(tmp_path)
    with pytest.raises(Killed):
        carry_out(world.open(dies_after(n)))
    was_billed = bool(world.cloud.billing)
    world.clock.advance(1800)
    carry_out(world.open())

    document = check(world)
    alone_usd = 1800 * rates(world)[0] / 3600 if was_billed and world.cloud.created else 0.0
    by_phases = sum(phase["cost_usd"] for phase in document["phases"])
    assert document["estimated_cost_usd"] - by_phases == pytest.approx(alone_usd, abs=1e-3)
    assert all(phase["duration_sec"] < 1000 for phase in document["phases"]), "death is no part of a phase"


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("error", [CloudUnreachable, AnswerUnclear])
def test_whatever_fails_the_estimate_is_what_the_meter_shows(tmp_path: Path, n: int, error: type[Exception]) -> None:
    world = Memory(tmp_path)
    world.on_effect = FaultAt(n, lambda: error("the world is bad"))
    if carry_out(world.open()).pod_may_exist:
        world.on_effect = None
        carry_out(world.open())

    check(world)


def test_pods_that_never_booted_cost_until_they_are_gone(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1"}
    world.cloud.delete_lag_s = 40.0
    carry_out(world.open())

    document = told(world)
    first, second = document["pods"]
    assert first["pod_id"] != second["pod_id"] == document["pod_id"]
    assert lasted_s(first) == pytest.approx(900 + 40, abs=5), "deletion took its time, and was billed"
    assert first["cost_usd"] + second["cost_usd"] == pytest.approx(document["estimated_cost_usd"], abs=1e-4)
    assert document["billed_sec"] == pytest.approx(lasted_s(first) + lasted_s(second), abs=0.01)


def test_a_run_that_rented_nothing_cost_nothing(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.sold_out = {("NVIDIA L4", "EU-RO-1"), ("NVIDIA L4", "US-TX-3")}
    carry_out(world.open())

    document = told(world)
    assert (document["exit_code"], document["estimated_cost_usd"], document["billed_sec"]) == (3, 0.0, 0.0)


def test_a_request_without_an_answer_has_no_known_cost(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.on_effect = killing_creates
    with pytest.raises(Killed):
        carry_out(world.open())

    assert (told(world)["estimated_cost_usd"], told(world)["wall_time_sec"]) == (None, None)


def killing_creates(where: str) -> None:
    """The process dies right after the pod came to be."""
    if where == "after create":
        raise Killed


def test_a_pod_that_was_killed_costs_until_that_is_known(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**6)
    world.clock.at(200.0, lambda: world.cloud.vanish(next(iter(world.cloud.rented))))
    carry_out(world.open())

    document = told(world)
    assert document["failure"]["kind"] == "pod_killed_unexpected"
    assert 200 <= document["billed_sec"] <= 200 + NOTICED_WITHIN_S


def test_a_pod_that_its_guard_ended_is_not_counted_until_somebody_looks(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=10.0**6)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=0.20, assumed_hourly_rate_usd=0.2))
    with pytest.raises(Killed):
        carry_out(world.open(dies_after(EVENTS - 12)))
    guard_at = world.open().state.cost.rentals[0].guard_at
    assert guard_at is not None
    world.clock.at(seconds_until(world, guard_at), lambda: world.cloud.vanish(next(iter(world.cloud.rented))))
    world.clock.advance(timedelta(weeks=3).total_seconds())

    assert told(world)["estimated_cost_usd"] < 0.25, "while nobody looks"
    carry_out(world.open())
    document = told(world)
    assert document["failure"]["kind"] == "cost_cap"
    assert 0.19 < document["estimated_cost_usd"] < 0.25, "once somebody did"


@pytest.mark.parametrize(
    ("action", "usd_per_day"),
    [("stop", 10 * 0.20 / 30), ("preserve", (0.40 + DISKS) * 24), ("recycle", 10 * 0.20 / 30), ("delete", None)],
)
def test_what_a_run_leaves_goes_on_costing(tmp_path: Path, action: LifecycleAction, usd_per_day: float | None) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success=action, on_failure="delete"))
    carry_out(world.open())

    assert told(world)["left_usd_per_day"] == pytest.approx(usd_per_day, abs=1e-6)
    world.clock.advance(3600)
    assert told(world)["estimated_cost_usd"] < 0.02, "the run itself is over"


def seconds_until(world: Memory, at: datetime) -> float:
    """When that is, on the clock's own count."""
    return world.clock.monotonic() + (at - world.clock.now()).total_seconds()


def lasted_s(pod: dict[str, Any]) -> float:
    """How long a pod of the manifest cost."""
    since, until = (datetime.fromisoformat(pod[key]) for key in ("since_utc", "until_utc"))
    return (until - since).total_seconds()
