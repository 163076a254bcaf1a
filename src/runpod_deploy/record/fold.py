"""The fold: what is true of a run after one more event. Pure, and the only way to a state.

There is one function for each part of the state. It is given the whole state before the event, and returns its
part as it is after the event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from . import events as e
from .fold_pod import cost, pod, request
from .parts import Artifact, End, Failure, JobState, PhaseTime, Progress, Work
from .reported import in_event, linked, reported
from .state import State


def fold(events: Iterable[e.Event], *, success_marker: str | None = None) -> State:
    """The state after these events; the success marker is for journals of versions that did not record it."""
    state = State(success_marker=success_marker)
    for event in events:
        state = apply(state, event)
    return state


def apply(s: State, event: e.Event) -> State:
    """The state after one more event."""
    if isinstance(event, e.Billed):  # learned afterwards; not an event of the run itself
        return replace(s, cost=replace(s.cost, billed_usd=event.usd, bill_settled=event.settled))
    started = event if isinstance(event, e.RunStarted) else None
    return State(
        run_id=started.run_id if started else s.run_id,
        success_marker=(started and started.success_marker) or s.success_marker,
        started_at=started.ts_utc if started else s.started_at,
        last_event=e.snake(type(event).__name__),
        last_at=event.ts_utc,
        progress=progress(s, event),
        request=request(s, event),
        pod=pod(s, event),
        cost=cost(s, event),
        job=job(s.job, event),
        work=work(s, event),
        end=end(s, event),
    )


def progress(s: State, event: e.Event) -> Progress:
    """The phases and processes after the event."""
    before = s.progress
    match event:
        case e.RunResumed():
            again = (*before.resumptions, (event.ts_utc, event.after))
            return replace(before, phases=cut_off(before.phases, s.last_at), resumptions=again)
        case e.PhaseStarted():
            begun = PhaseTime(event.phase, event.ts_utc)
            return replace(before, phase=event.phase, phases=(*before.phases, begun))
        case e.PhaseFinished() | e.PhaseFailed():
            return replace(before, phases=timed(before.phases, event.phase, event.duration_sec))
        case e.Interrupted() | e.Detached():
            return replace(before, phases=cut_off(before.phases, event.ts_utc))
    return before


def cut_off(phases: tuple[PhaseTime, ...], at: datetime) -> tuple[PhaseTime, ...]:
    """The phases, where a phase that was left before its end has lasted until then."""
    return tuple(
        p if p.duration_s is not None else replace(p, duration_s=since(p.started_at, at), broken_off=True)
        for p in phases
    )


def since(start: datetime, end: datetime) -> float:
    """Seconds from one to the other, as durations are recorded."""
    return round(max(0.0, (end - start).total_seconds()), 3)


def timed(phases: tuple[PhaseTime, ...], name: str, duration_s: float) -> tuple[PhaseTime, ...]:
    """The phases, with the duration of the one that ends."""
    rows = (replace(p, duration_s=duration_s) if p.name == name and p.duration_s is None else p for p in phases)
    return tuple(rows)


def job(before: JobState, event: e.Event) -> JobState:
    """The job after the event."""
    match event:
        case e.PodCreated(taken_over=e.TakenOver() as taken) | e.RunTakenBack(taken_over=taken):
            return replace(before, pid=before.pid or taken.job_pid)
        case e.JobLaunched():
            return replace(before, pid=event.pid)
        case e.RemoteStepStarted():
            return replace(before, step=event.name, scanned_bytes=event.log_offset)
        case e.RemoteStepCompleted():
            step = None if before.step == event.name else before.step
            return replace(before, step=step, scanned_bytes=event.log_offset)
        case e.SuccessMarkerSeen():
            return replace(before, success_marker_seen=True, scanned_bytes=event.log_offset)
        case e.FailureMarkerSeen():
            seen = before.failure_markers_seen | {event.marker}
            return replace(before, failure_markers_seen=seen, scanned_bytes=event.log_offset)
        case e.JobEvent():
            offset = event.fields.get("log_offset")
            scanned = offset if isinstance(offset, int) else before.scanned_bytes
            numbers = reported(before.metrics, in_event(event.fields))
            links = linked(before.links, event.name, event.fields)
            return replace(before, scanned_bytes=scanned, metrics=numbers, links=links)
        case e.ArtifactMetricsRead():
            return replace(before, metrics=reported(before.metrics, event.metrics.items()))
        case e.StopRequested():
            return replace(before, stop_requested=before.stop_requested or event.why)
        case e.JobEnded():
            ended = replace(before, ended=True, exit_code=event.exit_code, why=event.why, note=event.note)
            return replace(ended, log_bytes=event.log_bytes)
        case e.LogTruncated():
            return replace(before, log_begin=event.log_bytes)
        case e.ProcessesLeft() | e.IdleProcessesEnded():
            return replace(before, noticed=before.noticed | {e.snake(type(event).__name__)})
    return before


def work(s: State, event: e.Event) -> Work:
    """The work around the job after the event."""
    before = s.work
    match event:
        case e.PodCreated(taken_over=e.TakenOver() as taken) | e.RunTakenBack(taken_over=taken):
            return done_elsewhere(before, taken)
        case e.CommandFinished(exit_code=0):
            return replace(before, commands_done=before.commands_done | {(event.section, event.index)})
        case e.StageFinished():
            return replace(before, staged=before.staged | {event.label})
        case e.SecretWritten():
            return replace(before, secrets=before.secrets | {event.name})
        case e.SecretsRemoved():
            return replace(before, secrets=before.secrets - set(event.names))
        case e.JobEnded():
            return replace(before, artifacts=())  # pulls made while the job ran may be incomplete
        case e.ArtifactPullCompleted() | e.ArtifactPullFailed() | e.ArtifactSkipped():
            others = tuple(row for row in before.artifacts if row[0] != event.label)
            return replace(before, artifacts=(*others, (event.label, pulled(event))))
        case e.PhaseFinished(phase="collect") if could_collect(s):
            return replace(before, collected=True)
        case e.PhaseFailed(phase="collect") if not s.end.reopened:
            return replace(before, collected=False)
    return before


def done_elsewhere(before: Work, taken: e.TakenOver) -> Work:
    """The work, with what another machine has done on the pod."""
    commands = {(command.section, command.index) for command in taken.commands}
    return replace(
        before,
        commands_done=before.commands_done | commands,
        staged=before.staged | set(taken.staged),
        secrets=before.secrets | set(taken.secrets),
    )


def pulled(event: e.ArtifactPullCompleted | e.ArtifactPullFailed | e.ArtifactSkipped) -> Artifact:
    """The artifact as the event has it."""
    if isinstance(event, e.ArtifactSkipped):
        return Artifact("skipped")
    if isinstance(event, e.ArtifactPullFailed):
        return Artifact("failed", event.duration_sec, error=event.error)
    return Artifact("success", event.duration_sec, event.files, event.bytes, event.bytes_transferred, event.sha256)


def could_collect(s: State) -> bool:
    """Whether a collect phase that finished has collected: nothing comes from a pod that is released or silent."""
    return s.job.pid is None or (s.pod_answers and not s.end.released)


def end(s: State, event: e.Event) -> End:
    """The end of the run after the event."""
    before = s.end
    match event:
        case e.RunResumed():
            failures = before.closing_failures if before.reopened else ()
            return replace(before, detached=None, finished=False, closing_failures=failures)
        case e.PhaseFinished(phase="collect") if could_collect(s):
            kept = tuple(f for f in before.closing_failures if f.phase != "collect")
            return replace(before, closing_failures=kept)  # what could not be collected earlier is here now
        case e.PhaseFailed():
            return failed(before, event)
        case e.Interrupted() if before.reopened:
            failure = Failure("interrupted", s.progress.phase, f"interrupted by {event.signal}")
            return replace(before, reopen_failure=failure)
        case e.Interrupted():
            return replace(before, interrupted=event.signal, wish=event.release or before.wish)
        case e.Detached():
            elsewhere = Failure("busy", s.progress.phase, event.message, event.hint) if event.message else None
            return replace(before, detached=event.why, elsewhere=elsewhere)
        case e.PodRequested() | e.PodCreated() | e.PodRecycled():
            return replace(before, released=False)
        case e.PodReopening():
            return replace(before, reopened=True, reopen_failure=None, released=False, finished=False)
        case e.ReleaseStarted():
            return replace(before, release_action=event.action)
        case e.PodReleased():
            status = event.last_state or s.pod.final_state
            return replace(before, released=True, reopened=False, status_before=status)
        case e.RunFinished():
            return replace(before, finished=True, finished_at=event.ts_utc)
        case e.OnEndStarted():
            return replace(before, on_end_started=True)
    return before


def failed(before: End, event: e.PhaseFailed) -> End:
    """The end with the phase's error; the first error on the way forward is the run's."""
    failure = Failure(event.kind, event.phase, event.message, event.hint)
    if before.reopened and event.phase != "release":
        return replace(before, reopen_failure=before.reopen_failure or failure)
    if event.phase in ("collect", "release"):
        return replace(before, closing_failures=(*before.closing_failures, failure))
    return replace(before, forward_failure=before.forward_failure or failure)
