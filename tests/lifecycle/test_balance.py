"""The account's balance: too small for the run, and used up while it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from tests.support.worlds import Memory


def warnings(world: Memory) -> list[e.BalanceLow]:
    """The warnings in the journal."""
    return [event for event in world.events if isinstance(event, e.BalanceLow)]


def test_a_balance_below_what_the_run_may_cost_is_said_before_the_create(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.credit = 0.75
    carry_out(world.open())
    assert [(event.balance_usd, event.needed_usd) for event in warnings(world)] == [(0.75, 1.0)]
    order = [type(event) for event in world.events]
    assert order.index(e.BalanceLow) < order.index(e.PodRequested)


@pytest.mark.parametrize("credit", [None, 1.0, 50.0])
def test_a_balance_that_is_enough_or_unknown_is_not_mentioned(tmp_path: Path, credit: float | None) -> None:
    world = Memory(tmp_path)
    world.cloud.credit = credit
    carry_out(world.open())
    assert warnings(world) == []


@pytest.mark.parametrize(("credit", "kind", "code"), [(0.0, "balance", 4), (-0.02, "balance", 4), (9.0, "", 22)])
def test_a_pod_that_ends_without_credit_was_ended_for_that(tmp_path: Path, credit: float, kind: str, code: int) -> None:
    world = Memory(tmp_path, job_lasts_s=600.0)

    def end() -> None:
        world.cloud.credit = credit
        world.cloud.vanish(next(iter(world.cloud.rented)))

    world.clock.at(100.0, end)
    state = carry_out(world.open())
    assert state.failure and (state.failure.kind, state.exit_code) == (kind or "pod_killed_unexpected", code)
    assert ("run again" in state.failure.hint) and (not kind or "add funds" in state.failure.hint)
