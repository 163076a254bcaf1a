"""Ending pods for sure, in memory."""

from __future__ import annotations

import pytest

from runpod_deploy.cloud.removal import LOOKS_APART_S, WITHIN_S, NotConfirmed, end, end_all, is_gone, until_confirmed
from runpod_deploy.cloud.values import Candidate, Pod, PodRequest
from runpod_deploy.errors import AuthRefused, CloudUnreachable, ReleaseUnconfirmed
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


def test_one_404_of_a_pod_that_runs_is_not_its_end(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    cloud.lies = {pod.id: 2}
    end(cloud, clock, pod.id, "delete")
    assert cloud.rented[pod.id].deleted_at is not None and cloud.billing == []


def test_a_pod_that_is_gone_is_believed_after_two_looks_and_the_listing(cloud: FakeCloud, clock: FakeClock) -> None:
    pod, _other = rent(cloud), rent(cloud, "run-2")
    cloud.vanish(pod.id)
    end(cloud, clock, pod.id, "delete")
    assert LOOKS_APART_S <= clock.monotonic() <= LOOKS_APART_S + 5


def test_a_listing_that_is_empty_all_of_a_sudden_proves_nothing_at_once(cloud: FakeCloud, clock: FakeClock) -> None:
    pod, other = rent(cloud), rent(cloud, "run-2")
    cloud.vanish(pod.id)
    clock.at(5, lambda: cloud.hidden.add(other.id))
    end(cloud, clock, pod.id, "delete")
    assert clock.monotonic() >= 2 * LOOKS_APART_S, "the empty listing had to be confirmed as well"


def test_a_listing_that_shows_the_pod_refutes_any_number_of_404s(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    cloud.lies = {pod.id: 10**6}
    with pytest.raises(ReleaseUnconfirmed, match="no such pod, but not often enough"):
        end(cloud, clock, pod.id, "delete")


def test_a_pod_that_speaks_refutes_every_answer_of_the_api(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    cloud.lies, cloud.hidden = {pod.id: 10**6}, {pod.id}
    with pytest.raises(NotConfirmed):
        until_confirmed(cloud, clock, pod.id, "stop", answers=lambda: True)


def test_a_key_that_is_refused_for_a_moment_does_not_end_the_trying(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)

    def refuse(where: str) -> None:
        if where == "before delete" and clock.monotonic() < 30:
            raise AuthRefused("403: access denied")

    cloud.on_effect = refuse
    end(cloud, clock, pod.id, "delete")
    assert cloud.billing == []


@pytest.mark.parametrize("why", ["locked", "ERROR"])
def test_a_stop_that_is_refused_for_good_is_said_at_once(cloud: FakeCloud, clock: FakeClock, why: str) -> None:
    pod = rent(cloud)
    if why == "locked":
        cloud.locked.add(pod.id)
    else:
        cloud.fail(pod.id)
    with pytest.raises(ReleaseUnconfirmed, match=why):
        end(cloud, clock, pod.id, "stop")
    assert clock.monotonic() < 5
    end(cloud, clock, pod.id, "delete")


def test_a_pod_is_gone_only_if_looks_and_listings_agree(cloud: FakeCloud, clock: FakeClock) -> None:
    pod = rent(cloud)
    assert not is_gone(cloud, clock, pod.id)
    cloud.lies = {pod.id: 1}
    assert not is_gone(cloud, clock, pod.id)
    cloud.vanish(pod.id)
    assert is_gone(cloud, clock, pod.id)
