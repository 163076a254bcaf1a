"""Events of the run's pod as lines for people. Knows events and state; knows no run."""

from __future__ import annotations

from datetime import UTC, tzinfo

from ..money import cents
from ..record import events as e
from ..record.state import State
from .instants import time_of_day

BOOT_STAGES = {
    "placing": "RunPod looks for a machine",
    "image_pull": "the machine downloads the image",
    "starting": "the container starts",
    "sshd": "waiting for SSH",
}


def pod_line(event: e.Event, state: State, zone: tzinfo | None = UTC) -> str | None:
    """The line of an event about the pod."""
    match event:
        case e.RunStarted():
            return f"run {event.run_id}"
        case e.RunResumed():
            return f"resuming run {state.run_id}; its last recorded event is {event.after}"
        case e.CandidatesChosen():
            return f"{len(event.candidates)} candidates" + "".join(
                f"; {words}" for words in (*event.resolved, *(f"skipped {s}" for s in event.skipped))
            )
        case e.PodRequested():
            return f"asking for {event.gpu_id} in {event.datacenter_id} ({event.cloud_type.lower()} cloud)"
        case e.DatacenterFailover():
            return f"refused: {event.reason}" + (f"; trying {event.to} next" if event.to else "")
        case e.PodCreated():
            how = "found" if event.adopted else "created"
            how = f"taken over from {event.taken_over.holder}" if event.taken_over else how
            return f"pod {event.pod_id} {how}: {rate(event)}; {limit_words(event, zone)}"
        case e.PriceDoubted() | e.PriceChanged() | e.BalanceLow() | e.RowSkipped() | e.HostLogKept():
            return cloud_line(event, zone)
        case e.CreateUnclear():
            return f"no clear answer to the create call ({event.reason}): it may have made a pod all the same"
        case e.LatePodFound():
            return f"pod {event.pod_id} of this run showed up late and is deleted: it is not needed"
        case e.PodLeftBehind():
            return left_behind_line(event)
        case e.RunTakenBack():
            return f"the run goes on here again: {event.taken_over.holder} has left it"
        case e.KeyChanged():
            return "the API key has changed; it can see this run's pod, so the run continues"
        case e.PodReopening():
            return f"starting pod {event.pod_id} again to download what is on its disk"
        case e.PodResumed():
            return f"pod {event.pod_id} resumed: {rate(event)}; {limit_words(event, zone)}"
        case e.PodBooting():
            return f"booting: {BOOT_STAGES.get(event.stage, event.stage)}"
        case e.PodReachable():
            return "; ".join([f"reachable at {event.host} port {event.port}", *event.urls])
        case e.PodAbandoned():
            return f"giving up on this pod: {event.reason}"
        case e.GuardArmed():
            deadline = time_of_day(event.deadline_at, event.ts_utc, zone)
            return f"guard armed: if this machine disappears, the pod ends itself at {deadline}"
        case e.GuardLost():
            return "the guard on the pod was ended by somebody (the job?); it is started again"
        case e.GuardMissing():
            return "NO GUARD on this pod: if this machine disappears, the pod bills until you end it"
    return None


CloudEvent = e.PriceDoubted | e.PriceChanged | e.BalanceLow | e.RowSkipped | e.HostLogKept


def cloud_line(event: CloudEvent, zone: tzinfo | None) -> str:
    """The line of an event about what the cloud says."""
    match event:
        case e.PriceChanged():
            now, before = f"${cents(event.to_usd_per_hour)}/hr", f"${cents(event.from_usd_per_hour)}/hr"
            return f"RunPod tells another price for this pod: {now} instead of {before}; {limit_words(event, zone)}"
        case e.PriceDoubted():
            told = "no price" if event.told_usd_per_hour is None else f"${cents(event.told_usd_per_hour)}/hr"
            source = "the catalogue's price" if event.price_source == "catalogue" else "budget.assumed_hourly_rate_usd"
            plan = f"${cents(event.planned_usd_per_hour)}/hr ({source})"
            return f"RunPod gives {told} for this pod, which cannot be right; limits are planned with {plan}"
        case e.BalanceLow():
            has, may = f"${cents(event.balance_usd)}", f"${cents(event.needed_usd)}"
            return f"WARNING: the account has {has} and the cap of this run is {may}: RunPod ends pods without credit"
        case e.RowSkipped():
            return f"{event.what}: skipped a row that makes no sense: {event.row}"
    return "\n".join([f"the host of pod {event.pod_id} says:", *event.lines])


def left_behind_line(event: e.PodLeftBehind) -> str:
    """The line that names a pod that is not used any more, its price, and the command that deletes it."""
    how = f"`runpod-deploy audit --reap --pod {event.pod_id}`"
    price = f"it costs ${cents(event.usd_per_hour * 24)} a day until you delete it with {how}"
    return f"pod {event.pod_id} ({event.name}, {event.status}) is not touched: {event.reason}; {price}"


def limit_words(event: e.PodCreated | e.PodResumed | e.PriceChanged, zone: tzinfo | None) -> str:
    """When the run stops at the latest."""
    return f"the run stops by {time_of_day(event.stop_at, event.ts_utc, zone)}"


def rate(event: e.PodCreated | e.PodResumed) -> str:
    """The pod's price, and the price of its disks if it is a cent or more."""
    disks = f" + ${cents(event.disks_usd_per_hour)} for its disks" if event.disks_usd_per_hour >= 0.005 else ""
    return f"${cents(event.usd_per_hour)}/hr{disks}"
