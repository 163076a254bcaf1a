"""Events of the run as a whole and of its phases."""

from __future__ import annotations

from dataclasses import dataclass

from .event import Event


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run directory is ours."""

    run_id: str
    job_name: str
    tool_version: str
    success_marker: str | None = None
    """The config's success marker; journals of older versions do not have it."""


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
class Interrupted(Event):
    """A signal asked us to end."""

    signal: str


@dataclass(frozen=True, kw_only=True)
class Detached(Event):
    """We leave; the pod goes on under its guard."""

    why: str
    """`asked` or `ssh_lost`."""


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The run is over."""

    outcome: str
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class Billed(Event):
    """RunPod's bill was asked what the run's pods were billed for the hours of the run."""

    usd: float | None
    """None: the bill cannot tell the run from another one that used the same pod in the same hour."""
    settled: bool
    """Whether the bill has gone beyond the run, so that nothing more is to come."""
