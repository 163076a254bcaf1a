"""The promises of the `Cloud` protocol, tested on each implementation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Pod
from runpod_deploy.errors import AnswerUnclear, ConfigError, StockOut
from tests.contract.grounds import Disturbances, Ground, in_memory, on_runpod, on_simulator
from tests.support.fakes.simulator import Simulated, simulator

STAGES = ("placing", "image_pull", "starting", "sshd")

pytestmark = pytest.mark.timeout(1800 if os.environ.get("RUNPOD_LIVE") == "1" else 400)


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulated]:
    """One simulator for the whole suite."""
    with simulator() as running:
        yield running


@pytest.fixture(params=["in_memory", "on_simulator", "on_runpod"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Each implementation in turn; no pod of the test is left on it."""
    match request.param:
        case "in_memory":
            yield in_memory()
        case "on_simulator":
            simulated: Simulated = request.getfixturevalue("simulated")
            yield on_simulator(simulated, tmp_path)
            simulated.reset()
        case _:
            with on_runpod(tmp_path) as live:
                yield live
                live.clean()


@pytest.fixture
def disturbances(ground: Ground) -> Disturbances:
    """The ways to make this cloud fail."""
    if ground.disturbances is None:
        pytest.skip("it does not fail on demand")
    return ground.disturbances


def rented(ground: Ground) -> Pod:
    return ground.cloud.create(ground.ask(), ground.candidate())


def running(ground: Ground, pod_id: str) -> Pod:
    def look() -> Pod | None:
        pod = ground.cloud.get(pod_id)
        return pod if pod and pod.address and pod.uptime_s is not None else None

    return ground.seen(look, "the address")


def test_the_catalogue_names_price_and_stock(ground: Ground) -> None:
    offers = ground.cloud.catalogue("SECURE", gpu_count=1)
    assert any(offer.usd_per_gpu_hour and offer.stock == "HIGH" and offer.datacenter_id for offer in offers)
    assert all(offer.cloud_type == "SECURE" and offer.gpu_id != "unknown" for offer in offers)


def test_a_pod_from_its_creation_to_its_end(ground: Ground) -> None:
    ask = ground.ask()
    made = ground.cloud.create(ask, candidate := ground.candidate())
    assert made.name == ask.name and made.id
    assert made.usd_per_hour and made.created_at and made.created_at.tzinfo
    found = ground.seen(lambda: next(iter(ground.cloud.find(ask.name)), None), "the pod in the listing")
    assert (found.id, found.env["RUNPOD_DEPLOY_RUN_ID"]) == (made.id, ask.name)
    up = running(ground, made.id)
    assert (up.status, up.gpu_id, up.datacenter_id) == ("RUNNING", candidate.gpu_id, candidate.datacenter_id)
    assert (up.volume_gb, up.container_disk_gb, up.image) == (10, 20, ask.image)
    assert ground.cloud.boot_stage(up) == "sshd"
    assert ground.seen(lambda: ground.cloud.look(made.id, 0.0), "the pod in a shared look").id == made.id
    ground.cloud.delete(made.id)
    ground.gone(lambda: ground.cloud.get(made.id), "the end of the pod")
    ground.gone(lambda: ground.cloud.find(ask.name), "the end of the pod in the listing")
    ground.cloud.delete(made.id)


def test_a_pod_is_found_by_its_token_whatever_its_name_is(ground: Ground) -> None:
    ask = ground.ask()
    token = {"RUNPOD_DEPLOY_RUN_TOKEN": f"token of {ask.name}"}
    made = ground.cloud.create(replace(ask, env={**ask.env, **token}), ground.candidate())
    mark = token["RUNPOD_DEPLOY_RUN_TOKEN"]
    found = ground.seen(lambda: next(iter(ground.cloud.find("any name", mark)), None), "the pod in the listing")
    assert found.id == made.id
    assert ground.cloud.find(ask.name) == [] and ground.cloud.find(ask.name, "another token") == []
    assert ground.cloud.delete(made.id)
    ground.gone(lambda: ground.cloud.get(made.id), "the end of the pod")
    assert not ground.cloud.delete(made.id) and not ground.cloud.stop(made.id)


def test_a_pod_that_boots_is_in_one_of_the_stages(ground: Ground) -> None:
    assert ground.cloud.boot_stage(rented(ground)) in STAGES


def test_a_stopped_pod_starts_again(ground: Ground) -> None:
    pod = rented(ground)
    running(ground, pod.id)
    ground.cloud.stop(pod.id)
    stopped = ground.seen(lambda: at_rest(ground, pod.id), "the stop")
    assert stopped.address is None
    ground.cloud.stop(pod.id)
    assert ground.cloud.start(pod.id).id == pod.id
    running(ground, pod.id)
    assert ground.cloud.start(pod.id).status == "RUNNING"


def at_rest(ground: Ground, pod_id: str) -> Pod | None:
    pod = ground.cloud.get(pod_id)
    return pod if pod and pod.status == "EXITED" else None


def test_what_does_not_exist_is_none_and_no_error(ground: Ground) -> None:
    assert ground.cloud.get("doesnotexist00") is None
    assert ground.cloud.look("doesnotexist00", 60.0) is None
    assert ground.cloud.find("no pod has this name") == []
    ground.cloud.stop("doesnotexist00")
    ground.cloud.delete("doesnotexist00")
    with pytest.raises(StockOut):
        ground.cloud.start("doesnotexist00")
    with pytest.raises(ConfigError):
        ground.cloud.volume("no volume has this name")


def test_no_stock_is_said_at_the_create_and_no_pod_is_made(ground: Ground, disturbances: Disturbances) -> None:
    candidate, ask = ground.candidate(), ground.ask()
    disturbances.no_stock(candidate)
    with pytest.raises(StockOut):
        ground.cloud.create(ask, candidate)
    assert ground.cloud.find(ask.name) == []


def test_a_pod_whose_create_was_not_answered_is_found_by_its_name(ground: Ground, disturbances: Disturbances) -> None:
    ask = ground.ask()
    disturbances.lost_create()
    with pytest.raises(AnswerUnclear):
        ground.cloud.create(ask, ground.candidate())
    assert len(ground.cloud.find(ask.name)) == 1


def test_a_listing_may_lag_behind_a_create(ground: Ground, disturbances: Disturbances) -> None:
    disturbances.listing_lag(1.0)
    pod = rented(ground)
    assert ground.cloud.find(pod.name) == []
    ground.cloud.delete(pod.id)
    ground.seen(lambda: next(iter(ground.cloud.find(pod.name)), None), "the pod in the listing")


def test_a_deleted_pod_may_be_shown_for_a_while(ground: Ground, disturbances: Disturbances) -> None:
    disturbances.delete_lag(1.0)
    pod = rented(ground)
    ground.cloud.delete(pod.id)
    assert ground.cloud.get(pod.id) is not None
    ground.gone(lambda: ground.cloud.get(pod.id), "the end of the pod")


def test_a_stopped_pod_may_find_its_host_full(ground: Ground, disturbances: Disturbances) -> None:
    pod = rented(ground)
    running(ground, pod.id)
    ground.cloud.stop(pod.id)
    ground.seen(lambda: at_rest(ground, pod.id), "the stop")
    disturbances.host_full()
    with pytest.raises(StockOut):
        ground.cloud.start(pod.id)
    assert at_rest(ground, pod.id) is not None


def test_two_pods_of_one_name_are_both_found_newest_first(ground: Ground, disturbances: Disturbances) -> None:
    ask, candidate = ground.ask(), ground.candidate()
    first = ground.cloud.create(ask, candidate)
    ground.clock.sleep(0.01)
    second = ground.cloud.create(ask, candidate)
    assert [pod.id for pod in ground.cloud.find(ask.name)] == [second.id, first.id]


def test_a_volume_is_known_by_a_name_that_is_its_own(ground: Ground, disturbances: Disturbances) -> None:
    disturbances.volume("data", "EU-RO-1")
    disturbances.volume("twice", "EU-RO-1")
    disturbances.volume("twice", "US-TX-3")
    assert ground.cloud.volume("data")[1] == "EU-RO-1"
    with pytest.raises(ConfigError):
        ground.cloud.volume("twice")
