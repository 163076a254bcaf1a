"""No instant to stop at lets the spend pass the cap."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.money import (
    NO_DISKS,
    Disks,
    Rental,
    StopAt,
    affordable,
    cents,
    forecast,
    guard_deadline,
    spent_between_usd,
    spent_usd,
)
from runpod_deploy.spec import BudgetSpec
from tests.support.fakes.clock import START

money = st.floats(min_value=0.01, max_value=1e5)
rates = st.floats(min_value=0.001, max_value=1e5)
sizes = st.builds(Disks, container_gb=st.floats(0, 1e4), volume_gb=st.floats(0, 1e5))


@given(cap=money, rate=rates, disks=sizes, minutes=st.none() | st.integers(1, 10**6), past=st.floats(0, 1e5))
def test_no_stop_lets_the_spend_pass_the_cap(
    cap: float, rate: float, disks: Disks, minutes: int | None, past: float
) -> None:
    budget = BudgetSpec(cost_cap_usd=cap, max_runtime_minutes=minutes)
    ahead = forecast(budget, usd_per_hour=rate, disks=disks, past_usd=past)
    whole = rate + disks.usd_per_hour
    spent = past + spent_usd([Rental("p", whole, START)], ahead.stop_at(START).at)
    assert spent <= max(cap, past) + whole / 3600 * 1e-3
    assert abs(past + ahead.cost_usd - spent) <= 1e-9 * spent + whole / 3600 * 1e-3


def test_the_disks_of_a_running_pod_shorten_what_the_cap_pays_for() -> None:
    budget = BudgetSpec(cost_cap_usd=2.0)
    bare = forecast(budget, usd_per_hour=0.27, disks=NO_DISKS)
    whole = forecast(budget, usd_per_hour=0.27, disks=Disks(container_gb=200, volume_gb=1000))
    assert [round(ahead.stops_after / timedelta(minutes=1)) for ahead in (bare, whole)] == [444, 275]
    assert whole.cost_usd == pytest.approx(2.0)


def stop_for(budget: BudgetSpec, usd_per_hour: float) -> StopAt:
    """The stop of a pod without disks that is created at the start."""
    return forecast(budget, usd_per_hour=usd_per_hour, disks=NO_DISKS).stop_at(START)


@given(cap=money, rate=rates, minutes=st.integers(1, 10**6))
def test_the_earlier_limit_counts(cap: float, rate: float, minutes: int) -> None:
    stop = stop_for(BudgetSpec(cost_cap_usd=cap, max_runtime_minutes=minutes), rate)
    by_cap, by_time = START + affordable(cap, rate), START + timedelta(minutes=minutes)
    assert stop.at == min(by_cap, by_time)
    assert stop.why == ("max_runtime" if by_time <= by_cap else "cost_cap")


def test_a_free_pod_is_held_by_time_alone() -> None:
    stop = stop_for(BudgetSpec(cost_cap_usd=1, max_runtime_minutes=5), 0.0)
    assert (stop.at - START, stop.why) == (timedelta(minutes=5), "max_runtime")


def test_the_guard_waits_for_the_driver_first() -> None:
    budget = BudgetSpec(pull_grace_sec=300)
    assert (guard_deadline(START, budget) - START).total_seconds() > 300 + 10


def test_a_rental_costs_from_its_beginning_to_its_end_or_its_guard() -> None:
    hour = timedelta(hours=1)
    going, ended = Rental("p", 2.0, START), Rental("p", 2.0, START, until_at=START + hour)
    guarded = Rental("p", 2.0, START, guard_at=START + 3 * hour)
    later = START + 10 * hour

    assert [spent_usd([rental], later) for rental in (going, ended, guarded)] == [20.0, 2.0, 6.0]
    assert spent_usd([guarded], START + hour) == 2.0
    assert spent_usd([going, ended], START - hour) == 0.0, "a clock that went backwards costs nothing"


@given(cuts=st.lists(st.floats(0, 1e6), min_size=2, max_size=6).map(sorted))
def test_the_parts_of_a_rental_cost_what_the_whole_does(cuts: list[float]) -> None:
    instants = [START + timedelta(seconds=cut) for cut in cuts]
    rental = Rental("p", 3.0, instants[0], until_at=instants[-1])

    parts = [spent_between_usd([rental], a, b) for a, b in pairwise(instants)]

    assert abs(sum(parts) - spent_usd([rental], instants[-1])) < 1e-6


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "0.00"), (0.495, "0.50"), (0.49499999999999994, "0.50"), (0.494, "0.49"), (1.005, "1.01"), (12, "12.00"),
        (-0.5, "-0.50"), (1e300, f"{1e300:.2f}"), (float("inf"), "inf"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_half_a_cent_is_rounded_up(usd: float, text: str) -> None:
    assert cents(usd) == text
