"""The cloud of a storm: the cloud in memory with a meter, insides of pods, and outages. Knows no process of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runpod_deploy.cloud.removal import LOOKS_APART_S
from runpod_deploy.cloud.values import Address, Candidate, Pod, PodRequest
from runpod_deploy.errors import BalanceSpent, ConfigError
from runpod_deploy.money import Disks
from tests.storm.history import History
from tests.storm.pods import Inside, Volume
from tests.support.fakes.clock import START, FakeClock
from tests.support.fakes.cloud import FakeCloud, Rented
from tests.support.fakes.guard import Terms

FIRST_PORT = 10_000


@dataclass
class Span:
    """A time in which a pod billed."""

    pod_id: str
    usd_per_hour: float
    from_s: float
    to_s: float | None = None

    def usd(self, now_s: float) -> float:
        """What it has cost until now."""
        return self.usd_per_hour * ((now_s if self.to_s is None else self.to_s) - self.from_s) / 3600


class StormCloud(FakeCloud):
    """The account: pods with their insides, the meter, and when nothing answers."""

    def __init__(self, clock: FakeClock, history: History) -> None:
        super().__init__(clock)
        self.memory_clock, self.history = clock, history
        weather = history.weather
        self.placing_s, self.starting_s, self.address_s = (weather.boot_s * part for part in (0.2, 0.8, 1.0))
        self.listing_lag_s, self.delete_lag_s = weather.listing_lag_s, weather.delete_lag_s
        self.dead_hosts, self.sold_out = set(weather.dead), set(weather.sold_out)
        self.volumes = [("shared", "vol0", "EU-RO-1")]
        self.shared = Volume()
        self.insides: dict[str, Inside] = {}
        self.spans: list[Span] = []
        self.broke = False
        """Whether the balance is used up."""
        self.coming: list[PodRequest] = []
        """The pods that a create call will still place."""
        self.guard_deletes: list[str] = []
        self.migrated: dict[str, str] = {}
        """The former id of each pod that was moved to a new one."""
        self.on_change: Callable[[str, str], None] = lambda what, pod_id: None
        """Called with each change of a pod, and its id."""

    def take_over(self, other: StormCloud) -> None:
        """The pods of the other cloud are in this one."""
        self.rented |= other.rented
        for pod_id, inside in other.insides.items():
            self.insides[pod_id] = replace(inside, job=self.history.job, api=partial(self.guard_asks, pod_id))
        self.spans += other.spans

    def out(self, what: str) -> bool:
        """Whether the API, or SSH, does not answer now."""
        now_s = self.memory_clock.monotonic()
        return any(o.what == what and o.at_s <= now_s < o.at_s + o.for_s for o in self.history.weather.outages)

    def place(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A pod of somebody else."""
        return self._place(request, candidate)

    def place_late(self, request: PodRequest, candidate: Candidate, in_s: float) -> None:
        """The pod will exist in so many seconds, although nobody hears of it."""
        self.coming.append(request)

        def place() -> None:
            self.coming.remove(request)
            self._place(request, candidate)

        self.memory_clock.at(self.memory_clock.monotonic() + in_s, place)

    def _place(self, request: PodRequest, candidate: Candidate) -> Pod:
        pod = super()._place(request, candidate)
        pod = self.rented[pod.id].pod = self.priced(pod)
        self.insides[pod.id] = self.inside_of(pod, request)
        self.goes_up(pod.id)
        self.on_change("create", pod.id)
        return pod

    def priced(self, pod: Pod) -> Pod:
        """The pod at the price that the weather makes of the catalogue's."""
        listed = next(o for o in self.offers if (o.gpu_id, o.datacenter_id) == (pod.gpu_id, pod.datacenter_id))
        assert listed.usd_per_gpu_hour is not None
        return replace(pod, usd_per_hour=listed.usd_per_gpu_hour * (pod.gpu_count or 1) * self.history.weather.price)

    def told(self, pod: Pod) -> Pod:
        """The pod as the API tells it."""
        return replace(pod, **dict.fromkeys(self.history.weather.untold))  # type: ignore[arg-type]

    def create(self, request: PodRequest, candidate: Candidate) -> Pod:
        """A pod. Raises StockOut, BalanceSpent."""
        self.pays()
        return self.told(super().create(request, candidate))

    def pays(self) -> None:
        """Returns while there is credit. Raises BalanceSpent."""
        if self.broke:
            raise BalanceSpent("HTTP 402: the balance is too low")

    def run_out(self) -> None:
        """The balance is used up: every pod is stopped, whose ever it is."""
        self.broke, self.credit = True, 0.0
        for pod_id in list(self.rented):
            if self.bills(pod_id):
                self.exit(pod_id)

    def pay_in(self) -> None:
        """There is credit again."""
        self.broke, self.credit = False, None

    def inside_of(self, pod: Pod, request: PodRequest) -> Inside:
        """The inside of a new pod."""
        terms = None
        if request.start_command:
            at_s = (
                datetime.fromtimestamp(float(pod.env["RUNPOD_DEPLOY_DEADLINE"]), START.tzinfo) - START
            ).total_seconds()
            idle_s, started = float(pod.env["RUNPOD_DEPLOY_IDLE_S"]), pod.env["RUNPOD_DEPLOY_ON_FAILURE"]
            terms = Terms(at_s, idle_s, started=started)
        return Inside(
            self.memory_clock,
            self.history.job,
            self.shared if request.network_volume_id else Volume(),
            api=partial(self.guard_asks, pod.id),
            reachable=lambda: not self.out("api"),
            boot_run_id=pod.env.get("RUNPOD_DEPLOY_RUN_ID", ""),
            boot_terms=terms,
            guard_lives=not self.history.weather.guard_dead,
        )

    def goes_up(self, pod_id: str) -> None:
        """The pod bills from now on, and its container will start."""
        rented, now_s = self.rented[pod_id], self.memory_clock.monotonic()
        self.spans.append(Span(pod_id, rate(rented.pod), now_s))
        up_since = rented.up_since

        def boot() -> None:
            still = rented.up_since == up_since and self.bills(pod_id)
            if still and rented.pod.datacenter_id not in self.dead_hosts and not self.insides[pod_id].up:
                self.insides[pod_id].boot()

        self.memory_clock.at(now_s + self.starting_s, boot)

    def goes_down(self, pod_id: str) -> None:
        """The pod bills no more, and its container is gone."""
        for span in self.spans:
            if span.pod_id == pod_id and span.to_s is None:
                span.to_s = self.memory_clock.monotonic()
        self.insides[pod_id].down()

    def start(self, pod_id: str) -> Pod:
        """The pod is on its way up. Raises StockOut if its host is full."""
        self.pays()
        before = self.rented[pod_id].pod.status if pod_id in self.rented else ""
        if before == "EXITED":
            self.rented[pod_id].pod = self.priced(self.rented[pod_id].pod)
        pod = super().start(pod_id)
        if before == "EXITED":
            self.goes_up(pod_id)
            self.on_change("start", pod_id)
        return pod

    def stop(self, pod_id: str) -> bool:
        """The pod is EXITED, if it is known already."""
        billed = self.bills(pod_id)
        known = super().stop(pod_id)
        if billed and not self.bills(pod_id):
            self.goes_down(pod_id)
            self.on_change("stop", pod_id)
        return known

    def delete(self, pod_id: str) -> bool:
        """The pod is gone, if it is known already."""
        existed, billed = self.exists(pod_id), self.bills(pod_id)
        known = super().delete(pod_id)
        if existed and not self.exists(pod_id):
            if billed:
                self.goes_down(pod_id)
            self.on_change("delete", pod_id)
        return known

    def vanish(self, pod_id: str) -> None:
        """The pod is lost with its host."""
        billed = self.bills(pod_id)
        super().vanish(pod_id)
        if billed:
            self.goes_down(pod_id)

    def exit(self, pod_id: str) -> None:
        """The pod was stopped by RunPod."""
        billed = self.bills(pod_id)
        super().exit(pod_id)
        if billed:
            self.goes_down(pod_id)

    def migrate(self, old_id: str) -> Pod:
        """The pod was moved to a new id, with its volume."""
        pod = super().migrate(old_id)
        self.migrated[pod.id] = old_id
        api = partial(self.guard_asks, pod.id)
        self.insides[pod.id] = replace(self.insides[old_id], api=api, guards={}, up=False)
        self.goes_up(pod.id)
        return pod

    def _listed_after_s(self, rented: Rented) -> float:
        """A moved pod that no listing shows for longer is left to its guard, and the page of promises says so."""
        usual_s = super()._listed_after_s(rented)
        return min(usual_s, LOOKS_APART_S) if rented.pod.id in self.migrated else usual_s

    def befall(self, pod_id: str, what: str) -> None:
        """The pod vanishes, is stopped, is moved to a new id, or its container restarts."""
        if not self.bills(pod_id):
            return
        if what == "vanish":
            self.vanish(pod_id)
        elif what == "exit":
            self.exit(pod_id)
        elif what == "migrate":
            self.migrate(pod_id)
        elif self.insides[pod_id].up:
            self.insides[pod_id].boot()

    def guard_asks(self, pod_id: str, verb: str) -> bool:
        """Whether the API did what the pod's guard asked for."""
        if self.out("api"):
            return False
        if verb == "stop":
            with suppress(ConfigError):  # it is locked
                self.stop(pod_id)
        else:
            self.guard_deletes.append(pod_id)
            self.delete(pod_id)
        return not self.bills(pod_id)

    def exists(self, pod_id: str) -> bool:
        """Whether the pod exists, whatever the API shows."""
        return pod_id in self.rented and self.rented[pod_id].deleted_at is None

    def bills(self, pod_id: str) -> bool:
        """Whether the pod's GPU bills, whatever the API shows."""
        return self.exists(pod_id) and self.rented[pod_id].pod.status != "EXITED"

    def named(self, name: str) -> list[Rented]:
        """All pods that were ever created with that name."""
        return [rented for rented in self.rented.values() if rented.pod.name == name]

    def usd(self, pod_id: str) -> float:
        """What the pod's GPU and disks have cost while it ran."""
        now_s = self.memory_clock.monotonic()
        return sum(span.usd(now_s) for span in self.spans if span.pod_id == pod_id)

    def _aged(self, rented: Rented) -> Pod | None:
        shown = super()._aged(rented)
        return shown and self.told(shown)

    def _booted(self, pod: Pod, up_s: float) -> Pod:
        shown = super()._booted(pod, up_s)
        if shown.address is None:
            return shown
        port = FIRST_PORT + list(self.rented).index(pod.id)
        return replace(shown, address=Address(host="127.0.0.1", port=port))

    def at(self, address: Address) -> str | None:
        """The id of the pod that listens there, if it does."""
        pod_id = list(self.rented)[address.port - FIRST_PORT]
        return pod_id if self.insides[pod_id].up else None


def rate(pod: Pod) -> float:
    """The price of the pod with its disks."""
    disks = Disks(container_gb=pod.container_disk_gb or 0, volume_gb=pod.volume_gb or 0)
    return (pod.usd_per_hour or 0.0) + disks.usd_per_hour
