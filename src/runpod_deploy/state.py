"""What is true of a run: a fold over its events, nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from . import events as e
from .errors import KINDS
from .pods import Address, Candidate
from .verdict import verdict

Outcome = Literal["succeeded", "job_failed", "stopped", "failed", "interrupted", "unreleased"]
JOB_KINDS = ("job_failed", "marker_missing", "failure_marker")
LIMIT_KINDS = ("cost_cap", "max_runtime", "stalled")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not succeed."""

    kind: str
    phase: str
    message: str
    hint: str = ""

    @property
    def transient(self) -> bool:
        """Whether the same run may succeed later."""
        return KINDS[self.kind].transient


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """When a phase began and how long it took; None while it lasts."""

    name: str
    started_at: datetime
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """What became of one artifact."""

    status: str
    duration_s: float | None = None
    files: int | None = None
    bytes_total: int | None = None
    bytes_transferred: int | None = None
    sha256: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is true of a run."""

    run_id: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_event: str = ""
    phase: str = ""
    phases: tuple[PhaseTime, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    """(GPU, datacenter, cloud) of each refused request since the candidates were chosen."""
    requested: Candidate | None = None
    """A request whose answer is not in the journal: a pod of our name may exist."""
    ever_requested: bool = False
    pod_id: str | None = None
    pod_name: str | None = None
    """The run's id, or that of the run whose pod was recycled."""
    gpu_id: str | None = None
    datacenter_id: str | None = None
    cloud_type: str | None = None
    usd_per_hour: float | None = None
    price_source: str | None = None
    created_at: datetime | None = None
    stop_at: datetime | None = None
    stop_why: str = ""
    pod_resumed: bool = False
    abandoned: tuple[str, ...] = ()
    """Pods that never booted; the last may still exist."""
    discarding: str | None = None
    """An abandoned pod that is not confirmed to be gone."""
    past_usd: float = 0.0
    """What the discarded pods cost."""
    address: Address | None = None
    guarded: bool = False
    python_version: str | None = None
    commands_done: frozenset[tuple[str, int]] = frozenset()
    staged: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    job_pid: int | None = None
    success_marker_seen: bool = False
    markers_seen: frozenset[str] = frozenset()
    """Failure markers that the journal has already."""
    scanned_bytes: int = 0
    """The log has been looked at for marks up to here, at least."""
    step: str | None = None
    stop_requested: str | None = None
    job_ended: bool = False
    job_exit_code: int | None = None
    log_bytes: int = 0
    job_why: str = ""
    artifacts: tuple[tuple[str, Artifact], ...] = ()
    collected: bool = False
    forward_failure: Failure | None = None
    closing_failures: tuple[Failure, ...] = ()
    interrupted: str | None = None
    detached: str | None = None
    release_action: str | None = None
    released: bool = False
    released_at: datetime | None = None
    pod_final_state: str | None = None
    finished: bool = False

    def failure(self, marker: str | None) -> Failure | None:
        """Why the run did not succeed (marker: the configured success marker), or None."""
        if self.interrupted:
            return Failure("interrupted", self.phase, f"interrupted by {self.interrupted}")
        if self.forward_failure:
            return self.forward_failure
        return self.job_failure(marker) or next(iter(self.closing_failures), None)

    def job_failure(self, marker: str | None) -> Failure | None:
        """How the job failed, or None if it succeeded or has not ended."""
        if not self.job_ended:
            return None
        kind = verdict(self.job_exit_code, self.job_why, marker=marker, marker_seen=self.success_marker_seen)
        return Failure(kind, "watch", JOB_WORDS[kind].format(code=self.job_exit_code)) if kind else None

    def outcome(self, marker: str | None) -> Outcome:
        """One word for the whole run; the lifecycle action and the exit code come from it."""
        if self.finished and self.pod_may_exist:
            return "unreleased"
        return self.result(marker)

    def result(self, marker: str | None) -> Outcome:
        """The outcome, whatever becomes of the pod."""
        failure = self.failure(marker)
        if failure is None:
            return "succeeded" if self.collected else "failed"
        if failure.kind == "interrupted":
            return "interrupted"
        if failure.kind in LIMIT_KINDS:
            return "stopped"
        return "job_failed" if failure.kind in JOB_KINDS else "failed"

    def exit_code(self, marker: str | None) -> int:
        """The tool's exit code for a run that ends like this."""
        if self.detached:
            return KINDS["ssh_lost"].exit_code if self.detached == "ssh_lost" else 0
        if self.pod_may_exist:
            return KINDS["release_unconfirmed"].exit_code
        failure = self.failure(marker)
        return KINDS[failure.kind].exit_code if failure else 0

    @property
    def pod_may_exist(self) -> bool:
        """Whether a pod of ours may exist that is not as the policy asks."""
        return self.ever_requested and not self.released

    @property
    def may_go_forward(self) -> bool:
        """Whether anything but closing is left to do."""
        return not (self.forward_failure or self.interrupted or self.released or self.finished)


JOB_WORDS = {
    "job_failed": "the job exited with status {code}",
    "marker_missing": "the job exited with status 0 but its success marker never appeared in the log",
    "failure_marker": "a configured failure marker appeared in the job's log",
    "cost_cap": "the cost cap was reached",
    "max_runtime": "the time limit was reached",
    "stalled": "the job's log was silent for too long",
    "pod_killed_unexpected": "the pod was ended from outside while the job ran",
    "interrupted": "the job was stopped by an interrupt",
    "internal": "the job was stopped after a defect of the tool",
}


def fold(events: Iterable[e.Event]) -> State:
    """The state after these events."""
    state = State()
    for event in events:
        state = apply(state, event)
    return state


def apply(s: State, event: e.Event) -> State:
    """The state after one more event."""
    s = replace(s, last_event=e.snake(type(event).__name__))
    match event:
        case e.RunStarted():
            return replace(s, run_id=event.run_id, started_at=event.ts_utc)
        case e.RunResumed():
            return replace(s, detached=None, finished=False, closing_failures=())
        case e.PhaseStarted():
            begun = PhaseTime(event.phase, event.ts_utc)
            return replace(s, phase=event.phase, phases=(*s.phases, begun))
        case e.PhaseFinished():
            return ended(s, event.phase, event.duration_sec)
        case e.PhaseFailed():
            return failed(ended(s, event.phase, event.duration_sec), event)
        case e.CandidatesChosen():
            return replace(s, candidates=event.candidates, refused=())
        case e.Interrupted():
            return replace(s, interrupted=event.signal)
        case e.Detached():
            return replace(s, detached=event.why)
        case e.RunFinished():
            return replace(s, finished=True, finished_at=event.ts_utc)
    return apply_pod(s, event)


def ended(s: State, phase: str, duration_s: float) -> State:
    """The state with the running phase timed."""
    rows = list(s.phases)
    for i, row in enumerate(rows):
        if row.name == phase and row.duration_s is None:
            rows[i] = replace(row, duration_s=duration_s)
    done = s.collected or phase == "collect"
    return replace(s, phases=tuple(rows), collected=done)


def failed(s: State, event: e.PhaseFailed) -> State:
    """The state with the phase's error; the first error of the way forward is the run's."""
    failure = Failure(event.kind, event.phase, event.message, event.hint)
    if event.phase in ("collect", "release"):
        collected = s.collected and event.phase != "collect"
        return replace(s, closing_failures=(*s.closing_failures, failure), collected=collected)
    return replace(s, forward_failure=s.forward_failure or failure)


def apply_pod(s: State, event: e.Event) -> State:
    """The same for events about the pod."""
    match event:
        case e.PodRequested():
            asked = Candidate(gpu_id=event.gpu_id, datacenter_id=event.datacenter_id, cloud_type=event.cloud_type)
            return replace(s, requested=asked, ever_requested=True, released=False, pod_name=event.name)
        case e.DatacenterFailover():
            refused = (event.gpu_id, event.datacenter_id, event.cloud_type)
            return replace(s, requested=None, refused=(*s.refused, refused), ever_requested=has_pod(s))
        case e.PodRefused():
            return replace(s, requested=None, ever_requested=has_pod(s))
        case e.PodCreated():
            return replace(created(s, event), requested=None, ever_requested=True, released=False)
        case e.PodRecycled():
            return recycled(s, event)
        case e.PodResumed():
            return replace(
                s,
                pod_resumed=True,
                usd_per_hour=event.usd_per_hour,
                price_source=event.price_source,
                created_at=event.created_at,
                stop_at=event.stop_at,
                stop_why=event.stop_why,
            )
        case e.PodReachable():
            return replace(s, address=Address(host=event.host, port=event.port))
        case e.PodAbandoned():
            return replace(abandoned(s, event), address=None, guarded=False)
        case e.PodDiscarded():
            return replace(s, discarding=None, ever_requested=has_pod(s))
        case e.GuardArmed():
            return replace(s, guarded=True)
        case e.ReleaseStarted():
            return replace(s, release_action=event.action)
        case e.PodReleased():
            return replace(s, released=True, released_at=event.ts_utc, pod_final_state=event.state, requested=None)
        case e.PodKilledUnexpected():
            return replace(s, pod_final_state=event.state)
    return apply_work(s, event)


def has_pod(s: State) -> bool:
    """Whether a pod may exist beside the request that was just refused or the pod that was just discarded."""
    return s.pod_id is not None or s.discarding is not None


def created(s: State, event: e.PodCreated) -> State:
    """The state with its pod."""
    return replace(
        s,
        pod_id=event.pod_id,
        gpu_id=event.gpu_id,
        datacenter_id=event.datacenter_id,
        cloud_type=event.cloud_type,
        usd_per_hour=event.usd_per_hour,
        price_source=event.price_source,
        created_at=event.created_at,
        stop_at=event.stop_at,
        stop_why=event.stop_why,
    )


def recycled(s: State, event: e.PodRecycled) -> State:
    """The state with the pod of an earlier run."""
    return replace(
        s,
        pod_id=event.pod_id,
        pod_name=event.name,
        gpu_id=event.gpu_id,
        datacenter_id=event.datacenter_id,
        cloud_type=event.cloud_type,
        ever_requested=True,
        released=False,
    )


def abandoned(s: State, event: e.PodAbandoned) -> State:
    """The state without its pod, which never booted, but with its cost."""
    lasted_s = (event.ts_utc - s.created_at).total_seconds() if s.created_at else 0.0
    cost = (s.usd_per_hour or 0.0) * lasted_s / 3600
    refused = (s.gpu_id or "", s.datacenter_id or "", s.cloud_type or "")
    return replace(
        s,
        pod_id=None,
        discarding=event.pod_id,
        abandoned=(*s.abandoned, event.pod_id),
        refused=(*s.refused, refused),
        past_usd=s.past_usd + cost,
        pod_resumed=False,
        created_at=None,
    )


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
            return replace(s, scanned_bytes=int(event.fields.get("log_offset") or s.scanned_bytes))
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
