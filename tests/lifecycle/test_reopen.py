"""A paused pod that is reopened to pull what it holds: whatever happens, it is paused again and nothing is lost."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from runpod_deploy.driver import RunOptions, pull_from_paused, to_end
from runpod_deploy.errors import Interrupt, SshLost
from runpod_deploy.lifecycle import carry_out, pull_paused
from runpod_deploy.record.state import State
from runpod_deploy.spec import LifecyclePolicySpec, RunSpec
from tests.support.worlds import FaultAt, Killed, Memory, with_job

EFFECTS = 24


def left_behind(tmp_path: Path) -> Memory:
    """A world with a run whose job failed and whose results could not be pulled; its pod is paused."""
    world = Memory(tmp_path, job_exit_code=3)
    world.spec = with_job(
        world.spec,
        lifecycle=LifecyclePolicySpec(on_success="delete", on_failure="stop"),
        run=RunSpec(script_path="/r", log_path="/l", body="x"),
    )

    def no_pull(where: str) -> None:
        if where == "before pull out":
            raise SshLost("connection reset")

    world.on_effect = no_pull
    state = carry_out(world.open())
    assert state.exit_code == 20 and paused(world) and not (tmp_path / "results/out").exists()
    world.on_effect = None
    return world


def paused(world: Memory) -> bool:
    """Whether the one pod exists and is stopped."""
    return [pod.status for pod in world.cloud.list_pods()] == ["EXITED"] and len(world.cloud.created) == 1


def pulled_from_paused(world: Memory) -> State:
    return to_end(world.open(), pull_paused)


def test_what_was_left_comes_home_and_the_pod_is_paused_again(tmp_path: Path) -> None:
    world = left_behind(tmp_path)
    before = world.open().state
    state = pulled_from_paused(world)
    assert (tmp_path / "results/out").read_bytes() == b"result"
    assert paused(world) and world.starts == 1
    assert state.end.reopen_failure is None and state.end.released and state.exit_code == 20
    assert len(before.cost.rentals) == 1 and len(state.cost.rentals) == 2 and state.cost.rentals[1].until_at


def test_a_host_without_a_free_gpu_changes_nothing(tmp_path: Path) -> None:
    world = left_behind(tmp_path)
    world.cloud.host_is_full = True
    state = pulled_from_paused(world)
    assert state.end.reopen_failure is not None and state.end.reopen_failure.kind == "stock_out"
    assert paused(world) and state.exit_code == 20 and not state.pod_may_exist
    world.cloud.host_is_full = False
    assert pulled_from_paused(world).end.reopen_failure is None and (tmp_path / "results/out").exists()


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("again", [pull_paused, carry_out])
def test_killed_at_any_side_effect_and_taken_up_again(tmp_path: Path, n: int, again: object) -> None:
    world = left_behind(tmp_path)
    world.on_effect = FaultAt(n, Killed)
    try:
        pulled_from_paused(world)
    except Killed:
        world.on_effect = None
        state = to_end(world.open(), again)  # type: ignore[arg-type]
        assert not state.pod_may_exist and state.exit_code == 20
    assert paused(world) and world.starts == 1
    if again is pull_paused:
        assert (tmp_path / "results/out").exists()


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
@pytest.mark.parametrize("error", [lambda: SshLost("reset"), lambda: Interrupt("SIGINT"), lambda: RuntimeError("bad")])
def test_whatever_goes_wrong_the_pod_is_paused_and_the_run_is_what_it_was(
    tmp_path: Path, n: int, error: object
) -> None:
    world = left_behind(tmp_path)
    world.on_effect = fault = FaultAt(n, error)  # type: ignore[arg-type]
    state = pulled_from_paused(world)
    if fault.where.startswith(("before stop ", "after stop ")) or state.pod_may_exist:
        world.on_effect = None
        state = carry_out(world.open())
    assert paused(world) and state.exit_code == 20 and state.end.interrupted is None


def test_count_the_side_effects(tmp_path: Path) -> None:
    world = left_behind(tmp_path)
    world.on_effect = counter = FaultAt(10**9, RuntimeError)
    pulled_from_paused(world)
    assert counter.seen <= EFFECTS, "EFFECTS above must cover every side effect"


def test_a_pod_that_runs_is_pulled_from_and_goes_on(tmp_path: Path) -> None:
    world = left_behind(tmp_path)
    pod = next(iter(world.cloud.list_pods()))
    world.cloud.start(pod.id)
    state = pull_from_paused(world.spec, world.dir, world.open().world, RunOptions(out=io.StringIO()))
    assert (tmp_path / "results/out").read_bytes() == b"result" and state.exit_code == 20
    assert [pod.status for pod in world.cloud.list_pods()] == ["RUNNING"] and not state.end.reopened
