"""Snapshots of a pod: their switches and their times; a snapshot that fails never ends a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Pod
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.snapshots import SEPARATOR, keep, without_secrets
from runpod_deploy.record.events import SnapshotFailed
from runpod_deploy.spec import TelemetrySpec
from tests.support.worlds import Memory, with_job

OFF = {
    "capture_nvidia_smi": False,
    "capture_dmesg": False,
    "capture_pod_describe": False,
    "capture_remote_env": False,
}
ASKED_BY = {
    "nvidia-smi": "capture_nvidia_smi",
    "dmesg": "capture_dmesg",
    "uname": "capture_remote_env",
    "pip freeze": "capture_remote_env",
}


def looked(world: Memory) -> str:
    """All that the pod was asked with snapshots in mind, as one text."""
    return "\n".join(
        text for host in world.hosts.values() for text in host.commands if text not in ("true", "nvidia-smi")
    )


@pytest.mark.parametrize("switches", [{"enabled": False}, OFF])
def test_what_is_switched_off_costs_no_round_trip(tmp_path: Path, switches: dict[str, bool]) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, telemetry=TelemetrySpec(**switches))
    assert carry_out(world.open()).outcome == "succeeded"
    assert looked(world).splitlines() == ["apt-get update", "pip list"]
    assert not list(world.dir.path.glob("pod_describe_*"))


@pytest.mark.parametrize(("words", "switch"), ASKED_BY.items())
def test_each_switch_switches_its_own(tmp_path: Path, words: str, switch: str) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, telemetry=replace(TelemetrySpec(**OFF), **{switch: True}))
    carry_out(world.open())
    assert words in looked(world)
    assert not any(other in looked(world) for other, by in ASKED_BY.items() if by != switch)


def test_the_start_costs_one_round_trip_before_setup_and_one_before_the_job(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    carry_out(world.open())
    commands = next(iter(world.hosts.values())).commands
    names = [text if len(text) < 20 else "snapshot" for text in commands]
    assert names == ["true", "snapshot", "apt-get update", "pip list", "nvidia-smi", "snapshot", "snapshot"]


def test_where_nothing_is_set_up_all_of_the_start_is_one_round_trip(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, setup=(), preflight=())
    carry_out(world.open())
    hello, before_job, at_end = next(iter(world.hosts.values())).commands
    assert (hello, "part nvidia_smi_start" in before_job, "pip freeze" in before_job) == ("true", True, True)
    assert "part nvidia_smi_end" in at_end


def test_the_last_description_costs_no_request(tmp_path: Path) -> None:
    asked = {}
    for switch in (False, True):
        world = Memory(tmp_path / str(switch))
        world.spec = with_job(world.spec, telemetry=replace(TelemetrySpec(**OFF), capture_pod_describe=switch))
        carry_out(world.open())
        asked[switch] = len(world.cloud.calls)
        assert (world.dir.path / "pod_describe_end.json").exists() is switch
    assert asked[True] == asked[False] + 1, "only the first description looks"


def test_snapshots_that_fail_end_nothing(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def full(where: str) -> None:
        if "part nvidia" in where or "pip freeze" in where:
            raise OSError("No space left on device")

    world.on_effect = full
    assert carry_out(world.open()).outcome == "succeeded"
    failures = [event for event in world.events if isinstance(event, SnapshotFailed)]
    assert [event.what for event in failures] == ["snapshot"] * 3
    assert all("No space left" in event.error for event in failures)


def test_what_the_pod_printed_lands_in_its_files(tmp_path: Path) -> None:
    run = Memory(tmp_path).open()
    printed = f"motd\n{SEPARATOR} remote_env.json\nLinux pod 6.8\n\n{SEPARATOR} python\nPython 3.12.3\n"
    keep(run, (printed + f"\n{SEPARATOR} dmesg_tail.txt\nline\n\n{SEPARATOR} nvidia_smi_start.txt\n").encode())
    environment = json.loads((run.dir.path / "remote_env.json").read_text())
    assert environment == {"remote_uname": "Linux pod 6.8", "remote_python_version": "3.12.3"}
    assert dict(run.state.pod.remote_env) == environment, "the manifest has it too"
    assert (run.dir.path / "dmesg_tail.txt").read_text() == "line\n"
    assert not (run.dir.path / "nvidia_smi_start.txt").exists(), "an empty part is no snapshot"


def test_no_value_of_the_environment_is_kept() -> None:
    env = {"RUNPOD_DEPLOY_RUN_ID": "r-1", "RUNPOD_API_KEY": "canary"}
    pod = Pod(
        id="p", name="r", status="RUNNING", usd_per_hour=1.0, created_at=None, env=env, raw={"id": "p", "env": env}
    )
    assert without_secrets(pod) == {"id": "p", "env": {"RUNPOD_DEPLOY_RUN_ID": "r-1", "RUNPOD_API_KEY": None}}
