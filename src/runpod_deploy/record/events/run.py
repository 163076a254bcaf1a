"""Events of the run as a whole and of its phases."""

from __future__ import annotations

from dataclasses import dataclass

from .event import Event
from .taken import TakenOver


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run began: it has a folder, and this process carries it out."""

    run_id: str
    job_name: str
    tool_version: str
    success_marker: str | None = None
    """The config's success marker; journals of older versions do not have it."""
    token: str = ""
    """The random token that the run's pods bear; empty in journals of older versions."""


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """Another process goes on with the run, from its journal."""

    after: str
    """The last event that the earlier process recorded."""


@dataclass(frozen=True, kw_only=True)
class RunTakenBack(Event):
    """Another machine took this run over, and has gone: the run goes on here again."""

    taken_over: TakenOver


@dataclass(frozen=True, kw_only=True)
class KeyChanged(Event):
    """The run goes on with another API key than before, which sees the run's pod and so belongs to the same account."""

    account: str
    """The hash of the new key."""


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
    """A phase ended with an error."""

    phase: str
    kind: str
    message: str
    hint: str = ""
    transient: bool = False
    duration_sec: float = 0.0
    detail: str = ""
    """Traceback of a defect of the tool; empty for known errors."""


@dataclass(frozen=True, kw_only=True)
class ListenerFailed(Event):
    """Something that shows or summarizes the run had a defect; the run goes on without it."""

    listener: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Interrupted(Event):
    """A signal asked us to end."""

    signal: str
    release: str = ""
    """The wish of `runpod-deploy stop` for the pod, `stop` or `delete`; empty: as `lifecycle.on_failure` says."""


@dataclass(frozen=True, kw_only=True)
class Detached(Event):
    """This process leaves; the job goes on, and the pod's guard ends the pod at the limit."""

    why: str
    """`asked`, `ssh_lost`, `elsewhere` if another machine has the run, or `handed_over` to a script that works on the
    pod itself."""
    message: str = ""
    """What is known of the other machine."""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The run is over."""

    outcome: str
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class OnEndStarted(Event):
    """The command `on_end` is about to be started. It is never started again, even if this process dies now."""


@dataclass(frozen=True, kw_only=True)
class OnEndFinished(Event):
    """The command `on_end` has ended, or could not be carried out. The run's outcome and exit code do not change."""

    exit_code: int | None
    """None if it was not started, or took too long and was ended."""
    duration_sec: float
    error: str = ""
