"""The pinned host key: kept when the pod's address moves, and never replaced by a boot that the run did not ask for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from runpod_deploy.cloud.values import Address, Pod
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.pod.ssh import Unreachable
from runpod_deploy.record import events as e
from runpod_deploy.record.state import State
from runpod_deploy.run import Run
from tests.support.worlds import Memory

OTHER = Address(host="127.0.0.2", port=22)


def refuse(*_: object, **__: object) -> NoReturn:
    """Another key answers at the pod's address."""
    raise Unreachable("host_key", "Host key verification failed.")


def another_key_once_the_job_runs(world: Memory, *, restarted: bool) -> Run:
    """A run whose pod shows another host key after the launch; its container may be a new one."""
    run = world.open()
    get = world.cloud.get

    def spoil(event: e.Event, _state: State) -> None:
        if isinstance(event, e.JobLaunched):
            host = world.inside()
            host.garbage = True
            host.run = refuse  # type: ignore[method-assign]
            world.cloud.get = younger if restarted else get  # type: ignore[method-assign]

    def younger(pod_id: str) -> Pod | None:
        pod = get(pod_id)
        return pod and replace(pod, uptime_s=1)

    run.listeners.append(spoil)
    return run


def test_a_new_container_that_nobody_asked_for_is_a_lost_pod(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=1e6)
    run = another_key_once_the_job_runs(world, restarted=True)
    run.listeners.append(lambda event, _: world.clock.sleep(60) if isinstance(event, e.JobLaunched) else None)
    state = carry_out(run)
    assert state.exit_code == 22 and not world.cloud.billing


def test_another_machine_at_the_address_is_an_error_that_says_so(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_lasts_s=1e6)
    state = carry_out(another_key_once_the_job_runs(world, restarted=False))
    assert (state.exit_code, state.end.detached) == (21, None)
    assert state.end.released and not world.cloud.billing, "nobody knows whether its guard works"


@pytest.mark.parametrize(("boots", "moves"), [(1, 3), (2, 0)])
def test_only_a_boot_of_the_run_brings_another_name_in_known_hosts(tmp_path: Path, boots: int, moves: int) -> None:
    seen: list[int] = []
    world = Memory(tmp_path)
    if boots == 2:
        world.cloud.dead_hosts = {"EU-RO-1"}
    run = world.open()
    run.world.reach = lambda spec, run_dir, address, boot: seen.append(boot) or world.inside()  # type: ignore[func-returns-value]

    def move(event: e.Event, _state: State) -> None:
        if isinstance(event, e.JobLaunched) and moves:
            world.cloud.address = OTHER
            run.leave_host()

    run.listeners.append(move)
    assert carry_out(run).exit_code == 0
    assert set(seen) == {boots}
