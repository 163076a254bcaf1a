"""Events of the job: its launch, its markers, its own rows, its processes and its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .event import Event


@dataclass(frozen=True, kw_only=True)
class JobLaunched(Event):
    """The job runs on the pod, and does not depend on our connection."""

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
    """Whether the config lists this marker; only then it ends the job."""
    log_offset: int = 0


@dataclass(frozen=True, kw_only=True)
class StopFailed(Event):
    """The pod could not stop the job; its release ends every process."""

    error: str


@dataclass(frozen=True, kw_only=True)
class JobRowsLimited(Event):
    """The job has added as many events and steps as it may; later ones stay in its log only."""

    limit: int
    log_offset: int


@dataclass(frozen=True, kw_only=True)
class JobEvent(Event):
    """A row that the job itself added with a `__RUNPOD_EVENT__` line."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


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
    """Length of the log."""
    note: str = ""
    """What else is known about the end: the file that ended the shell, the processes that were left."""


@dataclass(frozen=True, kw_only=True)
class LogTruncated(Event):
    """The job has emptied its log. The copy here keeps what it has, and goes on with what is written next."""

    log_bytes: int
    """Bytes of the log that had arrived by then."""


@dataclass(frozen=True, kw_only=True)
class ControlFolderLost(Event):
    """The job has removed the tool's own folder on the pod. The job goes on, and so do its log and its guard."""


@dataclass(frozen=True, kw_only=True)
class ProcessesLeft(Event):
    """The job's script has ended with status 0, and processes that it started still run."""

    processes: tuple[str, ...]
    """Process id and command line of each."""


@dataclass(frozen=True, kw_only=True)
class IdleProcessesEnded(Event):
    """The processes that the job had left were idle, and were ended."""

    processes: tuple[str, ...]
    """Process id and command line of each."""
