"""A pod that holds up every call of ours: the run ends by its rules all the same, and the pod with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.errors import SshLost
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.money import closing_s
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from tests.support.worlds import Memory

A_RELEASE_S = 140.0
"""The looks and orders of a release that the pod holds up: the lease, the secrets, the guard, the last snapshot."""


def world_of(tmp_path: Path, **host: object) -> Memory:
    """A run with a limit of ten minutes, whose job takes hours."""
    world = Memory(tmp_path, job_lasts_s=1e6, **host)
    budget = replace(world.spec.job.budget, max_runtime_minutes=10, cost_cap_usd=1000.0)
    world.spec = replace(world.spec, job=replace(world.spec.job, budget=budget))
    return world


def held_up(world: Memory) -> Callable[..., Any]:
    """A call that comes to no end, or to that of its own time."""

    def call(*_: object, timeout_s: float = 1e9, **__: object) -> Any:
        until = world.clock.monotonic() + timeout_s
        while world.clock.monotonic() < until:
            world.clock.sleep(7.0)
        raise TimeoutError("no answer")

    return call


def dropping(world: Memory) -> Callable[..., Any]:
    """A call that takes nearly a minute each time, and then loses its connection."""

    def call(*_: object, **__: object) -> Any:
        world.clock.sleep(50.0)
        raise SshLost("SSH: Connection reset")

    return call


@contextmanager
def channel(act: Callable[[], None], *_: object) -> Any:
    """A channel that is opened in this way."""
    act()
    yield None


CALLS = ("stop_job", "pull", "run", "disarm", "lease", "arm", "launch", "push", "follow", "leave_note", "take_lease")


@pytest.mark.parametrize("way", [held_up, dropping], ids=["never answers", "drops the connection"])
@pytest.mark.parametrize("name", [*CALLS, "everything"])
@pytest.mark.parametrize("begins", [e.PodReachable, e.JobLaunched, e.StopRequested])
def test_the_pod_is_gone_soon_after_the_limit(
    tmp_path: Path, begins: type[e.Event], name: str, way: Callable[[Memory], Callable[..., Any]]
) -> None:
    world = world_of(tmp_path)

    def spoil(event: e.Event, _: State) -> None:
        if isinstance(event, begins):
            for call in CALLS if name == "everything" else (name,):
                slow = way(world)
                setattr(world.inside(), call, partial(channel, slow) if call == "follow" else slow)

    state = carry_out(world.open(spoil))
    assert state.end.released and not world.cloud.billing
    assert state.exit_code != 0 and state.cost.stop_at is not None
    late = world.clock.now() - state.cost.stop_at
    assert late <= timedelta(seconds=closing_s(world.spec.job.budget) + A_RELEASE_S), late


def test_results_that_take_longer_than_the_time_after_the_limit_come_home_before_it(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    budget = replace(world.spec.job.budget, max_runtime_minutes=60, cost_cap_usd=1000.0, pull_grace_sec=20)
    world.spec = replace(world.spec, job=replace(world.spec.job, budget=budget))
    pull = world.inside().pull

    def slowly(*given: Any) -> Any:
        world.clock.sleep(1500.0)
        return pull(*given)

    world.inside().pull = slowly  # type: ignore[assignment, method-assign]
    state = carry_out(world.open())
    assert state.exit_code == 0 and state.work.collected and not world.cloud.billing


def test_a_pod_that_cannot_be_reached_is_not_left_while_it_runs(tmp_path: Path) -> None:
    """Its host may be dead and its guard with it, or a network lets no SSH through: the cap holds, no job is lost."""
    world = world_of(tmp_path)
    slow = dropping(world)

    def spoil(event: e.Event, _: State) -> None:
        if isinstance(event, e.JobLaunched):
            world.inside().run, world.inside().follow = slow, partial(channel, slow)  # type: ignore[method-assign]

    budget = replace(world.spec.job.budget, ssh_lost_timeout_sec=60)
    world.spec = replace(world.spec, job=replace(world.spec.job, budget=budget))
    state = carry_out(world.open(spoil))
    assert (state.outcome, state.exit_code) == ("stopped", 21) and not world.cloud.billing
    said = [event for event in world.events if isinstance(event, e.Retried) and "stop" in event.what]
    assert 1 < len(said) < 30
