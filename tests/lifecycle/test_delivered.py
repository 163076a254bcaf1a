"""What is delivered is judged: price, GPUs, datacenter and cloud. What differs is released, and the next is tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.manifest import manifest
from runpod_deploy.record.state import State
from tests.lifecycle.test_recycle import second_run
from tests.support.worlds import Killed, Memory, with_job

FIRST, SECOND = "EU-RO-1", "US-TX-3"


def limited(world: Memory, max_gpu_price: float) -> None:
    """The config has a price limit."""
    budget = replace(world.spec.job.budget, max_gpu_price=max_gpu_price)
    world.spec = with_job(world.spec, budget=budget)


def reasons(world: Memory) -> list[str]:
    """Why pods were given up."""
    return [event.reason for event in world.events if isinstance(event, e.PodAbandoned)]


def manifest_of(world: Memory, state: State) -> dict[str, Any]:
    """The manifest of the run."""
    return manifest(world.spec, state, now=world.clock.now(), log=None, files=[])


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"gpu_id": "NVIDIA A40"}, "GPU NVIDIA A40 instead of NVIDIA L4"),
        ({"gpu_count": 0}, "0 GPUs instead of 1"),
        ({"datacenter_id": "AP-JP-1"}, "datacenter AP-JP-1 instead of"),
        ({"cloud_type": "COMMUNITY"}, "cloud COMMUNITY instead of SECURE"),
        ({"usd_per_hour": 1.75}, "$1.75/hr is over the limit of $0.45/hr"),
    ],
)
def test_a_pod_that_is_not_what_was_asked_for_gives_way_to_the_next(
    tmp_path: Path, differs: dict[str, Any], why: str
) -> None:
    world = Memory(tmp_path)
    limited(world, 0.45)
    world.cloud.delivers = {FIRST: differs}
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id) == ("succeeded", SECOND)
    assert len(reasons(world)) == 1 and why in reasons(world)[0]
    assert len(world.cloud.created) == 2 and world.cloud.billing == []
    rows = manifest_of(world, state)["pods"]
    assert [row["until_utc"] is not None for row in rows] == [True, True]


def test_a_run_that_gets_nothing_else_ends_as_without_stock(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"gpu_count": 0}, SECOND: {"gpu_count": 0}}
    state = carry_out(world.open())
    assert state.failure and state.failure.kind == "stock_out" and "0 GPUs instead of 1" in state.failure.message
    assert (state.exit_code, world.cloud.billing, world.hosts) == (3, [], {})


def test_more_gpus_than_asked_for_are_used_and_told(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"gpu_count": 2, "usd_per_hour": 0.8}}
    state = carry_out(world.open())
    assert state.outcome == "succeeded"
    told = manifest_of(world, state)
    assert (told["gpu_count"], told["gpu_price_per_hour_usd"]) == (2, 0.8)


def test_a_delivery_that_shows_only_later_is_judged_then(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def shrink() -> None:
        rented = next(iter(world.cloud.rented.values()))
        rented.pod = replace(rented.pod, gpu_count=0)

    world.clock.at(3.0, shrink)
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id, len(reasons(world))) == ("succeeded", SECOND, 1)


@pytest.mark.parametrize("told", [None, 0.0, -1.0, float("nan"), float("inf"), 0.19])
def test_a_price_that_cannot_be_right_is_not_planned_with(tmp_path: Path, told: float | None) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"usd_per_hour": told}}
    state = carry_out(world.open())
    assert state.outcome == "succeeded"
    assert (state.cost.usd_per_hour, state.cost.price_source) == (0.5, "assumed_rate")
    doubts = [event for event in world.events if isinstance(event, e.PriceDoubted)]
    assert len(doubts) == 1 and doubts[0].planned_usd_per_hour == 0.5


def test_the_catalogue_s_price_is_planned_with_if_it_is_higher_than_the_assumed_one(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, budget=replace(world.spec.job.budget, assumed_hourly_rate_usd=0.3))
    world.cloud.delivers = {FIRST: {"usd_per_hour": 0.1}}
    state = carry_out(world.open())
    assert (state.cost.usd_per_hour, state.cost.price_source) == (0.4, "catalogue")


@pytest.mark.parametrize("told", [0.21, 0.4, 3.0])
def test_a_price_that_can_be_right_is(tmp_path: Path, told: float) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"usd_per_hour": told}}
    state = carry_out(world.open())
    assert (state.cost.usd_per_hour, state.cost.price_source) == (told, "pod_describe")


def test_a_paused_pod_that_starts_without_gpus_gives_way_to_a_fresh_one(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    world.cloud.delivers = {FIRST: {"gpu_count": 0}}
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and not state.pod.resumed
    assert state.pod.datacenter_id == SECOND and "0 GPUs instead of 1" in reasons(world)[0]


@pytest.mark.parametrize("what", ["full", "drift"])
def test_a_fresh_pod_instead_of_a_paused_one_is_accounted_from_its_creation(tmp_path: Path, what: str) -> None:
    world = second_run(tmp_path)
    world.settings["job_lasts_s"] = 1800.0
    world.cloud.host_is_full = what == "full"
    if what == "drift":
        world.spec = with_job(world.spec, pod=replace(world.spec.job.pod, image="runpod/pytorch:2.0"))
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and len(world.cloud.created) == 2
    fresh = list(world.cloud.rented.values())[-1]
    rental = state.cost.rentals[-1]
    assert (rental.pod_id, rental.since_at) == (fresh.pod.id, fresh.pod.created_at)
    assert rental.seconds(world.clock.now()) > 1800
    assert manifest_of(world, state)["estimated_cost_usd"] == pytest.approx(0.4 * 1850 / 3600, rel=0.1)


def test_a_wrong_pod_whose_end_is_not_confirmed_at_first_leaves_the_last_word_to_the_release(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"gpu_count": 0}}
    world.cloud.delete_lag_s = 90.0
    state = carry_out(world.open())
    assert state.failure and (state.failure.kind, state.exit_code) == ("cloud", 5)
    assert "0 GPUs instead of 1" in state.failure.message and world.cloud.list_pods() == []


def test_a_wrong_pod_that_a_killed_process_gave_up_is_gone_before_another_is_asked_for(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {FIRST: {"gpu_count": 0}, SECOND: {"gpu_count": 0}}

    def dies(event: e.Event, _state: State) -> None:
        if isinstance(event, e.PodAbandoned):
            raise Killed

    with pytest.raises(Killed):
        carry_out(world.open(dies))
    state = carry_out(world.open())
    assert state.exit_code == 3 and len(world.cloud.created) == 2 and world.cloud.billing == []
