"""The fold: what is true of a run after one more event. Pure, and the only way to a state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ..cloud.values import Address, Candidate
from ..money import Rental
from . import events as e
from .state import Artifact, Failure, PhaseTime, State


def fold(events: Iterable[e.Event]) -> State:
    """The state after these events."""
    state = State()
    for event in events:
        state = apply(state, event)
    return state


def apply(s: State, event: e.Event) -> State:
    """The state after one more event."""
    if isinstance(event, e.Billed):  # learned afterwards, and no part of the run's own course
        return replace(s, billed_usd=event.usd, bill_settled=event.settled)
    before, s = s, replace(s, last_event=e.snake(type(event).__name__), last_at=event.ts_utc)
    match event:
        case e.RunStarted():
            return replace(s, run_id=event.run_id, started_at=event.ts_utc)
        case e.RunResumed():
            cut = cut_off(s.phases, before.last_at)
            failures = s.closing_failures if s.visiting else ()
            again = (*s.resumptions, (event.ts_utc, event.after))
            return replace(s, phases=cut, resumptions=again, detached=None, finished=False, closing_failures=failures)
        case e.PhaseStarted():
            begun = PhaseTime(event.phase, event.ts_utc)
            return replace(s, phase=event.phase, phases=(*s.phases, begun))
        case e.PhaseFinished():
            return ended(s, event.phase, event.duration_sec)
        case e.PhaseFailed():
            return failed(timed(s, event.phase, event.duration_sec), event)
        case e.CandidatesChosen():
            return replace(s, candidates=event.candidates, refused=())
        case e.Interrupted():
            s = replace(s, phases=cut_off(s.phases, event.ts_utc))
            if s.visiting:
                return replace(s, visit_failure=Failure("interrupted", s.phase, f"interrupted by {event.signal}"))
            return replace(s, interrupted=event.signal)
        case e.Detached():
            return replace(s, phases=cut_off(s.phases, event.ts_utc), detached=event.why)
        case e.RunFinished():
            return replace(s, finished=True, finished_at=event.ts_utc)
    return apply_pod(s, event)


def cut_off(phases: tuple[PhaseTime, ...], at: datetime) -> tuple[PhaseTime, ...]:
    """The phases; one that was left before its end has lasted until then, as far as anything is known of it."""
    return tuple(
        p if p.duration_s is not None else replace(p, duration_s=since(p.started_at, at), broken_off=True)
        for p in phases
    )


def since(start: datetime, end: datetime) -> float:
    """Seconds from one to the other, as durations are recorded."""
    return round(max(0.0, (end - start).total_seconds()), 3)


def timed(s: State, phase: str, duration_s: float) -> State:
    """The state with the running phase timed."""
    rows = (replace(p, duration_s=duration_s) if p.name == phase and p.duration_s is None else p for p in s.phases)
    return replace(s, phases=tuple(rows))


def ended(s: State, phase: str, duration_s: float) -> State:
    """The state in which the running phase has reached its end."""
    s = timed(s, phase, duration_s)
    if phase != "collect" or not (s.pod_answers or s.job_pid is None):
        return s  # of a pod that does not answer nothing was collected
    # What a run could not collect may have come by now.
    return replace(s, collected=True, closing_failures=tuple(f for f in s.closing_failures if f.phase != "collect"))


def failed(s: State, event: e.PhaseFailed) -> State:
    """The state with the phase's error; the first error of the way forward is the run's."""
    failure = Failure(event.kind, event.phase, event.message, event.hint)
    if s.visiting and event.phase != "release":
        return replace(s, visit_failure=s.visit_failure or failure)
    if event.phase in ("collect", "release"):
        collected = s.collected and event.phase != "collect"
        return replace(s, closing_failures=(*s.closing_failures, failure), collected=collected)
    return replace(s, forward_failure=s.forward_failure or failure)


def apply_pod(s: State, event: e.Event) -> State:
    """The same for events about the pod."""
    match event:
        case e.PodRequested():
            asked = Candidate(gpu_id=event.gpu_id, datacenter_id=event.datacenter_id, cloud_type=event.cloud_type)
            again = s.asked_again or s.requested is not None
            return replace(
                s, requested=asked, asked_again=again, ever_requested=True, released=False, pod_name=event.name
            )
        case e.DatacenterFailover():
            refused = (event.gpu_id, event.datacenter_id, event.cloud_type)
            return replace(s, requested=None, refused=(*s.refused, refused), ever_requested=has_pod(s))
        case e.PodRefused():
            return replace(s, requested=None, ever_requested=has_pod(s))
        case e.PodCreated():
            return replace(created(s, event), requested=None, ever_requested=True, released=False)
        case e.PodRecycled():
            return recycled(s, event)
        case e.PodReopening():
            known = replace(s, address=None, guard_deadline_at=None, pod_lost=False)
            return replace(known, visiting=True, visit_failure=None, released=False, finished=False)
        case e.PodResumed():
            return rented(s, event)
        case e.PodBooting():
            return replace(s, unseen=None)
        case e.PodReachable():
            return replace(s, unseen=None, address=Address(host=event.host, port=event.port))
        case e.RemoteEnvSeen():
            python, system = event.remote_python_version, event.remote_uname
            return replace(s, remote_env=(("remote_python_version", python), ("remote_uname", system)))
        case e.PodAbandoned():
            return replace(abandoned(s, event), address=None, guard_deadline_at=None)
        case e.PodDiscarded():
            return replace(s, discarding=None, ever_requested=has_pod(s), rentals=over(s.rentals, event.ts_utc))
        case e.GuardArmed():
            return replace(s, guard_deadline_at=event.deadline_at, rentals=watched(s.rentals, event.deadline_at))
        case e.ReleaseStarted():
            return replace(s, release_action=event.action)
        case e.PodReleased():
            paid = over(s.rentals, event.ts_utc)
            over_now = replace(s, released=True, visiting=False, pod_final_state=event.state, requested=None)
            return replace(over_now, rentals=paid)
        case e.PodKilledUnexpected() | e.GuardReleased():
            return lost(s, event)
    return apply_work(s, event)


def has_pod(s: State) -> bool:
    """Whether a pod may exist beside the request that was just refused or the pod that was just discarded."""
    return s.pod_id is not None or s.discarding is not None


def rental(event: e.PodCreated | e.PodResumed) -> Rental:
    """The time in which this pod costs has begun."""
    return Rental(event.pod_id, event.usd_per_hour + event.disks_usd_per_hour, event.created_at)


def over(rentals: tuple[Rental, ...], at: datetime) -> tuple[Rental, ...]:
    """The rentals, none of which goes on after this."""
    return tuple(r if r.until_at else replace(r, until_at=at) for r in rentals)


def watched(rentals: tuple[Rental, ...], deadline_at: datetime) -> tuple[Rental, ...]:
    """The rentals with the instant at which the guard ends the pod that goes on."""
    return tuple(r if r.until_at else replace(r, guard_at=deadline_at) for r in rentals)


def rented(s: State, event: e.PodCreated | e.PodResumed) -> State:
    """The state whose pod costs from now on."""
    return replace(
        s,
        pod_resumed=s.pod_recycled,
        usd_per_hour=event.usd_per_hour,
        price_source=event.price_source,
        rentals=(*s.rentals, rental(event)),
        volume_gb=event.volume_gb,
        stop_at=event.stop_at,
        stop_why=event.stop_why,
    )


def created(s: State, event: e.PodCreated) -> State:
    """The state with its pod."""
    return replace(
        rented(s, event),
        pod_id=event.pod_id,
        unseen=None if event.adopted else (event.pod_id, event.ts_utc),
        gpu_id=event.gpu_id,
        datacenter_id=event.datacenter_id,
        cloud_type=event.cloud_type,
    )


def recycled(s: State, event: e.PodRecycled) -> State:
    """The state with the pod of an earlier run."""
    return replace(
        s,
        pod_id=event.pod_id,
        pod_recycled=True,
        pod_name=event.name,
        gpu_id=event.gpu_id,
        datacenter_id=event.datacenter_id,
        cloud_type=event.cloud_type,
        ever_requested=True,
        released=False,
    )


def abandoned(s: State, event: e.PodAbandoned) -> State:
    """The state without its pod, which never booted; it costs until it is gone."""
    refused = (s.gpu_id or "", s.datacenter_id or "", s.cloud_type or "")
    return replace(
        s,
        pod_id=None,
        discarding=event.pod_id,
        abandoned=(*s.abandoned, event.pod_id),
        refused=(*s.refused, refused),
        pod_recycled=False,
        pod_resumed=False,
    )


def lost(s: State, event: e.PodKilledUnexpected | e.GuardReleased) -> State:
    """The state whose pod was ended, or whose job died with its container while the pod runs on.

    It may have been so for long, but not longer than its guard lets a pod be.
    """
    s = replace(s, pod_final_state=event.state, pod_lost=event.state != "RUNNING")
    if event.state not in (None, "EXITED", "TERMINATED"):
        return s
    ended_now = (r if r.until_at else replace(r, until_at=r.end_at(event.ts_utc)) for r in s.rentals)
    return replace(s, rentals=tuple(ended_now))


def apply_work(s: State, event: e.Event) -> State:
    """The same for events about the work on the pod."""
    match event:
        case e.CommandFinished(exit_code=0):
            return replace(s, commands_done=s.commands_done | {(event.section, event.index)})
        case e.PythonPinned():
            return replace(s, python_version=event.version)
        case e.StageFinished():
            return replace(s, staged=s.staged | {event.label})
        case e.SecretWritten():
            return replace(s, secrets=s.secrets | {event.name})
        case e.SecretsRemoved():
            return replace(s, secrets=s.secrets - set(event.names))
        case e.JobLaunched():
            return replace(s, job_pid=event.pid)
        case e.RemoteStepStarted():
            return replace(s, step=event.name, scanned_bytes=event.log_offset)
        case e.RemoteStepCompleted():
            return replace(s, step=None if s.step == event.name else s.step, scanned_bytes=event.log_offset)
        case e.SuccessMarkerSeen():
            return replace(s, success_marker_seen=True, scanned_bytes=event.log_offset)
        case e.FailureMarkerSeen():
            return replace(s, markers_seen=s.markers_seen | {event.marker}, scanned_bytes=event.log_offset)
        case e.JobEvent():
            offset = event.fields.get("log_offset")
            return replace(s, scanned_bytes=offset if isinstance(offset, int) else s.scanned_bytes)
        case e.StopRequested():
            return replace(s, stop_requested=s.stop_requested or event.why)
        case e.JobEnded():
            # What was pulled while the job ran is not the last word on it.
            over = replace(s, artifacts=(), log_bytes=event.log_bytes)
            return replace(over, job_ended=True, job_exit_code=event.exit_code, job_why=event.why)
        case e.ArtifactPullCompleted():
            pulled = Artifact(
                "success", event.duration_sec, event.files, event.bytes, event.bytes_transferred, event.sha256
            )
            return with_artifact(s, event.label, pulled)
        case e.ArtifactPullFailed():
            return with_artifact(s, event.label, Artifact("failed", event.duration_sec, error=event.error))
        case e.ArtifactSkipped():
            return with_artifact(s, event.label, Artifact("skipped"))
    return s


def with_artifact(s: State, label: str, artifact: Artifact) -> State:
    """The state with the latest word on one artifact."""
    others = tuple(row for row in s.artifacts if row[0] != label)
    return replace(s, artifacts=(*others, (label, artifact)))
