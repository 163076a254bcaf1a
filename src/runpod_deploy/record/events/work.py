"""Events of the work on the pod: commands, secrets, transfers, the job, what comes home."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .event import Event


@dataclass(frozen=True, kw_only=True)
class PythonPinned(Event):
    """The pod's interpreter is the one that the config asks for."""

    version: str


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
    """A staging entry is about to be sent."""

    label: str
    files: int = 0
    """Files that differ from those on the pod, and so have to be sent."""
    bytes: int = 0
    """Their size."""


@dataclass(frozen=True, kw_only=True)
class StageProgressed(Event):
    """A staging entry or a pull is under way; at most one row a second."""

    label: str
    bytes: int
    """Moved so far, of of_bytes."""
    files: int = 0
    of_files: int = 0
    of_bytes: int = 0


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
    """Somebody works on the run; one a minute."""

    phase: str
    doing: str = ""
    """What the phase is at: a stage of the boot, a command, a transfer, a step of the job."""
    elapsed_sec: float
    spent_usd: float
    cost_cap_usd: float
    log_bytes: int = 0


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
