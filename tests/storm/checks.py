"""Where the invariants of a storm are checked: at every effect, after every process, at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runpod_deploy.cloud.pod_labels import TOKEN_LABEL
from runpod_deploy.cloud.values import Candidate, Offer
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.money import closing_s
from runpod_deploy.record.events import Event, GuardReleased, PodKilledUnexpected, PodRecycled
from runpod_deploy.record.manifest import manifest
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from tests.storm.configs import RATE
from tests.storm.edges import journal_rows
from tests.storm.faults import Faults
from tests.storm.history import KILL, LOCKED_S, History
from tests.storm.invariants import require
from tests.storm.pods import FINAL, Home
from tests.storm.process import BUSY, UNCONFIRMED, Ended, Process

if TYPE_CHECKING:
    from tests.storm.cloud import Span
    from tests.storm.storm import Storm

SLACK_S = 90.0
"""Time for looks, calls and the guard's pauses, beyond the time that the product plans with."""
SETTLED = ("pod_requested", "pod_created", "datacenter_failover", "pod_refused")
TAKING = ("pod_recycled", "pod_reopening")
CHANGING = ("before start", "before stop", "before delete")
UNTOLD = ("ts_utc", "event", "detail", "candidates", "gpu_id", "datacenter_id")
KEEPING = ("stop", "recycle", "preserve")


class Watcher:
    """Checks what must hold at every effect and after every event of one process."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self.last_at: datetime | None = None

    def __call__(self, process: Process, where: str, args: Any) -> None:
        """Raises Violation."""
        if where.startswith("event "):
            self.in_order(*args)
            if isinstance(args[0], PodRecycled):
                self.storm.taken.add(args[0].pod_id)
            if isinstance(args[0], PodKilledUnexpected | GuardReleased) and args[0].state is None:
                pod_id = args[1].pod.id
                require(not self.storm.cloud.exists(pod_id), "truth", f"{pod_id} is called gone, and exists")
        elif where == "before create":
            self.written_ahead(args[0].name)
            self.looked_before()
        elif where == "before find":
            self.storm.looked = True
        elif where in CHANGING:
            self.is_ours(args[0])
            if where == "before start":
                self.taken_ahead(args[0])
            if where == "before delete" and process.run is not None:
                self.keeps_results(process.run.state, args[0])
        elif where == "before pull" and process.run is not None and process.run.state.end.reopened:
            self.storm.reopened += self.open_spans(process.run.state.pod.id)
        elif where in ("after create", "after launch", "after start"):
            self.is_one(process.run.state if process.run else self.storm.state())

    def open_spans(self, pod_id: str | None) -> list[Span]:
        """The time since which that pod bills."""
        return [span for span in self.storm.cloud.spans if span.pod_id == pod_id and span.to_s is None]

    def in_order(self, event: Event, state: State) -> None:
        """No event is older than the one before it."""
        earlier, self.last_at = self.last_at, event.ts_utc
        require(
            earlier is None or earlier <= event.ts_utc,
            "order",
            f"{type(event).__name__} at {event.ts_utc}, after {earlier}",
        )

    def written_ahead(self, name: str) -> None:
        """The intent is on disk."""
        rows = [row for row in journal_rows(self.storm.dir) if row["event"] in SETTLED]
        pending = bool(rows) and rows[-1]["event"] == "pod_requested" and rows[-1]["name"] == name
        require(pending, "write-ahead", f"{name} is asked for, and the journal ends with {rows[-1:]}")

    def looked_before(self) -> None:
        """Since the last create call, the listing was looked at, if that call has made a pod."""
        billing = [pod_id for pod_id in self.storm.ours() if self.storm.cloud.bills(pod_id)]
        known = self.storm.looked or self.storm.state().request.repeated  # the release ends what comes late
        require(known or not billing, "one pod", f"a pod is asked for beside {billing}, without a look")
        self.storm.looked = False

    def is_ours(self, pod_id: str) -> None:
        """The pod is the run's, or the command was told to end it."""
        mine = pod_id in self.storm.ours() or pod_id in self.storm.touched
        require(mine and pod_id not in self.storm.strangers, "foreign", f"{pod_id} is changed, and is not ours")

    def taken_ahead(self, pod_id: str) -> None:
        """A paused pod is in the journal on disk before it is started."""
        rows = journal_rows(self.storm.dir)
        named = any(row["event"] in TAKING and row["pod_id"] == pod_id for row in rows)
        require(named, "write-ahead", f"{pod_id} is started, and the journal on disk does not say so")

    def is_one(self, state: State) -> None:
        """There is one pod, or the journal knows that there may be two; the job was started once."""
        cloud = self.storm.cloud
        billing = [pod_id for pod_id in self.storm.ours() if cloud.bills(pod_id) and pod_id not in cloud.migrated]
        known = state.request.pending or state.request.repeated or state.pod.discarding
        require(len(billing) <= 1 or known, "one pod", f"{sorted(billing)} bill beside each other")
        starts = sum(home.starts for home in homes(self.storm))
        require(starts <= 1, "one start", f"the job was started {starts} times")

    def keeps_results(self, state: State, pod_id: str) -> None:
        """What is deleted here is here already, or the policy says that it may be lost."""
        if state.job.pid is None or pod_id != state.pod.id or state.end.wish == "delete":
            return
        policy = self.storm.spec.job.lifecycle
        succeeded = state.result == "succeeded"
        action = state.end.wish or (policy.on_success if succeeded else policy.on_failure)
        require(action == "delete", "results", f"{pod_id} is deleted after its job, and the policy is {action}")
        if succeeded:
            all_here(self.storm, state, "is deleted after a success")


class TwinWatcher:
    """Checks that a run with our run id in another folder touches neither our pods nor those of strangers."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm

    def __call__(self, process: Process, where: str, args: Any) -> None:
        """Raises Violation."""
        if where in CHANGING:
            others = {*self.storm.ours(), *self.storm.strangers}
            require(args[0] not in others, "foreign", f"{args[0]} is changed by a run that only shares its name")


def homes(storm: Storm) -> list[Home]:
    """The control folders of the run, on whatever volume."""
    insides = [storm.cloud.insides[pod_id] for pod_id in storm.ours()]
    volumes = {id(inside.volume): inside.volume for inside in insides}
    return [home for volume in volumes.values() for run_id, home in volume.homes.items() if run_id == storm.spec.run_id]


def all_here(storm: Storm, state: State, what: str) -> None:
    """Every artifact that the job wrote is here as on the pod; an optional one may be recorded as not pulled."""
    wrote = storm.history.job.leaves and any(home.status and not home.stopped for home in homes(storm))
    told = dict(state.work.artifacts)
    for entry in storm.spec.job.artifacts:
        path = storm.root / entry.local_path
        here = path.read_bytes() if path.exists() else None
        failed = entry.label in told and told[entry.label].status == "failed"
        excused = not entry.required and (not wrote or failed)
        require(here == FINAL or excused, "results", f"{entry.label} here is {here!r}, and the pod {what}")


def after_process(storm: Storm, ended: Ended) -> None:
    """A process that ended by itself has told the truth, and left nothing that bills unknown. Raises Violation."""
    require(ended.code != 1, "defect", f"{ended.command} ends with exit 1: {ended.stderr.strip()}{details(storm)}")
    if ended.code is None or ended.command in ("pull", "pull_start", "stop", "reap", "twin"):
        return
    if ended.code == BUSY or ended.state is None:
        return
    state = ended.state if ended.disk_full else storm.state()
    truth(storm, ended, state)
    if not state.end.detached:
        no_leak(storm, ended, state)


def details(storm: Storm) -> str:
    """The traceback of the last defect in the journal."""
    found = [row["detail"] for row in journal_rows(storm.dir) if row.get("detail")]
    return f"\n{found[-1]}" if found else ""


def truth(storm: Storm, ended: Ended, state: State) -> None:
    """Journal, exit code, manifest and last line agree."""
    assert ended.state is not None
    require(state.exit_code == ended.code, "truth", f"exit {ended.code}, and the journal says {state.exit_code}")
    good = state.result == "succeeded" and not state.pod_may_exist
    asked = state.end.detached == "asked"
    require((ended.code == 0) == (good or asked), "truth", f"exit {ended.code} with outcome {state.outcome}")
    summary = manifest(storm.spec, state, now=storm.clock.now(), log=None, files=[])
    if state.end.finished:
        require(summary["exit_code"] == ended.code, "truth", f"the manifest says {summary['exit_code']}")
        require(summary["failed"] == (ended.code != 0), "truth", f"the manifest says failed: {summary['failed']}")
    if good and not asked:
        all_here(storm, state, "was released after a success")
    if ended.code == UNCONFIRMED:
        named = "MAY STILL BE BILLING" in ended.last_line or "MAY STILL APPEAR" in ended.last_line
        require(named, "truth", f"exit 9 ends with {ended.last_line!r}")


def no_leak(storm: Storm, ended: Ended, state: State) -> None:
    """Nothing of the run bills, unless the policy keeps it or the last line of exit 9 names it."""
    cloud, named = storm.cloud, ended.last_line if ended.code == UNCONFIRMED else ""
    kept = state.end.release_action
    for pod_id in sorted(storm.ours()):
        pod = cloud.rented[pod_id].pod
        if pod_id in cloud.migrated and not state.pod.lost:
            continue  # it was moved at the very end: no run can know of it, and its guard ends it
        if cloud.bills(pod_id) and not (kept == "preserve" and pod_id == state.pod.id):
            require(
                pod_id in named or pod.name in named,
                "leak",
                f"{pod_id} bills after exit {ended.code}: {ended.last_line}",
            )
        elif cloud.exists(pod_id) and not cloud.bills(pod_id) and not (kept in KEEPING and pod_id == state.pod.id):
            require(pod_id in named or pod.name in named, "leak", f"the disk of {pod_id} bills after exit {ended.code}")
    for request in cloud.coming:
        told = request.name in named or request.env[TOKEN_LABEL] != storm.spec.token
        require(told, "leak", f"a pod named {request.name} will still come after exit {ended.code}: {ended.last_line}")


def is_calm(history: History) -> bool:
    """Whether nothing happens that could keep the job from succeeding."""
    weather, shape, job = history.weather, history.shape, history.job
    quiet = weather.price == 1.0 and weather.broke_at_s is None and weather.locked_at_s is None
    quiet = quiet and not (
        weather.dead or weather.sold_out or weather.host_full or weather.guard_dead or weather.outages
    )
    alone = all(not act.faults and not act.visits and act.command == "run" for act in history.acts)
    works = job.exit_code == 0 and job.marker and job.leaves and not (job.failure_marker or job.setup_fails)
    minutes = min(shape.minutes, shape.max_runtime_minutes or shape.minutes)
    in_time = job.lasts_s < minutes * 60 * 0.8 - 120 and shape.stall_minutes is None
    return quiet and alone and works and in_time and not weather.pod_events and not history.nobody_comes


def at_end(storm: Storm) -> None:
    """Nothing bills that should not, and it has cost what it may. Raises Violation."""
    if is_calm(storm.history):
        state = storm.state()
        require(state.exit_code == 0, "calm", f"exit {state.exit_code}: {state.failure and state.failure.message}")
    for pod_id in storm.strangers if storm.history.weather.broke_at_s is None else ():
        require(storm.cloud.bills(pod_id), "foreign", f"{pod_id} of somebody else is gone")
    starts = sum(home.starts for home in homes(storm))
    require(starts <= 1, "one start", f"the job was started {starts} times")
    within_cap(storm)
    reopened_for_a_while(storm)
    if storm.history.nobody_comes:
        guarded(storm)


def within_cap(storm: Storm) -> None:
    """All pods of the run together have cost the cap, and the time that it takes to end a pod."""
    cloud, job = storm.cloud, storm.spec.job
    policy, state = job.lifecycle, storm.state()
    insides = [cloud.insides[pod_id] for pod_id in storm.ours()]
    unguarded = any(inside.once_unguarded and not inside.neglected for inside in insides)
    if (unguarded and not always_driven(storm)) or "preserve" in (policy.on_success, policy.on_failure):
        return
    pods = [pod_id for pod_id in storm.ours() if cloud.bills(pod_id) or cloud.usd(pod_id)]
    earlier_usd = sum(span.usd(0) for span in cloud.spans if span.pod_id in storm.taken and span.from_s < storm.began_s)
    usd = sum(cloud.usd(pod_id) for pod_id in pods) - earlier_usd
    rates = max((span.usd_per_hour for span in cloud.spans if span.pod_id in pods), default=RATE)
    extra_s = closing_s(job.budget) + SLACK_S + storm.interfered_s + storm.excused_s + grace_s(storm)
    extra_s += for_a_pull_s(storm) * sum(row["event"] == "pod_reopening" for row in journal_rows(storm.dir))
    limit = job.budget.cost_cap_usd * dearer_by(storm, pods) + rates * extra_s * max(1, len(pods)) / 3600
    require(
        usd <= limit,
        "money",
        f"${usd:.4f} for {sorted(pods)}, cap ${job.budget.cost_cap_usd:.4f}, at most ${limit:.4f} {state.pod.id}",
    )


def always_driven(storm: Storm) -> bool:
    """Whether one process carried the run out to its end: then the cap holds although a job has ended the guard."""
    only, *others = storm.history.acts
    whole = only.command == "run" and all(fault.kind != KILL for fault in only.faults)
    return whole and not others and storm.state().end.detached is None and not storm.history.weather.outages


def dearer_by(storm: Storm, pod_ids: list[str]) -> float:
    """The price of the pods as a multiple of what their guards plan with: a guard that no run has armed plans with the
    catalogue's price."""
    armed = {row["pod_id"] for row in journal_rows(storm.dir) if row["event"] == "guard_armed"}
    return 1.0 if armed.issuperset(pod_ids) else max(1.0, storm.history.weather.price)


def reopened_for_a_while(storm: Storm) -> None:
    """A paused pod that was started for a pull, and reached, is paused again within its own limit."""
    most_s = for_a_pull_s(storm) + SLACK_S + storm.interfered_s + grace_s(storm)
    for span in storm.reopened:
        lasted_s = (storm.clock.monotonic() if span.to_s is None else span.to_s) - span.from_s
        require(
            lasted_s <= most_s, "money", f"{span.pod_id} was up for {lasted_s:.0f} s for a pull, not {most_s:.0f} s"
        )


def for_a_pull_s(storm: Storm) -> float:
    """How long a paused pod may be up for a pull. It is asked for after the cap, so it has a time of its own."""
    budget = storm.spec.job.budget
    return budget.ssh_ready_timeout_sec + budget.pull_grace_sec + closing_s(budget)


def reaps_no_results(storm: Storm, pod_ids: list[str]) -> None:
    """No pod that is paused with results is among those that an audit deletes by itself."""
    state, jobs = storm.state(), any(home.starts for home in homes(storm))
    for pod_id in pod_ids:
        paused = pod_id == state.pod.id and storm.cloud.exists(pod_id) and not storm.cloud.bills(pod_id)
        asked = state.end.release_action == "delete" or state.work.collected
        require(not (paused and jobs) or asked, "results", f"an audit deletes {pod_id}, which is paused with results")


def grace_s(storm: Storm) -> float:
    """Time in which the weather may have kept everybody from ending a pod."""
    weather, budget = storm.history.weather, storm.spec.job.budget
    outages = sum(outage.for_s for outage in weather.outages)
    unguarded_boot_s = budget.ssh_ready_timeout_sec
    locked_s = LOCKED_S if weather.locked_at_s is not None else 0.0
    return locked_s + outages + weather.listing_lag_s + weather.delete_lag_s + unguarded_boot_s


def guarded(storm: Storm) -> None:
    """After a history that nobody ends, a pod bills only if it has no guard, and then the journal names it."""
    state = storm.state()
    for pod_id in storm.ours():
        if not storm.cloud.bills(pod_id):
            continue
        inside = storm.cloud.insides[pod_id]
        unguarded = not inside.guards and not inside.neglected
        keeps = storm.spec.job.lifecycle.on_failure == "preserve" or state.end.release_action == "preserve"
        require(unguarded or keeps, "leak", f"{pod_id} bills although its guard lives, and nobody comes")


def idempotence(storm: Storm) -> None:
    """To carry the run out again changes nothing. Raises Violation."""
    before, changes = storm.dir.events.read_bytes(), len(storm.cloud.calls)
    process = Process(storm.cloud, Faults((), storm.cloud, lambda: None), storm.spec, storm.dir, storm.environ)
    ended = process.carry(carry_out)
    require(storm.dir.events.read_bytes() == before, "idempotence", "the journal grew")
    require(len(storm.cloud.calls) == changes, "idempotence", f"it asked {storm.cloud.calls[changes:]}")
    codes = [end.code for end in storm.ends if end.code is not None and end.command == "resume"]
    require(ended.code == codes[-1], "idempotence", f"exit {ended.code} after exit {codes[-1]}")


def candidate_of(offer: Offer) -> Candidate:
    """The candidate of an offer."""
    return Candidate(gpu_id=offer.gpu_id, datacenter_id=offer.datacenter_id, cloud_type=offer.cloud_type)


def journal_lines(run_dir: RunDir) -> Iterator[str]:
    """The journal, one line an event."""
    rows = [row for row in journal_rows(run_dir) if row["event"] not in ("phase_started", "phase_finished")]
    for before, row in zip([{"event": ""}, *rows], rows, strict=False):
        if row["event"] == before["event"] == "retried":
            continue
        rest = {name: value for name, value in row.items() if name not in UNTOLD}
        yield f"  {row['ts_utc'][11:23]} {row['event']} {json.dumps(rest)[:200]}"
