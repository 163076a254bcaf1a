"""The price changes while the pod is used: cap, cost and guard go by the real one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Pod
from runpod_deploy.errors import CloudUnreachable
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.money import guard_deadline
from runpod_deploy.record import events as e
from runpod_deploy.record.manifest import manifest
from runpod_deploy.spec import BudgetSpec
from tests.lifecycle.test_cost import DISKS
from tests.support.worlds import Killed, Memory, with_job

HOUR_S = 3600.0
CHANGES_AT_S = 600.0
LATE_USD = 60 * 0.8 / HOUR_S
"""What may be spent until a rise is noticed."""


def world_of(tmp_path: Path, **budget: float) -> Memory:
    """A job that does not end by itself, on a pod of 0.40 USD per hour with a cap of one dollar."""
    world = Memory(tmp_path, job_lasts_s=100 * HOUR_S)
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=1.0, **budget))  # type: ignore[arg-type]
    return world


def costs(world: Memory, usd_per_hour: float | None) -> None:
    """The run's pod has another price from now on."""
    rented = next(iter(world.cloud.rented.values()))
    rented.pod = replace(rented.pod, usd_per_hour=usd_per_hour)


def changes(world: Memory) -> list[e.PriceChanged]:
    """The changes that the journal has."""
    return [event for event in world.events if isinstance(event, e.PriceChanged)]


def metered_usd(world: Memory, before: float, after: float, changed_at_s: float = CHANGES_AT_S) -> float:
    """What the pod has cost until the job was stopped."""
    start = next(iter(world.cloud.rented.values())).pod.created_at
    stopped = next(event.ts_utc for event in world.events if isinstance(event, e.StopRequested))
    assert start
    since_s = changed_at_s - (start - world.spec.created_at).total_seconds()
    lasted_s = (stopped - start).total_seconds()
    return (since_s * before + (lasted_s - since_s) * after) / HOUR_S + DISKS * lasted_s / HOUR_S


@pytest.mark.parametrize("price", [0.8, 0.45, 8.0])
def test_a_dearer_pod_is_stopped_before_it_has_cost_more_than_the_cap(tmp_path: Path, price: float) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, price))
    state = carry_out(world.open())
    assert (state.outcome, state.exit_code, state.job.stop_requested) == ("stopped", 21, "cost_cap")
    assert 1.0 - 60 * price / HOUR_S < metered_usd(world, 0.4, price) < 1.0 + 2 * price / HOUR_S
    (change,) = changes(world)
    assert (change.from_usd_per_hour, change.to_usd_per_hour) == (0.4, price)
    assert state.cost.usd_per_hour == price and (tmp_path / "results/out").exists()


def test_a_cheaper_pod_may_run_longer(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, 0.25))
    carry_out(world.open())
    assert 1.0 - 60 * 0.4 / HOUR_S < metered_usd(world, 0.4, 0.25) < 1.0 + 2 * 0.4 / HOUR_S


def test_the_estimate_counts_each_price_for_its_time(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, 0.8))
    carry_out(world.open())
    document = manifest(world.spec, world.open().state, now=world.clock.now(), log=None, files=[])
    first, second = document["pods"]
    assert first["pod_id"] == second["pod_id"] and first["until_utc"] == second["since_utc"]
    assert (first["usd_per_hour"], second["usd_per_hour"]) == pytest.approx((0.4 + DISKS, 0.8 + DISKS))
    assert first["cost_usd"] + second["cost_usd"] == pytest.approx(document["estimated_cost_usd"], abs=1e-4)
    assert document["billed_sec"] == document["wall_time_sec"]


def test_the_guard_gets_the_new_deadline(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, 0.8))
    state = carry_out(world.open())
    armed = [event.deadline_at for event in world.events if isinstance(event, e.GuardArmed)]
    assert state.cost.stop_at and len(armed) == 2
    assert armed[1] == guard_deadline(state.cost.stop_at, world.spec.job.budget) < armed[0]


def test_the_time_limit_stays_where_it_is(tmp_path: Path) -> None:
    world = world_of(tmp_path, max_runtime_minutes=45)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, 0.5))
    state = carry_out(world.open())
    first = next(event for event in world.events if isinstance(event, e.PodCreated))
    assert state.cost.stop_at == first.stop_at and state.job.stop_requested == "max_runtime"


@pytest.mark.parametrize("told", [None, 0.0, -1.0, float("nan"), 0.19, 0.4000001])
def test_a_price_that_cannot_be_right_or_is_the_same_changes_nothing(tmp_path: Path, told: float | None) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, told))
    state = carry_out(world.open())
    assert changes(world) == [] and state.cost.usd_per_hour == 0.4


def test_one_listing_alone_is_not_believed(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    listed = itertools.count()
    look = world.cloud.look
    world.cloud.look = lambda pod_id, max_age_s: replace(look(pod_id, max_age_s), usd_per_hour=9.0 + next(listed))  # type: ignore[method-assign, type-var]
    carry_out(world.open())
    assert next(listed) > 5 and changes(world) == []


def test_an_api_that_does_not_answer_is_asked_less_often_and_the_limit_holds(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    looks: list[float] = []
    look = world.cloud.look

    def refuse(pod_id: str, max_age_s: float) -> Pod | None:
        if world.clock.monotonic() < CHANGES_AT_S:
            return look(pod_id, max_age_s)
        looks.append(world.clock.monotonic())
        raise CloudUnreachable("503", hint="")

    world.cloud.look = refuse  # type: ignore[method-assign]
    state = carry_out(world.open())
    assert state.exit_code == 21 and state.end.released
    assert looks and all(later - earlier >= 300 for earlier, later in itertools.pairwise(looks))


def test_a_rise_that_nobody_saw_counts_from_the_last_process(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.clock.at(CHANGES_AT_S, lambda: costs(world, 0.8))

    def dies(event: e.Event, _state: object) -> None:
        if isinstance(event, e.Heartbeat) and world.clock.monotonic() > CHANGES_AT_S - 70:
            raise Killed

    with pytest.raises(Killed):
        carry_out(world.open(dies))
    world.clock.advance(1800)
    carry_out(world.open())
    (change,) = changes(world)
    assert 0 <= CHANGES_AT_S - (change.since_at - world.spec.created_at).total_seconds() < 130
    assert 1.0 - 130 * 0.8 / HOUR_S < metered_usd(world, 0.4, 0.8) < 1.0 + 2 * 0.8 / HOUR_S
