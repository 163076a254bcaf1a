"""A cloud in memory behind the `Cloud` protocol. Knows how pods age; knows no HTTP.

A test sets failures by attributes, or by `on_effect`: a function that is called around every side effect with
`before create`, `after create`, `before delete` and so on, and may raise.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from runpod_deploy.cloud.values import Address, Candidate, Offer, Pod, PodRequest
from runpod_deploy.errors import ConfigError, StockOut
from runpod_deploy.machine.clock import Clock

NO_STOCK = "There are no longer any instances available with the requested specifications."
HOST_FULL = "There are not enough free GPUs on the host machine to start this pod"

OFFERS = tuple(
    Offer(gpu_id=gpu, datacenter_id=datacenter, cloud_type="SECURE", usd_per_gpu_hour=price, stock="HIGH")
    for gpu, price in (("NVIDIA L4", 0.40), ("NVIDIA A40", 0.44), ("NVIDIA L40S", 1.09))
    for datacenter in ("EU-RO-1", "US-TX-3", "EU-SE-1")
)


@dataclass
class Rented:
    """A pod of the fake, and its history."""

    pod: Pod
    up_since: datetime
    """When it was created or last started."""
    deleted_at: datetime | None = None
    history: list[str] = field(default_factory=list)


class FakeCloud:
    """Pods that age with the clock: PROVISIONING, STARTING, RUNNING, and then an address."""

    def __init__(self, clock: Clock, on_effect: Callable[[str], None] | None = None) -> None:
        self.clock = clock
        self.on_effect = on_effect
        self.offers: list[Offer] = list(OFFERS)
        self.sold_out: set[tuple[str, str]] = set()
        """(gpu_id, datacenter_id) that the catalogue shows in stock and that create refuses."""
        self.dead_hosts: set[str] = set()
        """Datacenters whose pods never get past PROVISIONING."""
        self.volumes: list[tuple[str, str, str]] = []
        """Name, id and datacenter of each network volume."""
        self.placing_s, self.starting_s, self.address_s = 5.0, 20.0, 25.0
        """Seconds after its creation at which a pod is placed, is RUNNING, and has its port mapped."""
        self.listing_lag_s = 0.0
        """Seconds for which a new pod is missing from every answer except that of its create call."""
        self.delete_lag_s = 0.0
        """Seconds for which a deleted pod is still shown; if infinite, deletes are ignored."""
        self.host_is_full = False
        """Whether a stopped pod finds its GPU taken."""
        self.address = Address(host="127.0.0.1", port=22)
        self.rented: dict[str, Rented] = {}
        self.calls: list[str] = []
        """Every call, `create NAME`, `delete ID` and so on, in order."""

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """The offers of that cloud."""
        self.calls.append(f"catalogue {cloud_type}")
        return [offer for offer in self.offers if offer.cloud_type == cloud_type]

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A pod, PROVISIONING. Raises StockOut."""
        self.calls.append(f"create {request.name}")
        self._effect("before create")
        if (candidate.gpu_id, candidate.datacenter_id) in self.sold_out:
            raise StockOut(f"{candidate.gpu_id} in {candidate.datacenter_id}: {NO_STOCK}")
        pod = self._place(request, candidate)
        self._effect("after create")
        return pod

    def find(self, name: str) -> list[Pod]:
        """The listed pods of that name, newest first."""
        self.calls.append(f"find {name}")
        return [pod for pod in self.list_pods() if pod.name == name]

    def list_pods(self) -> list[Pod]:
        """Every listed pod, newest first."""
        shown = [self._aged(rented) for rented in self.rented.values() if self._listed(rented)]
        return [pod for pod in reversed(shown) if pod is not None]

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as listed. Nothing is shared here, so every look is a fresh one."""
        self.calls.append(f"look {pod_id}")
        return next((pod for pod in self.list_pods() if pod.id == pod_id), None)

    def get(self, pod_id: str) -> Pod | None:
        """The pod as it is now, or None."""
        self.calls.append(f"get {pod_id}")
        rented = self.rented.get(pod_id)
        return self._aged(rented) if rented is not None and self._listed(rented) else None

    def boot_stage(self, pod: Pod) -> str:
        """placing, image_pull, starting or sshd."""
        if pod.status == "PROVISIONING":
            return "placing"
        if pod.status == "STARTING":
            return "image_pull"
        return "sshd" if pod.address else "starting"

    def start(self, pod_id: str) -> Pod:
        """The pod on its way up. Raises StockOut if its host is full."""
        self.calls.append(f"start {pod_id}")
        self._effect("before start")
        if self.get(pod_id) is None or self.host_is_full:
            raise StockOut(HOST_FULL)
        rented = self.rented[pod_id]
        if rented.pod.status == "EXITED":
            rented.pod, rented.up_since = replace(rented.pod, status="STARTING"), self.clock.now()
            rented.history.append("start")
        self._effect("after start")
        return self._required_aged(pod_id)

    def stop(self, pod_id: str) -> None:
        """The pod is EXITED, if there is one that is known already."""
        self.calls.append(f"stop {pod_id}")
        self._effect("before stop")
        if (rented := self.rented.get(pod_id)) is not None and self._listed(rented):
            rented.pod = replace(rented.pod, status="EXITED")
            rented.history.append("stop")
        self._effect("after stop")

    def delete(self, pod_id: str) -> None:
        """The pod is gone after the delete lag, if there is one that is known already."""
        self.calls.append(f"delete {pod_id}")
        self._effect("before delete")
        rented = self.rented.get(pod_id)
        if rented is not None and self._listed(rented) and rented.deleted_at is None:
            rented.deleted_at = self.clock.now()
            rented.history.append("delete")
        self._effect("after delete")

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one volume of that name. Raises ConfigError on none or several."""
        self.calls.append(f"volume {name}")
        found = [(volume_id, datacenter) for known, volume_id, datacenter in self.volumes if known == name]
        if len(found) != 1:
            raise ConfigError(f"{len(found)} network volumes are named {name!r}")
        return found[0]

    def vanish(self, pod_id: str) -> None:
        """The pod is lost with its host; no call of ours asked for it."""
        self._required(pod_id).deleted_at = datetime.min.replace(tzinfo=self.clock.now().tzinfo)

    def exit(self, pod_id: str) -> None:
        """The pod was stopped; no call of ours asked for it."""
        rented = self._required(pod_id)
        rented.pod = replace(rented.pod, status="EXITED")

    @property
    def billing(self) -> list[Pod]:
        """The pods that bill now: all that are neither stopped nor gone."""
        aged = [self._aged(rented) for rented in self.rented.values()]
        return [pod for pod in aged if pod is not None and pod.status != "EXITED"]

    @property
    def created(self) -> list[str]:
        """Names of all pods that were ever created, in order."""
        return [rented.pod.name for rented in self.rented.values()]

    def _effect(self, where: str) -> None:
        if self.on_effect:
            self.on_effect(where)

    def _place(self, request: PodRequest, candidate: Candidate) -> Pod:
        pod = Pod(
            id=pod_id(len(self.rented)),
            name=request.name,
            status="PROVISIONING",
            usd_per_hour=self._usd_per_hour(request, candidate),
            created_at=self.clock.now(),
            gpu_id=candidate.gpu_id,
            gpu_count=request.gpu_count,
            datacenter_id=candidate.datacenter_id,
            cloud_type=candidate.cloud_type,
            image=request.image,
            env=dict(request.env),
            volume_gb=request.volume_gb,
            container_disk_gb=request.container_disk_gb,
            network_volume_id=request.network_volume_id,
        )
        self.rented[pod.id] = Rented(pod, self.clock.now(), history=["create"])
        return pod

    def _usd_per_hour(self, request: PodRequest, candidate: Candidate) -> float | None:
        wanted = (candidate.gpu_id, candidate.datacenter_id)
        prices = [
            offer.usd_per_gpu_hour
            for offer in self.offers
            if (offer.gpu_id, offer.datacenter_id) == wanted and offer.usd_per_gpu_hour is not None
        ]
        return prices[0] * request.gpu_count if prices else None

    def _listed(self, rented: Rented) -> bool:
        created_at = rented.pod.created_at
        assert created_at is not None
        return (self.clock.now() - created_at).total_seconds() >= self.listing_lag_s

    def _aged(self, rented: Rented) -> Pod | None:
        """The pod at its present age; None once it is gone."""
        now = self.clock.now()
        if rented.deleted_at is not None and (now - rented.deleted_at).total_seconds() >= self.delete_lag_s:
            return None
        if rented.pod.status == "EXITED":
            return rented.pod
        return self._booted(rented.pod, (now - rented.up_since).total_seconds())

    def _booted(self, pod: Pod, up_s: float) -> Pod:
        if pod.datacenter_id in self.dead_hosts or up_s < self.placing_s:
            return pod
        if up_s < self.starting_s:
            return replace(pod, status="STARTING")
        running = replace(pod, status="RUNNING")
        if up_s < self.address_s:
            return running
        return replace(running, address=self.address, uptime_s=int(up_s - self.starting_s))

    def _required(self, pod_id: str) -> Rented:
        if pod_id not in self.rented or self._aged(self.rented[pod_id]) is None:
            raise ConfigError(f"pod {pod_id}: pod not found")
        return self.rented[pod_id]

    def _required_aged(self, pod_id: str) -> Pod:
        pod = self._aged(self._required(pod_id))
        assert pod is not None
        return pod


def pod_id(number: int) -> str:
    """A pod id as RunPod makes them: 14 lower-case letters and digits."""
    letters = string.ascii_lowercase
    return f"pod{letters[number // 26 % 26]}{letters[number % 26]}{number:09d}"
