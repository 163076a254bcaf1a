"""All state of one simulated cloud; pods are created, started, stopped, ended and charged here. Knows no HTTP."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from ..clock import now
from ..containers.sandbox import wipe
from ..containers.supervisor import Platform, Supervisor
from ..faults.facts import facts_of_pod, facts_of_spec
from ..faults.fault import Faults
from ..records.bent import billed_price
from ..records.catalogue import Catalogue
from ..records.changes import changed, remakes
from ..records.meter import Meter
from ..records.pod_spec import check_kind, complete
from ..records.pods import ERROR, EXITED, PROVISIONING, TERMINATED, UP, Pod, moved, new_id
from ..records.problems import BALANCE_TOO_LOW, HOST_FULL, Problem, bad, missing
from .lookups import check_registry, template_of, volume_of
from .placement import check_networking, choose

ANSWER_FIRST_S = 0.1
DISK_GB = 20
"""The disk of a pod whose create names none, with the fault disk-optional."""
ALLOWED = {
    "start": (EXITED, ERROR),
    "stop": UP,
    "restart": ("RUNNING",),
    "terminate": (*UP, EXITED, ERROR, TERMINATED),
}


@dataclass(slots=True)
class Cloud:
    """Everything that one simulator holds."""

    platform: Platform
    catalogue: Catalogue
    faults: Faults
    balance_usd: float
    api_key: str = field(default_factory=lambda: f"rpa_{secrets.token_hex(20).upper()}")
    pods: dict[str, Pod] = field(default_factory=dict)
    """All pods ever made, oldest first."""
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    """The meters of network volumes, deleted ones included."""
    billing_lag_s: float = 3600.0
    """Time until a cost appears on a bill; at the live service, days (measured by others 2026-08-30)."""
    ssh_keys: list[str] = field(default_factory=list)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    registries: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    global_volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    supervisors: dict[str, Supervisor] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # Questions.

    def listed(self) -> list[Pod]:
        """The pods that a listing shows, newest first."""
        return [pod for pod in reversed(self.pods.values()) if self._is_visible(pod)]

    def pod(self, pod_id: str) -> Pod:
        """The pod. Raises Problem 404."""
        pod = self.pods.get(pod_id)
        if pod is None or not self._is_visible(pod):
            raise missing("pod")
        return pod

    def left(self) -> list[Pod]:
        """The pods that still exist, stopped ones included."""
        return [pod for pod in self.pods.values() if pod.ended_at is None]

    def billed_usd(self) -> float:
        """All costs until now."""
        at = now()
        meters = [pod.meter for pod in self.pods.values()] + list(self.meters.values())
        return sum(meter.usd(at) for meter in meters)

    def credit_usd(self) -> float:
        """The rest of the balance."""
        return self.balance_usd - self.billed_usd()

    def usd_per_hour(self) -> float:
        """The present cost of all pods."""
        return sum(sum(pod.rates().values()) for pod in self.left())

    # Actions.

    def create(self, body: dict[str, Any]) -> Pod:
        """A new pod, which begins to boot. Raises Problem."""
        spec = complete(self._with_disk(body), template_of(body, self.templates), self.ssh_keys)
        check_kind(spec, self.catalogue)
        check_registry(spec, self.registries)
        place, cuda = choose(spec, volume_of(spec, self.volumes), self.catalogue, self.faults)
        units = spec["gpu"]["count"] if "gpu" in spec else spec["cpu"]["vcpuCount"]
        price = self.catalogue.price(place.kind, spec["cloud"]) * units
        if self.credit_usd() < price:
            raise Problem(402, BALANCE_TOO_LOW)
        pod = Pod(
            id=new_id(),
            spec=spec,
            place=place,
            units=units,
            usd_per_hour=price,
            created_at=now(),
            key=f"rpa_{secrets.token_hex(20).upper()}",
            token=secrets.token_hex(4),
            cuda=cuda,
        )
        return self._add(pod)

    def act(self, pod: Pod, action: str, by: str) -> None:
        """The action is under way. Raises Problem 409 where the status does not allow it."""
        if pod.shown_status not in ALLOWED[action]:
            raise Problem(409, f"cannot {action} a pod with status {pod.shown_status}")
        if pod.spec["locked"] and action in ("stop", "restart"):
            raise Problem(409, f"pod is locked: cannot {action} it")
        match action:
            case "start":
                self._start(pod)
            case "restart":
                self._restart(pod)
            case "stop" if self.faults.on("stop-ignored", facts_of_pod(pod)) is None:
                self._spawn(self.stop(pod, by))
            case "terminate":
                self.delete(pod, by)

    def update(self, pod: Pod, change: dict[str, Any]) -> None:
        """The pod has the changed spec; if it runs, its container is made anew where necessary. Raises Problem."""
        new = changed(pod.spec, change, template_of(change, self.templates))
        check_registry(new, self.registries)
        self._check_networking(pod, new)
        anew = remakes(pod.spec, new)
        pod.spec = new
        pod.meter.set_rates(now(), pod.rates())
        if anew and pod.status in UP:
            self._restart(pod)

    def delete(self, pod: Pod, by: str) -> None:
        """The pod is being ended, unless a fault prevents it; it may stay listed for a while."""
        if pod.ended_at is None and self.faults.on("delete-ignored", facts_of_pod(pod)) is None:
            lags = pod.faults.get("delete-lags", {}).get("seconds", self.platform.pace.leaving_s)
            pod.listed_until, pod.listed_as = now() + lags, pod.status
            self._spawn(self.end(pod, by))

    async def stop(self, pod: Pod, how: str) -> None:
        """The pod is stopped and bills its volume only; the container disk is gone."""
        # The disk is gone before the pod is shown as stopped: a client may start it again at once.
        await self.supervisors[pod.id].remake(self.platform.pace.grace_s)
        if pod.ended_at is None and pod.status in UP:
            self._leave_machine(pod, EXITED)
            pod.how = how
            pod.note(f"Exited by {'user' if how.endswith('stopped') else 'Runpod'}", now())

    async def end(self, pod: Pod, how: str) -> None:
        """The pod is gone for good, and all of its processes."""
        if pod.ended_at is None:
            self._leave_machine(pod, TERMINATED)
            pod.ended_at, pod.how = now(), how
        if how.startswith("self"):
            # A pod that ends itself still gets the answer to its call.
            await asyncio.sleep(ANSWER_FIRST_S)
        await self.supervisors[pod.id].halt(0.0)
        self.supervisors[pod.id].release_ports()
        await asyncio.to_thread(wipe, self.supervisors[pod.id].dir)

    def lose(self, pod: Pod, end_state: str) -> None:
        """The pod's host is lost; end_state is gone, exited, moved or ERROR."""
        if end_state == "moved":
            self._begin(moved(pod, now()))
        if end_state == ERROR:
            self._leave_machine(pod, ERROR)
        elif pod.ended_at is None:
            self._spawn(self.end(pod, "died") if end_state in ("gone", "moved") else self.stop(pod, "died"))

    async def charge(self) -> None:
        """Until it is cancelled, no pod runs on debt: one with a network volume is stopped, another is ended."""
        while True:
            await asyncio.sleep(self.platform.pace.charge_every_s)
            if self.credit_usd() > 0:
                continue
            for pod in self.left():
                if not pod.volume_id():
                    self._spawn(self.end(pod, "balance"))
                elif pod.status in UP:
                    self._spawn(self.stop(pod, "balance"))

    async def close(self) -> None:
        """No pod runs any more, and no process is left."""
        await asyncio.gather(*(self.end(pod, "simulator") for pod in self.left()))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def pause(self) -> None:
        """No process is left; pods, disks and meters are as they were."""
        await asyncio.gather(*(supervisor.halt(self.platform.pace.grace_s) for supervisor in self.supervisors.values()))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def restore(self, pod: Pod) -> None:
        """The saved pod belongs to the cloud again; if it was up, it boots on the disk that it had."""
        self.pods[pod.id] = pod
        self.supervisors[pod.id] = Supervisor(pod, self.platform, self.lose)
        if pod.uses_machine:
            self.catalogue.used[pod.place] += pod.units
            self.supervisors[pod.id].begin()

    def _add(self, pod: Pod) -> Pod:
        pod.faults = self.faults.on_pod(facts_of_pod(pod))
        pod.spec["locked"] = pod.spec["locked"] or "locked" in pod.faults
        pod.spec["name"] = pod.spec["name"][: pod.faults.get("short-name", {}).get("chars")]
        pod.hidden_until = pod.created_at + pod.faults.get("lag", {}).get("seconds", 0.0)
        pod.usd_per_hour = billed_price(pod)
        self._plan(pod, "balance-runs-out", self._end_credit)
        self._plan(pod, "price-changes", lambda: self._change_price(pod))
        return self._begin(pod)

    def _begin(self, pod: Pod) -> Pod:
        self.catalogue.used[pod.place] += pod.units
        self.pods[pod.id] = pod
        self.supervisors[pod.id] = Supervisor(pod, self.platform, self.lose)
        pod.become(PROVISIONING, pod.created_at)
        self.supervisors[pod.id].begin()
        return pod

    def _plan(self, pod: Pod, fault: str, act: Callable[[], None]) -> None:
        """What the fault does will happen at its time after the pod's creation, if the pod has it."""
        if fault in pod.faults:
            asyncio.get_running_loop().call_later(pod.faults[fault]["after_s"], act)

    def _end_credit(self) -> None:
        """The account has no credit left."""
        self.balance_usd = self.billed_usd()

    def _change_price(self, pod: Pod) -> None:
        """The pod costs what its fault says, also when it is started again."""
        pod.usd_per_hour = float(pod.faults["price-changes"]["usd_per_hour"])
        pod.meter.set_rates(now(), pod.rates())

    def _start(self, pod: Pod) -> None:
        if self.faults.on("host-full", facts_of_pod(pod)) or self.catalogue.free(pod.place) < pod.units:
            raise bad(HOST_FULL)
        if self.credit_usd() < pod.usd_per_hour:
            raise Problem(402, BALANCE_TOO_LOW)
        self.catalogue.used[pod.place] += pod.units
        pod.how = None
        pod.stale_port = self.supervisors[pod.id].sshd.port.number
        pod.stale_until = now() + pod.faults.get("stale-address", {}).get("seconds", self.platform.pace.stale_s)
        self.supervisors[pod.id].renew_ports()
        pod.become(PROVISIONING, now())
        pod.note("Rented by User", now())
        self.supervisors[pod.id].begin()

    def _restart(self, pod: Pod) -> None:
        async def again() -> None:
            await self.supervisors[pod.id].remake(self.platform.pace.grace_s)
            if pod.ended_at is None and pod.status in UP:
                self.supervisors[pod.id].begin()

        self._spawn(again())

    def _leave_machine(self, pod: Pod, status: str) -> None:
        if pod.uses_machine:
            self.catalogue.used[pod.place] -= pod.units
        pod.become(status, now())

    def _is_visible(self, pod: Pod) -> bool:
        at = now()
        return pod.hidden_until <= at and (pod.ended_at is None or at < pod.listed_until)

    def _with_disk(self, body: dict[str, Any]) -> dict[str, Any]:
        if "disk" in body or "templateId" in body or not self.faults.on("disk-optional", facts_of_spec(body)):
            return body
        return body | {"disk": DISK_GB}

    def _check_networking(self, pod: Pod, new: dict[str, Any]) -> None:
        """Raises Problem if the pod's new spec wants a global network, which its place does not have."""
        check_networking(new, self.catalogue)
        home = self.catalogue.datacenters.get(pod.place.datacenter or "", {})
        if new["globalNetworking"] and not home.get("globalNetwork"):
            raise bad(f"data center {pod.place.datacenter} does not support global networking")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
