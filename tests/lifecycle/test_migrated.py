"""RunPod moves the run's pod to a new id, and tells nobody."""

from __future__ import annotations

from pathlib import Path

from runpod_deploy.cloud.values import Pod
from runpod_deploy.errors import CloudUnreachable
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from tests.support.worlds import Memory

NEVER_S = 1e6


def migrates_at(world: Memory, place: str) -> list[str]:
    """The id of the new pod, as soon as the pod was moved at this side effect."""
    moved: list[str] = []

    def move(where: str) -> None:
        if where.startswith(place) and not moved:
            moved.append(world.cloud.migrate(world.cloud.billing[0].id).id)
            world.cloud.starting_s = NEVER_S

    world.on_effect = move
    return moved


def test_a_pod_that_was_moved_with_its_job_is_named_and_not_deleted(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    moved = migrates_at(world, "after launch")
    state = carry_out(world.open())
    assert state.exit_code == 9 and [pod.id for pod in world.cloud.billing] == moved and world.starts == 1
    last = state.end.closing_failures[-1]
    assert f"POD {moved[0]} MAY STILL BE BILLING at $0.40 per hour" in last.message
    assert f"audit --reap --pod {moved[0]}" in last.hint
    assert carry_out(world.open()).exit_code == 9 and [pod.id for pod in world.cloud.billing] == moved


def test_a_run_whose_moved_pod_was_deleted_is_over(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    moved = migrates_at(world, "after launch")
    carry_out(world.open())
    world.cloud.delete(moved[0])
    state = carry_out(world.open())
    assert state.exit_code == 22 and not state.pod_may_exist


def test_a_pod_that_was_moved_before_its_job_holds_nothing_and_is_deleted(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    migrates_at(world, "after run")
    assert carry_out(world.open()).exit_code == 22 and world.cloud.billing == []
    assert len([event for event in world.events if isinstance(event, e.LatePodFound)]) == 1


def test_a_pod_that_was_moved_while_it_booted_does_not_stay_beside_the_next(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    looks = 0

    def listed() -> list[Pod]:
        nonlocal looks
        looks += 1
        if looks == 20:
            world.cloud.migrate(world.cloud.billing[0].id)
        return type(world.cloud).list_pods(world.cloud)

    world.cloud.list_pods = listed  # type: ignore[method-assign]
    billing: list[int] = []
    world.on_effect = lambda where: billing.append(len(world.cloud.billing))
    assert carry_out(world.open()).exit_code == 0 and world.cloud.billing == []
    assert max(billing) == 1 and len(world.cloud.created) == 3


def test_a_pod_that_was_moved_while_it_was_given_up_does_not_stay_beside_the_next_candidate(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {"EU-RO-1": {"gpu_count": 0}}
    billing: list[int] = []

    def move(where: str) -> None:
        billing.append(len(world.cloud.billing))
        if where == "before delete" and len(world.cloud.created) == 1:
            world.cloud.migrate(world.cloud.billing[0].id)

    world.on_effect = move
    assert carry_out(world.open()).exit_code == 0 and world.cloud.billing == []
    assert max(billing) == 1


def test_nobody_can_tell_whether_a_lost_pod_was_moved_while_no_listing_comes(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=60.0)
    migrates_at(world, "after launch")

    def silent(name: str, token: str = "") -> list[Pod]:
        raise CloudUnreachable("no connection")

    world.cloud.find = silent  # type: ignore[method-assign]
    state = carry_out(world.open())
    assert state.exit_code == 9 and "UNDER A NEW ID (no connection)" in state.end.closing_failures[-1].message
