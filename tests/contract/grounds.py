"""The clouds on which the `Cloud` protocol is tested: in memory, on the simulator, and on RunPod itself if asked to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from runpod_deploy.cloud.protocol import Cloud
from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.values import Candidate, Pod, PodRequest
from runpod_deploy.config.settings import read_settings
from runpod_deploy.errors import AnswerUnclear
from runpod_deploy.machine.clock import Clock, SystemClock, wait_until
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.cloud import FakeCloud
from tests.support.fakes.simulator import Simulated

IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
LISTED_WITHIN_S = 16.0
"""The longest that a new pod was seen to be missing from the live service's answers (2026)."""
LIVE_PRICE_LIMIT = 0.5
"""The highest price of a GPU that a live run of the suite may rent, in USD per hour."""


class Disturbances(Protocol):
    """The ways to make a cloud fail."""

    def no_stock(self, candidate: Candidate) -> None:
        """This candidate has no stock, whatever the catalogue shows."""

    def lost_create(self) -> None:
        """The next create takes effect, and its answer is lost."""

    def listing_lag(self, seconds: float) -> None:
        """New pods are not listed for that many seconds."""

    def delete_lag(self, seconds: float) -> None:
        """Pods made from now on are listed for that many seconds after they were deleted."""

    def host_full(self) -> None:
        """The GPU of a stopped pod is taken by others."""

    def volume(self, name: str, datacenter_id: str) -> None:
        """There is one more network volume."""


@dataclass
class Ground:
    """One implementation of `Cloud`, with its clock and its ways to fail."""

    cloud: Cloud
    clock: Clock
    disturbances: Disturbances | None
    every_s: float
    boots_within_s: float
    made: list[str] = field(default_factory=list)

    def candidate(self) -> Candidate:
        """The cheapest candidate that can be rented."""
        offers = [offer for offer in self.cloud.catalogue("SECURE", gpu_count=1) if offer.datacenter_id]
        priced = [(offer.usd_per_gpu_hour, offer) for offer in offers if offer.usd_per_gpu_hour is not None]
        plenty = [(price, offer) for price, offer in priced if offer.stock in ("HIGH", "MEDIUM")]
        price, offer = min(plenty or priced, key=lambda pair: pair[0])
        assert self.disturbances or price <= LIVE_PRICE_LIMIT, f"the cheapest GPU costs ${price}/h"
        return Candidate(
            gpu_id=offer.gpu_id,
            datacenter_id=offer.datacenter_id,
            cloud_type=offer.cloud_type,
            usd_per_gpu_hour=price,
        )

    def ask(self) -> PodRequest:
        """The request for a pod with a unique name."""
        name = f"runpod-deploy-contract-{uuid4().hex[:12]}"
        self.made.append(name)
        return PodRequest(
            name=name,
            image=IMAGE,
            gpu_count=1,
            container_disk_gb=20,
            ports=("22/tcp",),
            env={"RUNPOD_DEPLOY_RUN_ID": name},
            volume_mount="/workspace",
            volume_gb=10,
        )

    def seen(self, look: Callable[[], Pod | None], what: str) -> Pod:
        """The first pod that the look returns. Raises TimeoutError."""
        return wait_until(self.clock, look, every_s=self.every_s, within_s=self.boots_within_s, what=what)

    def gone(self, look: Callable[[], object], what: str) -> None:
        """The look finds nothing any more. Raises TimeoutError."""
        wait_until(self.clock, lambda: None if look() else True, every_s=self.every_s, within_s=200, what=what)

    def clean(self) -> None:
        """No pod of this test is left. It waits first, since a new pod may not be listed yet."""
        self.clock.sleep(LISTED_WITHIN_S)
        for name in self.made:
            for pod in self.cloud.find(name):
                self.cloud.delete(pod.id)
            self.gone(partial(self.cloud.find, name), f"the end of {name}")


class FakeDisturbances:
    """The failures of the cloud in memory."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def no_stock(self, candidate: Candidate) -> None:
        self.cloud.sold_out.add((candidate.gpu_id, candidate.datacenter_id))

    def lost_create(self) -> None:
        def on_effect(where: str) -> None:
            if where == "after create":
                self.cloud.on_effect = None
                raise AnswerUnclear("the answer was lost")

        self.cloud.on_effect = on_effect

    def listing_lag(self, seconds: float) -> None:
        self.cloud.listing_lag_s = seconds

    def delete_lag(self, seconds: float) -> None:
        self.cloud.delete_lag_s = seconds

    def host_full(self) -> None:
        self.cloud.host_is_full = True

    def volume(self, name: str, datacenter_id: str) -> None:
        self.cloud.volumes.append((name, f"id{len(self.cloud.volumes)}", datacenter_id))


class SimulatedDisturbances:
    """The failures of the simulator."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated = simulated

    def no_stock(self, candidate: Candidate) -> None:
        where = {"gpu": candidate.gpu_id, "datacenter": candidate.datacenter_id}
        self.simulated.fault(where="POST /v2/pods", what="no-stock", **where)

    def lost_create(self) -> None:
        self.simulated.fault(where="POST /v2/pods", what="effect-then-reset")

    def listing_lag(self, seconds: float) -> None:
        self.simulated.fault(where="pod", what="lag", seconds=seconds)

    def delete_lag(self, seconds: float) -> None:
        self.simulated.fault(where="pod", what="delete-lags", seconds=seconds)

    def host_full(self) -> None:
        self.simulated.fault(where="POST /v2/pods/{id}/action", what="host-full")

    def volume(self, name: str, datacenter_id: str) -> None:
        self.simulated.call("POST", "/v2/network-volumes", {"name": name, "size": 10, "dataCenter": datacenter_id})


def in_memory() -> Ground:
    """The cloud in memory."""
    clock = FakeClock()
    cloud = FakeCloud(clock)
    return Ground(cloud, clock, FakeDisturbances(cloud), every_s=1.0, boots_within_s=60)


def on_simulator(simulated: Simulated, cache_dir: Path) -> Ground:
    """The real client on the simulator."""
    clock = SystemClock()
    cloud = RunPodCloud(simulated.key, simulated.url, clock, cache_dir=cache_dir)
    return Ground(cloud, clock, SimulatedDisturbances(simulated), every_s=0.05, boots_within_s=200)


@contextmanager
def on_runpod(cache_dir: Path) -> Iterator[Ground]:
    """The real client on RunPod. It costs money, so it needs RUNPOD_LIVE=1."""
    if os.environ.get("RUNPOD_LIVE") != "1":
        pytest.skip("costs money: `make live` says how much, and asks")
    settings = read_settings()
    clock = SystemClock()
    cloud = RunPodCloud(settings.api_key, settings.origin, clock, cache_dir=cache_dir)
    yield Ground(cloud, clock, None, every_s=5.0, boots_within_s=900)
