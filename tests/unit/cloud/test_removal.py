"""Ending pods for sure, in memory."""

from __future__ import annotations

import pytest

from runpod_deploy.cloud.removal import WITHIN_S, end, end_all
from runpod_deploy.cloud.values import Candidate, Pod, PodRequest
from runpod_deploy.errors import CloudUnreachable, ReleaseUnconfirmed
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.cloud import FakeCloud


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cloud(clock: FakeClock) -> FakeCloud:
    return FakeCloud(clock)


def rent(cloud: FakeCloud, name: str = "run-1") -> Pod:
    request = PodRequest(
        name=name, image="i", gpu_count=1, container_disk_gb=20, ports=("22/tcp",), env={}, volume_mount="/workspace"
    )
    return cloud.create(request, Candidate(gpu_id="NVIDIA L4", datacenter_id="EU-RO-1", cloud_type="SECURE"))


def test_a_deletion_is_confirmed_only_when_the_pod_is_gone(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    cloud.delete_lag_s = 20
    end(cloud, clock, pod.id, "delete")
    assert cloud.get(pod.id) is None
    assert clock.monotonic() >= 20


def test_a_deletion_that_is_never_confirmed_names_pod_and_price(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    cloud.delete_lag_s = float("inf")
    with pytest.raises(ReleaseUnconfirmed) as caught:
        end(cloud, clock, pod.id, "delete")
    assert caught.value.exit_code == 9
    assert f"POD {pod.id} MAY STILL BE BILLING at $0.40 per hour" in caught.value.message
    assert WITHIN_S <= clock.monotonic() <= WITHIN_S + 5


def test_a_stop_is_confirmed_and_keeps_the_pod(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    end(cloud, clock, pod.id, "stop")
    stopped = cloud.get(pod.id)
    assert stopped is not None and stopped.status == "EXITED"


def test_an_api_that_is_away_for_a_while_does_not_end_the_trying(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)

    def away(where: str) -> None:
        if where == "before delete" and clock.monotonic() < 30:
            raise CloudUnreachable("no connection")

    cloud.on_effect = away
    end(cloud, clock, pod.id, "delete")
    assert cloud.get(pod.id) is None


def test_the_failure_of_one_keeps_none_of_the_others_alive(cloud: FakeCloud, clock: FakeClock) -> None:
    first, second = rent(cloud, "run-1"), rent(cloud, "run-2")

    def never(where: str) -> None:
        if where == "before delete" and cloud.calls[-1] == f"delete {first.id}":
            raise CloudUnreachable("no connection")

    cloud.on_effect = never
    ended = list(end_all(cloud, clock, [first.id, second.id], "delete"))
    assert [bool(one.error) for one in ended] == [True, False]
    assert "no connection" in ended[0].error and cloud.get(second.id) is None
