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


def request(s: State, event: e.Event) -> Request:
    """The search for a pod after the event."""
    before = s.request
    match event:
        case e.CandidatesChosen():
            return replace(before, candidates=event.candidates, refused=())
        case e.PodRequested():
            asked = candidate(event.gpu_id, event.datacenter_id, event.cloud_type)
            return replace(before, pending=asked, repeated=before.repeated or before.pending is not None, made=True)
        case e.DatacenterFailover():
            refused = candidate(event.gpu_id, event.datacenter_id, event.cloud_type)
            refusals = (*before.refused, refused)
            return replace(before, pending=None, refused=refusals, last_refusal=event.reason, made=has_pod(s.pod))
        case e.PodRefused():
            return replace(before, pending=None, made=has_pod(s.pod))
        case e.PodCreated():
            return replace(before, pending=None, placed=before.pending, made=True)
        case e.PodRecycled():
            return replace(before, placed=None, made=True)
        case e.PodAbandoned():
            # What was delivered may be something else than the candidate that was asked for.
            refused = before.placed or candidate(s.pod.gpu_id, s.pod.datacenter_id, s.pod.cloud_type)
            return replace(before, placed=None, refused=(*before.refused, refused), last_refusal=event.reason)
        case e.PodReleased():
            return replace(before, pending=None)
    return before


def candidate(gpu_id: str | None, datacenter_id: str | None, cloud_type: str | None) -> Candidate:
    """The candidate that an event or a pod names."""
    return Candidate(gpu_id=gpu_id or "", datacenter_id=datacenter_id or "", cloud_type=cloud_type or "")


def has_pod(before: PodState) -> bool:
    """Whether a pod may exist beside the request that was just refused."""
    return before.id is not None or before.discarding is not None


def pod(s: State, event: e.Event) -> PodState:
    """The pod after the event."""
    before = s.pod
    match event:
        case e.PodRequested():
            return replace(before, name=event.name)
        case e.PodCreated():
            unseen = None if event.adopted else (event.pod_id, event.ts_utc)
            here = replace(placed(before, event), unseen=unseen, resumed=before.recycled)
            return replace(here, volume_gb=event.volume_gb, gpu_count=event.gpu_count)
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
            return replace(before, unseen=None, address=Address(host=event.host, port=event.port))
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
        case e.PodCreated() | e.PodResumed():
            return rented(before, event)
        case e.GuardArmed():
            guarded = (r if r.until_at else replace(r, guard_at=event.deadline_at) for r in before.rentals)
            return replace(before, rentals=tuple(guarded))
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
        stop_at=event.stop_at,
        stop_why=event.stop_why,
    )
