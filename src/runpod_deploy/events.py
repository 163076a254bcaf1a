"""What happened: one frozen dataclass an event, and their rows on disk. Knows no file.

A row is `{"ts_utc": …, "event": "pod_created", …fields}`. The names and fields that drivers of the wild read are
kept (`datacenter_failover`, `gpu_selected`, `remote_step_started`, `artifact_pull_completed`,
`pod_killed_unexpected`, …). Rows that the job itself asked for carry `"source": "job"`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .pods import Candidate

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a run."""

    ts_utc: datetime = NEVER
    """When; set by the run that records it."""


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run directory is ours."""

    run_id: str
    job_name: str
    tool_version: str


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """Another process goes on from the journal."""

    after: str
    """The last event that the earlier process recorded."""


@dataclass(frozen=True, kw_only=True)
class PhaseStarted(Event):
    """A phase began."""

    phase: str


@dataclass(frozen=True, kw_only=True)
class PhaseFinished(Event):
    """A phase reached its postcondition."""

    phase: str
    duration_sec: float


@dataclass(frozen=True, kw_only=True)
class PhaseFailed(Event):
    """A phase ended with an error of ours."""

    phase: str
    kind: str
    message: str
    hint: str = ""
    transient: bool = False
    duration_sec: float = 0.0
    detail: str = ""
    """Traceback of a defect of the tool; empty for the errors that we know."""


@dataclass(frozen=True, kw_only=True)
class CandidatesChosen(Event):
    """The ranked combinations that will be tried."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()
    """Reasons why others will not."""

    def __post_init__(self) -> None:
        rows = (Candidate(**c) if isinstance(c, dict) else c for c in self.candidates)
        object.__setattr__(self, "candidates", tuple(rows))
        object.__setattr__(self, "skipped", tuple(self.skipped))


@dataclass(frozen=True, kw_only=True)
class PodRequested(Event):
    """A pod is about to be asked for: written before the call, so that a crash leaves a name to search for."""

    name: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str


@dataclass(frozen=True, kw_only=True)
class DatacenterFailover(Event):
    """A request was refused."""

    from_: str
    to: str | None
    """The datacenter that is tried next; None at the end of the list."""
    reason: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str


@dataclass(frozen=True, kw_only=True)
class PodRefused(Event):
    """A request was refused for a reason that no other candidate would mend: key, balance, a broken rule."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CloudTypeFallback(Event):
    """The pod was placed on the second cloud."""

    from_cloud_type: str
    to_cloud_type: str
    gpu_id: str
    datacenter_id: str


@dataclass(frozen=True, kw_only=True)
class GpuSelected(Event):
    """What the pod was placed with."""

    gpu_id: str
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class PodCreated(Event):
    """The pod exists, and its price is known."""

    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None
    cloud_type: str | None
    usd_per_hour: float
    price_source: str
    """`pod_describe`, `catalogue` or `assumed_rate`."""
    created_at: datetime
    stop_at: datetime
    stop_why: str
    adopted: bool = False
    """Whether it was found by its name rather than answered by the create call."""


@dataclass(frozen=True, kw_only=True)
class PodRecycled(Event):
    """A paused pod of an earlier run is about to be started: from here on it is this run's."""

    pod_id: str
    name: str
    gpu_id: str | None
    datacenter_id: str | None
    cloud_type: str | None


@dataclass(frozen=True, kw_only=True)
class PodResumed(Event):
    """The recycled pod runs again, and its price is known."""

    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None
    usd_per_hour: float
    price_source: str
    created_at: datetime
    """When it was started again: what it cost before is not this run's."""
    stop_at: datetime
    stop_why: str


@dataclass(frozen=True, kw_only=True)
class PythonPinned(Event):
    """The pod's interpreter is the one that the config asks for."""

    version: str


@dataclass(frozen=True, kw_only=True)
class PodBooting(Event):
    """The boot entered another stage: placing, image_pull, starting, sshd."""

    stage: str
    elapsed_sec: float


@dataclass(frozen=True, kw_only=True)
class PodReachable(Event):
    """The pod answers over SSH."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class PodAbandoned(Event):
    """The pod never booted, and will be deleted: written before the call."""

    pod_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PodDiscarded(Event):
    """The abandoned pod is confirmed to be gone."""

    pod_id: str


@dataclass(frozen=True, kw_only=True)
class GuardArmed(Event):
    """The guard on the pod has proved that it lives."""

    deadline_at: datetime


@dataclass(frozen=True, kw_only=True)
class GuardMissing(Event):
    """The guard did not answer, and the config allows to go on without it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CommandStarted(Event):
    """A setup or preflight command began."""

    section: str
    index: int
    command: str


@dataclass(frozen=True, kw_only=True)
class CommandFinished(Event):
    """A setup or preflight command ended."""

    section: str
    index: int
    exit_code: int
    duration_sec: float


@dataclass(frozen=True, kw_only=True)
class CommandSilent(Event):
    """A command has printed nothing for a while."""

    section: str
    index: int
    silent_sec: float


@dataclass(frozen=True, kw_only=True)
class SecretWritten(Event):
    """A secret is on the pod; its value is nowhere else."""

    name: str
    destination: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class SecretsRemoved(Event):
    """The secrets are off the pod again."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StageStarted(Event):
    """A staging entry began."""

    label: str


@dataclass(frozen=True, kw_only=True)
class StageProgressed(Event):
    """A staging entry or a pull is under way."""

    label: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class StageFinished(Event):
    """A staging entry equals its source."""

    label: str
    files: int
    bytes: int
    bytes_transferred: int
    duration_sec: float


@dataclass(frozen=True, kw_only=True)
class JobLaunched(Event):
    """The job runs on the pod, detached from us."""

    pid: int


@dataclass(frozen=True, kw_only=True)
class RemoteStepStarted(Event):
    """The job printed `__RUNPOD_STEP_START__name__`."""

    name: str
    log_offset: int = 0
    """Bytes of the log up to the end of that line."""


@dataclass(frozen=True, kw_only=True)
class RemoteStepCompleted(Event):
    """The job printed `__RUNPOD_STEP_DONE__name__`."""

    name: str
    log_offset: int = 0
    """Bytes of the log up to the end of that line."""


@dataclass(frozen=True, kw_only=True)
class SuccessMarkerSeen(Event):
    """The success marker appeared in the log."""

    marker: str
    log_offset: int = 0


@dataclass(frozen=True, kw_only=True)
class FailureMarkerSeen(Event):
    """A failure marker appeared in the log."""

    marker: str
    line: str
    configured: bool
    """Whether the config asked for it; only then it ends the job."""
    log_offset: int = 0


@dataclass(frozen=True, kw_only=True)
class JobEvent(Event):
    """A row that the job itself asked for with a `__RUNPOD_EVENT__` line."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Event):
    """All is well."""

    phase: str
    elapsed_sec: float
    spent_usd: float
    cost_cap_usd: float
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class Retried(Event):
    """Something failed and will be tried again."""

    what: str
    error: str
    in_sec: float


@dataclass(frozen=True, kw_only=True)
class SnapshotFailed(Event):
    """Something that telemetry asks for could not be had; the run goes on without it."""

    what: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ConnectionLost(Event):
    """The follow channel broke."""

    error: str
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class ConnectionRestored(Event):
    """The follow channel goes on at the same byte."""

    log_bytes: int
    lost_sec: float


@dataclass(frozen=True, kw_only=True)
class StopRequested(Event):
    """The job is about to be stopped by us."""

    why: str


@dataclass(frozen=True, kw_only=True)
class JobEnded(Event):
    """The job is over."""

    exit_code: int | None
    why: str
    """`exited`, or the kind of failure that ended it."""
    log_bytes: int = 0
    """How long its log is."""


@dataclass(frozen=True, kw_only=True)
class PodKilledUnexpected(Event):
    """The pod was ended by somebody else than us."""

    state: str | None
    note: str
    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class RemoteLogPullFailed(Event):
    """The end of the job's log could not be had."""

    path: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ArtifactPullStarted(Event):
    """An artifact is being pulled."""

    label: str


@dataclass(frozen=True, kw_only=True)
class ArtifactPullCompleted(Event):
    """An artifact is here, verified."""

    label: str
    duration_sec: float
    files: int
    bytes: int
    bytes_transferred: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ArtifactPullFailed(Event):
    """An artifact could not be pulled."""

    label: str
    duration_sec: float
    error: str


@dataclass(frozen=True, kw_only=True)
class ArtifactSkipped(Event):
    """An optional artifact is not on the pod."""

    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Interrupted(Event):
    """A signal asked us to end."""

    signal: str


@dataclass(frozen=True, kw_only=True)
class Detached(Event):
    """We leave; the pod goes on under its guard."""

    why: str
    """`asked` or `ssh_lost`."""


@dataclass(frozen=True, kw_only=True)
class ReleaseStarted(Event):
    """The lifecycle action is about to be carried out."""

    action: str


@dataclass(frozen=True, kw_only=True)
class PodReleased(Event):
    """The API has confirmed that the pod is as the policy asks."""

    action: str
    state: str | None
    """The pod's last status; None: there is no such pod."""


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The run is over."""

    outcome: str
    exit_code: int


def snake(name: str) -> str:
    """`PodCreated` as `pod_created`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


KINDS: dict[str, type[Event]] = {snake(kind.__name__): kind for kind in Event.__subclasses__()}


def to_row(event: Event) -> dict[str, Any]:
    """The event as its row on disk, times as ISO text."""
    if isinstance(event, JobEvent):
        own = {"source": "job", **{k: v for k, v in event.fields.items() if k not in ("event", "source")}}
        return {"ts_utc": event.ts_utc.isoformat(), "event": event.name, **own}
    row: dict[str, Any] = {"ts_utc": event.ts_utc.isoformat(), "event": snake(type(event).__name__)}
    for name, value in dataclasses.asdict(event).items():
        row.setdefault(name.rstrip("_"), value.isoformat() if isinstance(value, datetime) else value)
    return row


def from_row(row: dict[str, Any]) -> Event | None:
    """The event of a row, or None for a row that is not one of ours. Fields that we do not know are left out."""
    stamp = instant(row.get("ts_utc")) or NEVER
    if row.get("source") == "job":
        fields = {k: v for k, v in row.items() if k not in ("ts_utc", "event", "source")}
        return JobEvent(ts_utc=stamp, name=str(row.get("event")), fields=fields)
    kind = KINDS.get(str(row.get("event")))
    if kind is None or kind is JobEvent:
        return None
    values = {f.name: row[f.name.rstrip("_")] for f in dataclasses.fields(kind) if f.name.rstrip("_") in row}
    values |= {name: instant(value) for name, value in values.items() if name.endswith("_at")}
    try:
        return kind(**{**values, "ts_utc": stamp})
    except TypeError:  # a row of that name by another tool, without the fields that we rely on
        return None


def instant(text: object) -> datetime | None:
    """The aware datetime of an ISO text, or None."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
