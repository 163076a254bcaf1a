"""What a guard asks the API for, case by case: one table for the shell's guard and for the one in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class When:
    """Terms of a guard, in seconds from its start."""

    deadline_s: int
    idle_s: int = 3600
    on_failure: str = "stop"
    ended_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCase:
    """The pod as the guard finds it at its start, and what it asks for within a few seconds."""

    name: str
    boot: When | None = None
    """The terms in the container's variables."""
    armed: When | None = None
    """The terms in its file, as a client has written them."""
    job_over: bool = False
    """Whether a job was started, and runs no more."""
    rest: bool = False
    disarmed: bool = False
    refused: tuple[str, ...] = ()
    """What the API refuses."""
    asks: tuple[str, ...] = ()
    """delete, terminate and stop, in this order; nothing if empty."""


PASSED, SOON, LATER = -1, 1, 3600
CASES = (
    GuardCase(name="deadline, no job", armed=When(PASSED), asks=("delete",)),
    GuardCase(name="deadline, job, stop", armed=When(PASSED), job_over=True, asks=("stop",)),
    GuardCase(name="deadline, job, delete", armed=When(PASSED, on_failure="delete"), job_over=True, asks=("delete",)),
    GuardCase(name="deadline, job, preserve", armed=When(PASSED, on_failure="preserve"), job_over=True),
    GuardCase(name="deadline, no job, preserve", armed=When(PASSED, on_failure="preserve"), asks=("delete",)),
    GuardCase(name="deadline to come", armed=When(LATER)),
    GuardCase(name="idle, no job", armed=When(LATER, idle_s=1), asks=("delete",)),
    GuardCase(name="idle, job over", armed=When(LATER, idle_s=1), job_over=True, asks=("stop",)),
    GuardCase(name="idle for long enough after a job", armed=When(LATER, ended_s=1), job_over=True, asks=("stop",)),
    GuardCase(name="idle, and its job is still to come", armed=When(LATER, ended_s=1)),
    GuardCase(name="disarmed", armed=When(PASSED), disarmed=True),
    GuardCase(name="boot deadline", boot=When(SOON), asks=("delete",)),
    GuardCase(name="boot deadline to come", boot=When(LATER)),
    GuardCase(name="boot, idle", boot=When(LATER, idle_s=1), asks=("delete",)),
    GuardCase(name="boot deadline long passed: started again by a person", boot=When(-86_400)),
    GuardCase(name="started again and left alone", boot=When(-86_400, idle_s=1), asks=("stop",)),
    GuardCase(name="a start on purpose", boot=When(LATER, idle_s=1), armed=When(PASSED), rest=True, asks=("stop",)),
    GuardCase(name="a start on purpose, in time", boot=When(LATER), armed=When(PASSED), rest=True),
    GuardCase(name="the file before the variables", boot=When(SOON), armed=When(LATER)),
    GuardCase(name="delete refused", armed=When(PASSED), refused=("delete",), asks=("delete", "terminate")),
    GuardCase(
        name="nothing but stop allowed",
        armed=When(PASSED),
        refused=("delete", "terminate"),
        asks=("delete", "terminate", "stop"),
    ),
)
