"""The fold of the parts about the pod: its request, the pod itself, its cost. Pure.

As in `fold`, each function is given the whole state before the event, and returns its part as it is after the event.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..cloud.values import Address, Candidate
from ..money import Rental
from . import events as e
from .parts import Cost, PodState, Request
from .state import State

ENDED_STATES = (None, "EXITED", "TERMINATED")
"""In these, a pod's GPU costs nothing more."""


BOOTS = (e.PodCreated, e.PodRecycled, e.PodResumed, e.PodReopening)
"""After these, a new container answers."""


def request(s: State, event: e.Event) -> Request:
    """The search for a pod after the event."""
    before = s.request
    match event:
        case e.CandidatesChosen():
            return replace(before, candidates=event.candidates, refused=(), refusal_kinds=frozenset())
        case e.RunStarted():
            return replace(before, token=event.token)
        case e.KeyChanged():
            return replace(before, account=event.account)
        case e.PodRequested():
            return requested(before, event)
        case e.CreateUnclear():
            return replace(before, unclear_at=event.ts_utc)
        case e.RunResumed() | e.Interrupted() | e.PhaseFailed() if before.pending:
            return under_way_until(before, event.ts_utc)
        case e.LatePodFound():
            return replace(before, repeated=True)
        case e.PodLeftBehind():
            return replace(before, left_behind=(*before.left_behind, event.pod_id))
        case e.DatacenterFailover():
            refused = candidate(event.gpu_id, event.datacenter_id, event.cloud_type)
            return refused_with(replace(before, pending=None, made=may_exist(s)), refused, event.reason, event.kind)
        case e.PodRefused():
            return replace(before, pending=None, made=may_exist(s))
        case e.PodCreated(taken_over=e.TakenOver() as taken):
            found = replace(before, placed=None, made=True, taken_token=taken.token, taken_from=taken.holder)
            return replace(found, account=taken.account or before.account)
        case e.PodCreated():
            return replace(before, pending=None, placed=before.pending, made=True)
        case e.Detached(why="elsewhere"):
            return replace(before, candidates=(), refused=(), refusal_kinds=frozenset())
        case e.PodRecycled():
            paused = replace(before, placed=None, made=True, taken_token=event.token, taken_at=event.ts_utc)
            return replace(paused, account=event.account or before.account)
        case e.PodAbandoned():
            # What was delivered may be something else than the candidate that was asked for.
            refused = before.placed or candidate(s.pod.gpu_id, s.pod.datacenter_id, s.pod.cloud_type)
            return refused_with(replace(before, placed=None, taken_from=None), refused, event.reason, "abandoned")
        case e.PodReleased():
            return replace(before, pending=None)
    return before


def refused_with(before: Request, refused: Candidate, reason: str, kind: str) -> Request:
    """The search after one more candidate has given no pod."""
    kinds = before.refusal_kinds | {kind}
    return replace(before, refused=(*before.refused, refused), refusal_kinds=kinds, last_refusal=reason)


def candidate(gpu_id: str | None, datacenter_id: str | None, cloud_type: str | None) -> Candidate:
    """The candidate that an event or a pod names."""
    return Candidate(gpu_id=gpu_id or "", datacenter_id=datacenter_id or "", cloud_type=cloud_type or "")


def requested(before: Request, event: e.PodRequested) -> Request:
    """The search after one more request. One whose answer never came may have made a pod as well."""
    asked = candidate(event.gpu_id, event.datacenter_id, event.cloud_type)
    repeated = before.repeated or before.pending is not None
    here = replace(before, pending=asked, repeated=repeated, made=True, asked_at=event.ts_utc)
    return replace(here, account=event.account or before.account)


def under_way_until(before: Request, at: datetime) -> Request:
    """The search after its process was left in the middle of a create call, which it may have sent until then."""
    known = before.unclear_at and before.asked_at and before.unclear_at >= before.asked_at
    return before if known else replace(before, unclear_at=at)


def may_exist(s: State) -> bool:
    """Whether a pod may exist beside the request that was just refused."""
    return s.pod.id is not None or s.pod.discarding is not None or s.request.repeated


def pod(s: State, event: e.Event) -> PodState:
    """The pod after the event."""
    before = s.pod
    if isinstance(event, BOOTS):
        before = replace(before, boots=before.boots + 1, reached_at=None)
    match event:
        case e.PodRequested():
            return replace(before, name=event.name)
        case e.PodCreated():
            unseen = None if event.adopted else (event.pod_id, event.ts_utc)
            here = replace(placed(before, event), unseen=unseen, resumed=before.recycled)
            here = replace(here, volume_gb=event.volume_gb, gpu_count=event.gpu_count)
            return theirs(here, s.run_id, event.taken_over) if event.taken_over else here
        case e.RunTakenBack():
            return replace(before, python_version=event.taken_over.python_version or before.python_version)
        case e.PodRecycled():
            return replace(placed(before, event), name=event.name, recycled=True)
        case e.PodReopening():
            return replace(before, address=None, guard_deadline_at=None, lost=False)
        case e.PodResumed():
            here = replace(before, resumed=before.recycled, volume_gb=event.volume_gb)
            return replace(here, gpu_count=event.gpu_count or before.gpu_count)
        case e.PodBooting():
            return replace(before, unseen=None)
        case e.PodReachable():
            address = Address(host=event.host, port=event.port)
            return replace(before, unseen=None, address=address, reached_at=before.reached_at or event.ts_utc)
        case e.RemoteEnvSeen():
            python, system = event.remote_python_version, event.remote_uname
            return replace(before, remote_env=(("remote_python_version", python), ("remote_uname", system)))
        case e.PythonPinned():
            return replace(before, python_version=event.version)
        case e.PodAbandoned():
            return abandoned(before, event.pod_id)
        case e.PodDiscarded() if event.pod_id == before.discarding:
            return replace(before, discarding=None)
        case e.GuardArmed():
            return replace(before, guard_deadline_at=event.deadline_at)
        case e.PodReleased():
            return replace(before, final_state=event.state)
        case e.PodKilledUnexpected() | e.GuardReleased():
            # The pod itself may run on, if only the job's container died.
            return replace(before, final_state=event.state, lost=event.state != "RUNNING")
    return before


def theirs(here: PodState, run_id: str | None, taken: e.TakenOver) -> PodState:
    """The pod, which another machine requested."""
    return replace(here, name=run_id, python_version=taken.python_version)


def placed(before: PodState, event: e.PodCreated | e.PodRecycled) -> PodState:
    """The pod where the event says that it is."""
    gpu_id, datacenter_id = event.gpu_id, event.datacenter_id
    return replace(before, id=event.pod_id, gpu_id=gpu_id, datacenter_id=datacenter_id, cloud_type=event.cloud_type)


def abandoned(before: PodState, pod_id: str) -> PodState:
    """No pod: this one never booted."""
    without = replace(before, id=None, recycled=False, resumed=False, address=None, guard_deadline_at=None)
    return replace(without, discarding=pod_id, abandoned=(*before.abandoned, pod_id))


def cost(s: State, event: e.Event) -> Cost:
    """Prices and limits after the event."""
    before = s.cost
    match event:
        case e.PodCreated(taken_over=e.TakenOver() as taken):
            return replace(rented(before, event), elsewhere_usd=before.elsewhere_usd + taken.elsewhere_usd)
        case e.PodCreated() | e.PodResumed():
            return rented(before, event)
        case e.PriceChanged():
            return repriced(before, event)
        case e.GuardArmed():
            return guarded(before, event.deadline_at)
        case e.GuardLost() | e.GuardMissing():
            return guarded(before, None)
        case e.LatePodFound() if event.usd_per_hour and event.created_at:
            late = Rental(event.pod_id, event.usd_per_hour, event.created_at)
            return replace(before, rentals=(*before.rentals, late))
        case e.PodDiscarded():
            ended = {event.pod_id}
            return replace(before, rentals=over(before.rentals, ended, event.ts_utc))
        case e.PodReleased():
            ended = {rental.pod_id for rental in before.rentals}
            return replace(before, rentals=over(before.rentals, ended, event.ts_utc))
        case e.PodKilledUnexpected() | e.GuardReleased() if event.state in ENDED_STATES:
            # It may have ended long ago, but not later than its guard allows.
            rows = (r if r.until_at else replace(r, until_at=r.end_at(event.ts_utc)) for r in before.rentals)
            return replace(before, rentals=tuple(rows))
    return before


def over(rentals: tuple[Rental, ...], pod_ids: set[str], at: datetime) -> tuple[Rental, ...]:
    """The rentals, of which those of these pods have ended by then."""
    return tuple(replace(r, until_at=at) if r.pod_id in pod_ids and not r.until_at else r for r in rentals)


def rented(before: Cost, event: e.PodCreated | e.PodResumed) -> Cost:
    """The cost, where this pod costs money from now on."""
    usd_per_hour = event.usd_per_hour + event.disks_usd_per_hour
    return replace(
        before,
        usd_per_hour=event.usd_per_hour,
        price_source=event.price_source,
        rentals=(*before.rentals, Rental(event.pod_id, usd_per_hour, event.created_at)),
        begun_at=event.created_at,
        stop_at=event.stop_at,
        stop_why=event.stop_why,
    )


def guarded(before: Cost, until: datetime | None) -> Cost:
    """The cost, where a guard ends the pods that bill at that time; None: nothing ends them by itself."""
    return replace(before, rentals=tuple(r if r.until_at else replace(r, guard_at=until) for r in before.rentals))


def repriced(before: Cost, event: e.PriceChanged) -> Cost:
    """The cost, where the pod has another price since then: one rental ends and the next begins."""
    usd_per_hour = event.to_usd_per_hour + event.disks_usd_per_hour
    guard_at = next((r.guard_at for r in before.rentals if r.pod_id == event.pod_id and r.until_at is None), None)
    now = Rental(event.pod_id, usd_per_hour, event.since_at, guard_at=guard_at)
    return replace(
        before,
        usd_per_hour=event.to_usd_per_hour,
        price_source="pod_describe",
        rentals=(*over(before.rentals, {event.pod_id}, event.since_at), now),
        stop_at=event.stop_at,
        stop_why=event.stop_why,
    )
