"""What a pod's host says while it boots: it is kept, and a boot that cannot succeed ends soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases.host_log import kept_lines
from runpod_deploy.record import events as e
from tests.support.worlds import Memory

NOT_FOUND = "error pulling image: manifest for runpod/pytorch:1.0 not found: manifest unknown"
FULL = "error pulling image: write /usr/lib/x.so: no space left on device"


def test_an_image_that_no_host_can_run_ends_the_run_at_once(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1"}
    world.cloud.host_says = ["create container", NOT_FOUND]
    state = carry_out(world.open())
    assert state.failure and (state.failure.kind, state.exit_code) == ("image", 2)
    assert NOT_FOUND in state.failure.message and "there is no such image" in state.failure.message
    assert len(world.cloud.created) == 1 and world.cloud.billing == [] and world.clock.monotonic() < 60
    kept = [event for event in world.events if isinstance(event, e.HostLogKept)]
    assert kept[0].lines == ("create container", NOT_FOUND)
    assert [line.text for line in kept_lines(world.dir)] == ["create container", NOT_FOUND]


def test_a_host_that_cannot_start_the_container_is_left_for_another_soon(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1"}
    world.cloud.host_says = [FULL]
    world.clock.at(14.0, world.cloud.host_says.clear)
    state = carry_out(world.open())
    assert (state.outcome, state.pod.datacenter_id) == ("succeeded", "US-TX-3")
    abandoned = [event for event in world.events if isinstance(event, e.PodAbandoned)]
    assert len(abandoned) == 1 and "cannot start on its host" in abandoned[0].reason


def test_trouble_that_passes_does_not_end_the_boot(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.host_says = [FULL]
    world.clock.at(6.0, lambda: world.cloud.host_says.append("1.0 Pulling from runpod/pytorch"))
    state = carry_out(world.open())
    assert (state.outcome, len(world.cloud.created)) == ("succeeded", 1)


def test_a_boot_that_takes_too_long_ends_with_the_last_words_of_the_host(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.dead_hosts = {"EU-RO-1", "US-TX-3"}
    world.cloud.host_says = ["worker is ready"]
    state = carry_out(world.open())
    assert state.failure and state.failure.kind == "boot_timeout"
    assert "its host says last: worker is ready" in state.failure.message


def test_a_pod_without_a_public_ssh_port_is_named_as_that(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.address_s = 1e9
    world.cloud.delivers = {name: {"uptime_s": 3} for name in ("EU-RO-1", "US-TX-3")}
    state = carry_out(world.open())
    assert state.failure and "RunPod shows no public address for its SSH port" in state.failure.message


@pytest.mark.parametrize("looks", [1, 2])
def test_a_pod_that_is_missing_for_a_moment_is_not_given_up(tmp_path: Path, looks: int) -> None:
    world = Memory(tmp_path)

    def hide() -> None:
        pod_id = next(iter(world.cloud.rented))
        world.cloud.hidden.add(pod_id)
        world.cloud.lies[pod_id] = looks

    world.clock.at(8.0, hide)
    world.clock.at(15.0, world.cloud.hidden.clear)
    state = carry_out(world.open())
    assert (state.outcome, len(world.cloud.created)) == ("succeeded", 1)


def test_a_pod_without_an_uptime_boots(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.delivers = {"EU-RO-1": {"uptime_s": None}}
    assert carry_out(world.open()).outcome == "succeeded"


def test_a_pod_that_no_listing_shows_is_asked_for_by_its_id(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.clock.at(0.1, lambda: world.cloud.hidden.update(world.cloud.rented))
    world.clock.at(40.0, world.cloud.hidden.clear)
    state = carry_out(world.open())
    assert (state.outcome, len(world.cloud.created)) == ("succeeded", 1)
    booted = next(event for event in world.events if isinstance(event, e.PodReachable))
    assert (booted.ts_utc - world.events[0].ts_utc).total_seconds() < 40
