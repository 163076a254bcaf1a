"""Events of the work on the pod around the job: commands, secrets, transfers, the connection, artifacts."""

from __future__ import annotations

from dataclasses import dataclass

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
    """The secrets were removed from the pod."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SecretsLeft(Event):
    """Secrets could not be removed from the pod."""

    names: tuple[str, ...]
    error: str


@dataclass(frozen=True, kw_only=True)
class StageStarted(Event):
    """The upload of a staging entry begins."""

    label: str
    files: int = 0
    """Files that differ from those on the pod, and so must be uploaded."""
    bytes: int = 0
    """Their size."""


@dataclass(frozen=True, kw_only=True)
class StageProgressed(Event):
    """Progress of an upload or download; at most one row a second."""

    label: str
    bytes: int
    """Bytes transferred so far, out of of_bytes."""
    files: int = 0
    of_files: int = 0
    of_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class StageFinished(Event):
    """A staging entry was uploaded: the pod has what its source has."""

    label: str
    files: int
    bytes: int
    bytes_transferred: int
    duration_sec: float
    removed: int = 0
    """Files on the pod that were deleted, since they are not in the source."""
    removed_bytes: int = 0
    removed_largest: tuple[str, ...] = ()
    """The five largest of them, each with its size."""
    links_out: int = 0
    """Links that were uploaded as links although they lead out of the source."""
    links_out_first: tuple[str, ...] = ()
    """The first of them, each with its target."""


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Event):
    """A process works on the run; one row a minute."""

    phase: str
    doing: str = ""
    """The current part of the phase: a stage of the boot, a command, a transfer, a step of the job."""
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
    """A telemetry record could not be fetched; the run goes on without it."""

    what: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ConnectionLost(Event):
    """The connection that follows the job broke."""

    error: str
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class ConnectionRestored(Event):
    """The connection is back, and the log goes on at the same byte."""

    log_bytes: int
    lost_sec: float


@dataclass(frozen=True, kw_only=True)
class RemoteLogPullFailed(Event):
    """The end of the job's log could not be fetched."""

    path: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ArtifactPullStarted(Event):
    """An artifact is being pulled."""

    label: str


@dataclass(frozen=True, kw_only=True)
class ArtifactPullCompleted(Event):
    """An artifact was pulled and verified."""

    label: str
    duration_sec: float
    files: int
    bytes: int
    bytes_transferred: int
    sha256: str
    refused: int = 0
    """How many entries were not created here: links to what is not fetched, and protected places."""
    refused_first: tuple[str, ...] = ()
    """The first of them."""
    unresolved: int = 0
    """How many links lead nowhere on the pod."""
    unresolved_first: tuple[str, ...] = ()
    """The first of them."""


@dataclass(frozen=True, kw_only=True)
class ArtifactPullFailed(Event):
    """An artifact could not be pulled."""

    label: str
    duration_sec: float
    error: str


@dataclass(frozen=True, kw_only=True)
class ArtifactEmpty(Event):
    """A required artifact was pulled, and has no files."""

    label: str
    remote_path: str


@dataclass(frozen=True, kw_only=True)
class ArtifactMetricsRead(Event):
    """The numbers of an artifact with `metrics: true` are metrics of the run."""

    label: str
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ArtifactMetricsUnreadable(Event):
    """An artifact with `metrics: true` was pulled, but its numbers cannot be read. The run goes on without them."""

    label: str
    error: str


@dataclass(frozen=True, kw_only=True)
class ArtifactSkipped(Event):
    """An optional artifact is not on the pod."""

    label: str
    reason: str
