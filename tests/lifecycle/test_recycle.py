"""A paused pod of an earlier run is recycled: once, and never lost, whenever the process dies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.cloud.values import Pod
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.drift import Wanted, drift
from runpod_deploy.pod.guard import IDLE_S
from runpod_deploy.record.paths import RunDir
from runpod_deploy.spec import BudgetSpec, LifecyclePolicySpec, PodSpec, RunpodJobSpec, RunSpec, StorageSpec
from runpod_deploy.spec.json import spec_to_json
from tests.support.worlds import FaultAt, Killed, Memory, with_job

EFFECTS = 40


def second_run(tmp_path: Path) -> Memory:
    """A world in which one run has paused its pod for the next, which is about to begin."""
    world = Memory(tmp_path)
    lifecycle = LifecyclePolicySpec(on_success="recycle", on_failure="stop")
    world.spec = with_job(world.spec, lifecycle=lifecycle, state_file=str(tmp_path / "pod.json"))
    first = carry_out(world.open())
    assert first.pod.final_state == "EXITED"
    state_file = {"pod_id": first.pod.id, "run_id": first.run_id, "run_dir": str(world.dir.path)}
    state_file |= {"run_token": first.pod_token, "account": world.cloud.account}
    (tmp_path / "pod.json").write_text(json.dumps(state_file))
    world.dir = RunDir(tmp_path / "artifacts/runpod/second")
    world.dir.path.mkdir()
    world.hosts.clear()
    world.spec = replace(world.spec, run_id="second", token="22" * 16)
    return world


def test_the_paused_pod_is_taken_up(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.pod.resumed and len(world.cloud.created) == 1


@pytest.mark.parametrize("n", range(1, EFFECTS + 1))
def test_killed_at_any_side_effect_and_resumed(tmp_path: Path, n: int) -> None:
    world = second_run(tmp_path)
    world.on_effect = FaultAt(n, Killed)
    try:
        carry_out(world.open())
    except Killed:
        world.on_effect = None
        carry_out(world.open())
    state = world.open().state
    assert state.outcome == "succeeded" and state.pod.resumed
    assert len(world.cloud.created) == 1 and [pod.status for pod in world.cloud.list_pods()] == ["EXITED"]


def test_a_taken_pod_that_vanished_gives_way_to_a_fresh_one(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    first = next(iter(world.cloud.rented))
    world.on_effect = FaultAt(1, Killed)
    with pytest.raises(Killed):
        carry_out(world.open())
    world.on_effect = None
    assert world.open().state.pod.recycled
    world.cloud.vanish(first)
    world.cloud.calls.clear()
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and not state.pod.resumed and len(world.cloud.created) == 2
    assert world.cloud.calls.count(f"get {first}") < 5, "what is gone is not waited for"


POD_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"ports": ("22/tcp", "8888/http")}, "ports 22/tcp instead of 22/tcp, 8888/http"),
    ({"env": {"HF_HOME": "/x"}}, "env HF_HOME"),
    ({"registry_auth": "cred"}, "registry_auth none instead of cred"),
    ({"template_id": "t1"}, "template_id none instead of t1"),
    ({"container_disk_gb": 30}, "container disk 20 instead of 30"),
    ({"datacenters": ("US-GA-9",)}, "datacenter "),
]


@pytest.mark.parametrize(("changes", "told"), POD_CHANGES, ids=lambda value: str(value)[:24])
def test_what_the_config_no_longer_asks_for_is_named_and_replaced(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    world = second_run(tmp_path)
    recorded = json.loads((tmp_path / "pod.json").read_text())
    (Path(recorded["run_dir"]) / "spec.json").write_text(spec_to_json(world.spec))
    world.spec = with_job(world.spec, pod=replace(world.spec.job.pod, **changes))
    run = world.open()
    state = carry_out(run)
    text = world.dir.events.read_text()
    assert told in text and "it is deleted with its disk, and a new pod is asked for" in text
    assert state.pod.abandoned and not state.pod.resumed
    assert next(iter(world.cloud.rented)) not in [pod.id for pod in world.cloud.list_pods()]


def test_a_volume_smaller_than_the_api_s_least_is_no_drift() -> None:
    job = RunpodJobSpec(
        name="small",
        pod=PodSpec(image="i", datacenters=("EU-SE-1",), gpu_order=("A",)),
        storage=StorageSpec(mode="ephemeral", volume_gb=5),
        run=RunSpec(script_path="/w/s.sh", log_path="/w/s.log", body="true"),
    )
    pod = Pod(
        id="p", name="small-1", status="EXITED", usd_per_hour=None, created_at=None, volume_gb=10, container_disk_gb=20,
        image="i", gpu_id="A", volume_mount="/workspace", ports=("22/tcp",), env={"PUBLIC_KEY": "k"},
    )  # fmt: skip
    assert drift(Wanted(job.pod, job.storage), pod, None) == []
    assert drift(Wanted(job.pod, replace(job.storage, volume_mount="/data")), pod, None) == [
        "mount /workspace instead of /data"
    ]


def dies_after_the_start(world: Memory) -> None:
    """The process ends after it has started the paused pod, and before it has written that down."""

    def die(where: str) -> None:
        if where == "after start":
            raise Killed

    world.on_effect = die
    with pytest.raises(Killed):
        carry_out(world.open())
    world.on_effect = None


def test_a_paused_pod_is_accounted_from_a_start_that_nobody_recorded(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    dies_after_the_start(world)
    world.clock.advance(1800.0)
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and 1800 < state.cost.rentals[0].seconds(world.clock.now()) < 1900


def test_a_paused_pod_that_its_guard_stopped_again_is_accounted_with_the_guard_s_patience(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    dies_after_the_start(world)
    world.cloud.stop(next(iter(world.cloud.rented)))
    world.clock.advance(9000.0)
    state = carry_out(world.open())
    assert state.cost.stop_at is not None and state.exit_code == 0
    assert IDLE_S < state.cost.rentals[0].seconds(world.clock.now()) < IDLE_S + 100


def test_the_guard_of_a_pod_that_is_started_again_waits_no_longer_than_the_first_run_s_cap_pays_for(
    tmp_path: Path,
) -> None:
    world = second_run(tmp_path)
    waits_s = int(next(iter(world.cloud.rented.values())).pod.env["RUNPOD_DEPLOY_IDLE_S"])
    assert waits_s == IDLE_S
    world = Memory(tmp_path / "cheap")
    world.spec = with_job(world.spec, budget=BudgetSpec(cost_cap_usd=0.1, assumed_hourly_rate_usd=0.5))
    carry_out(world.open())
    pod = next(iter(world.cloud.rented.values())).pod
    assert pod.created_at is not None
    left_s = float(pod.env["RUNPOD_DEPLOY_DEADLINE"]) - pod.created_at.timestamp()
    assert int(pod.env["RUNPOD_DEPLOY_IDLE_S"]) == pytest.approx(left_s, abs=2) and left_s < IDLE_S
