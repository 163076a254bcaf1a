"""A cloud in memory behind the `Cloud` protocol. Knows how pods age; knows no HTTP.

A test sets failures by attributes, or by `on_effect`: a function that is called around every side effect with
`before create`, `after create`, `before delete` and so on, and may raise.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runpod_deploy.cloud.pod_search import pods_of_run, pods_with_id
from runpod_deploy.cloud.runpod.key import proof
from runpod_deploy.cloud.values import Address, Candidate, LogLine, Offer, Pod, PodRequest
from runpod_deploy.errors import AnswerUnclear, ConfigError, DeployError, StockOut
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
    account: str = "account-1"
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
        self.late_create_s: float | None = None
        """If set, a create is answered by nothing clear at once, and its pod comes into being this much later."""
        self.lies: dict[str, int] = {}
        """For each pod id, how many of the next answers to `get` and `delete` are 404 although the pod lives."""
        self.hidden: set[str] = set()
        """Pods that are missing from every listing."""
        self.locked: set[str] = set()
        """Pods whose stop is refused with 409."""
        self.name_chars: int | None = None
        """The number of characters to which the API shortens the names of pods."""
        self.owner = "account-1"
        """The account of the key that is used from now on: another account's pods do not exist for it."""
        self.key = "key-1"
        self.credit: float | None = None
        """The account's balance; None if the key may not read it."""
        self.host_says: list[str] = []
        """The lines in the host's log of every pod."""
        self.delivers: dict[str, dict[str, Any]] = {}
        """By datacenter: the fields of `Pod` in which what is delivered differs from what was asked for."""
        self.refusal: DeployError | None = None
        """The answer to every call while it is set: a gateway's refusal, a key that is just being changed."""
        self.host_is_full = False
        """Whether a stopped pod finds its GPU taken."""
        self.address = Address(host="127.0.0.1", port=22)
        self.rented: dict[str, Rented] = {}
        self.calls: list[str] = []
        """Every call, `create NAME`, `delete ID` and so on, in order."""

    @property
    def account(self) -> str:
        """The hash of the key."""
        return self.key

    def proof(self, words: str) -> str:
        """A keyed hash of the words."""
        return proof(self.key, words)

    def change_key(self, key: str, owner: str = "account-1") -> None:
        """From now on this key is used, which belongs to that account."""
        self.key, self.owner = key, owner

    def bounded(self, within_s: float) -> AbstractContextManager[None]:
        """Every call is answered at once."""
        return nullcontext()

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False, vcpu_count: int = 2) -> list[Offer]:
        """The offers of that cloud."""
        self._call(f"catalogue {cloud_type}")
        return [offer for offer in self.offers if offer.cloud_type == cloud_type]

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A pod, PROVISIONING. Raises StockOut."""
        self._call(f"create {request.name}")
        self._effect("before create")
        if (candidate.gpu_id, candidate.datacenter_id) in self.sold_out:
            raise StockOut(f"{candidate.gpu_id} in {candidate.datacenter_id}: {NO_STOCK}")
        pod = self._place(request, candidate)
        self._effect("after create")
        if self.late_create_s is not None:
            raise AnswerUnclear("504: no answer in time")
        return pod

    def find(self, name: str, token: str = "") -> list[Pod]:
        """The listed pods with that token, or with that name and no token, newest first."""
        self._call(f"find {name}")
        return pods_of_run(self.list_pods(), lambda _pod_id: None, name=name, token=token)

    def find_id(self, run_id: str, max_age_s: float = 0.0) -> list[Pod]:
        """The listed pods with that run id and a token, newest first."""
        self._call(f"find_id {run_id}")
        return pods_with_id(self.list_pods(), lambda _pod_id: None, run_id)

    def list_pods(self) -> list[Pod]:
        """Every listed pod, newest first."""
        if self.refusal is not None:
            raise self.refusal
        rows = [rented for rented in self.rented.values() if rented.pod.id not in self.hidden]
        shown = [self._aged(rented) for rented in rows if self._listed(rented)]
        return [pod for pod in reversed(shown) if pod is not None]

    def look(self, pod_id: str, max_age_s: float) -> Pod | None:
        """The pod as listed. Nothing is shared here, so every look is a fresh one."""
        self._call(f"look {pod_id}")
        return next((pod for pod in self.list_pods() if pod.id == pod_id), None)

    def get(self, pod_id: str) -> Pod | None:
        """The pod as it is now, or None."""
        self._call(f"get {pod_id}")
        return None if self._lies_about(pod_id) else self._seen(pod_id)

    def host_log(self, pod_id: str, *, fresh: bool = False) -> list[LogLine]:
        """What the hosts say."""
        return [LogLine(at=str(number), source="system", text=text) for number, text in enumerate(self.host_says)]

    def credit_usd(self) -> float | None:
        """The account's balance."""
        return self.credit

    def boot_stage(self, pod: Pod) -> str:
        """placing, image_pull, starting or sshd."""
        if pod.status == "PROVISIONING":
            return "placing"
        if pod.status == "STARTING":
            return "image_pull"
        return "sshd" if pod.address else "starting"

    def start(self, pod_id: str) -> Pod:
        """The pod on its way up. Raises StockOut if its host is full."""
        self._call(f"start {pod_id}")
        self._effect("before start")
        if self.get(pod_id) is None or self.host_is_full:
            raise StockOut(HOST_FULL)
        rented = self.rented[pod_id]
        if rented.pod.status == "EXITED":
            differs = self.delivers.get(rented.pod.datacenter_id or "", {})
            rented.pod, rented.up_since = (
                replace(rented.pod, status="STARTING", started_at=self.clock.now(), **differs),
                self.clock.now(),
            )
            rented.history.append("start")
        self._effect("after start")
        return self._required_aged(pod_id)

    def stop(self, pod_id: str) -> bool:
        """The pod is EXITED, if there is one that is known already. Raises ConfigError if the API allows no stop."""
        self._call(f"stop {pod_id}")
        self._effect("before stop")
        if known := (pod := self._seen(pod_id)) is not None:
            assert pod is not None
            if pod_id in self.locked or pod.status == "ERROR":
                raise ConfigError(f"409: cannot stop pod {pod_id}: it is {'locked' if pod.locked else pod.status}")
            self.rented[pod_id].pod = replace(self.rented[pod_id].pod, status="EXITED")
            self.rented[pod_id].history.append("stop")
        self._effect("after stop")
        return known

    def delete(self, pod_id: str) -> bool:
        """The pod is gone after the delete lag, if there is one that is known already."""
        self._call(f"delete {pod_id}")
        self._effect("before delete")
        known = not self._lies_about(pod_id) and self._seen(pod_id) is not None
        if known and self.rented[pod_id].deleted_at is None:
            self.rented[pod_id].deleted_at = self.clock.now()
            self.rented[pod_id].history.append("delete")
        self._effect("after delete")
        return known

    def volume(self, name: str) -> tuple[str, str]:
        """Id and datacenter of the one volume of that name. Raises ConfigError on none or several."""
        self._call(f"volume {name}")
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

    def fail(self, pod_id: str) -> None:
        """The pod is in the status ERROR, for example because its host is broken."""
        rented = self._required(pod_id)
        rented.pod = replace(rented.pod, status="ERROR")

    def migrate(self, old_id: str) -> Pod:
        """The pod has ended, and goes on as a new pod with the same environment; nobody is told."""
        rented, now = self._required(old_id), self.clock.now()
        self.vanish(old_id)
        new_id = pod_id(len(self.rented))
        pod = replace(rented.pod, id=new_id, status="PROVISIONING", created_at=now, started_at=None)
        self.rented[new_id] = Rented(pod, now, account=rented.account)
        return pod

    def add_foreign(self, name: str, env: dict[str, str] | None = None, **changes: Any) -> Pod:
        """A pod that no run of the test requested, up since now."""
        pod = Pod(
            id=pod_id(len(self.rented)),
            name=name,
            status="PROVISIONING",
            usd_per_hour=0.4,
            created_at=self.clock.now(),
            env=env or {},
        )
        pod = replace(pod, **changes)
        self.rented[pod.id] = Rented(pod, self.clock.now(), account=self.owner)
        return pod

    @property
    def billing(self) -> list[Pod]:
        """The pods that bill now: all that are neither stopped nor gone."""
        aged = [self._aged(rented) for rented in self.rented.values() if rented.up_since <= self.clock.now()]
        return [pod for pod in aged if pod is not None and pod.status != "EXITED"]

    @property
    def created(self) -> list[str]:
        """Names of all pods that were ever created, in order."""
        return [rented.pod.name for rented in self.rented.values()]

    def _effect(self, where: str) -> None:
        if self.on_effect:
            self.on_effect(where)

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.refusal is not None:
            raise self.refusal

    def _place(self, request: PodRequest, candidate: Candidate) -> Pod:
        begins_at = self.clock.now() + timedelta(seconds=self.late_create_s or 0.0)
        pod = Pod(
            id=pod_id(len(self.rented)),
            name=request.name[: self.name_chars],
            status="PROVISIONING",
            usd_per_hour=self._usd_per_hour(request, candidate),
            created_at=begins_at,
            gpu_id=candidate.gpu_id,
            gpu_count=request.gpu_count,
            datacenter_id=candidate.datacenter_id,
            cloud_type=candidate.cloud_type,
            image=request.image,
            env=dict(request.env),
            volume_gb=request.volume_gb,
            container_disk_gb=request.container_disk_gb,
            network_volume_id=request.network_volume_id,
            volume_mount=request.volume_mount,
            ports=request.ports,
            registry=request.registry_auth,
        )
        pod = replace(pod, **self.delivers.get(candidate.datacenter_id, {}))
        self.rented[pod.id] = Rented(pod, begins_at, account=self.owner, history=["create"])
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
        if rented.account != self.owner or self.clock.now() < created_at:
            return False
        return (self.clock.now() - created_at).total_seconds() >= self._listed_after_s(rented)

    def _listed_after_s(self, _rented: Rented) -> float:
        """The age from which a listing has the pod."""
        return self.listing_lag_s

    def _aged(self, rented: Rented) -> Pod | None:
        """The pod at its present age; None once it is gone."""
        now = self.clock.now()
        if rented.deleted_at is not None and (now - rented.deleted_at).total_seconds() >= self.delete_lag_s:
            return None
        shown = replace(rented.pod, locked=rented.pod.id in self.locked)
        if shown.status in ("EXITED", "ERROR"):
            return replace(shown, address=None, uptime_s=None)
        return self._booted(shown, (now - rented.up_since).total_seconds())

    def _booted(self, pod: Pod, up_s: float) -> Pod:
        if pod.datacenter_id in self.dead_hosts or up_s < self.placing_s:
            return pod
        if up_s < self.starting_s:
            return replace(pod, status="STARTING")
        running = replace(pod, status="RUNNING")
        if up_s < self.address_s:
            return running
        return replace(running, address=self.address, uptime_s=int(up_s - self.starting_s))

    def _seen(self, pod_id: str) -> Pod | None:
        """The pod as the API knows it; None if it does not, yet or any more."""
        rented = self.rented.get(pod_id)
        return self._aged(rented) if rented is not None and self._listed(rented) else None

    def _lies_about(self, pod_id: str) -> bool:
        """Whether this answer is 404 although the pod may live."""
        left = self.lies.get(pod_id, 0)
        self.lies[pod_id] = max(0, left - 1)
        return left > 0

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
