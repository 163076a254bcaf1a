"""What the pod tells about the job besides its log: its end, its processes, and what it did to parts of ours."""

from __future__ import annotations

from collections.abc import Iterator

from ..machine.limits import JOB_ROWS
from ..machine.reading import read_end
from ..pod.protocol import JobEnd, Notice
from ..record.events import (
    ControlFolderLost,
    Event,
    GuardLost,
    IdleProcessesEnded,
    JobEnded,
    LogTruncated,
    ProcessesLeft,
    snake,
)
from ..record.log_mirror import LogMirror
from ..record.verdict import cause_of_end
from ..run import Run
from . import guard_terms

TAIL_BYTES = 4096
MANY, TOLD_EVERY_S = 100, 10.0
NOT_BEGUN = "runpod-deploy: the job did not begin: "
"""The start of the last line of the log of a job whose environment ended its shell; see scripts/job.sh."""


def mirror_of(run: Run) -> LogMirror:
    """The copy of the job's log, as far as the journal and the run folder have it."""
    job = run.state.job
    return LogMirror(run.dir.log, run.spec.job.run, scanned_bytes=job.scanned_bytes, begin=job.log_begin)


def take_notice(run: Run, mirror: LogMirror, notice: Notice) -> Iterator[Event]:
    """The journal has the notice, and what it needs is done. The markers that it completes. Raises SshLost."""
    match notice.word:
        case "truncated":
            yield from mirror.truncated()
            if mirror.truncations <= JOB_ROWS:
                run.record(LogTruncated(log_bytes=mirror.begin))
        case "guard" if run.state.pod.guard_deadline_at and is_due(run, GuardLost):
            run.record(GuardLost())
            arm_again(run)
        case "folder" if is_due(run, ControlFolderLost):
            run.record(ControlFolderLost())
            arm_again(run)
        case "left":
            record_once(run, ProcessesLeft(processes=notice.lines))
        case "idle":
            record_once(run, IdleProcessesEnded(processes=notice.lines))


def is_due(run: Run, kind: type[Event]) -> bool:
    """Whether a part of ours that the pod tells as lost is looked after. After many times, only now and then.

    A pod that means harm could tell it without end.
    """
    run.losses += 1
    last = run.recorded_at.get(kind)
    return run.losses <= MANY or last is None or run.world.clock.monotonic() - last >= TOLD_EVERY_S


def arm_again(run: Run) -> None:
    """A guard that was armed runs with the terms in force, or the journal says why not. Raises SshLost."""
    deadline = run.state.pod.guard_deadline_at
    if deadline is not None:
        guard_terms.arm_again(run, deadline)


def record_once(run: Run, event: Event) -> None:
    """The journal has such an event once: a new follow channel tells it again."""
    if snake(type(event).__name__) not in run.state.job.noticed:
        run.record(event)


def ended(run: Run, end: JobEnd, mirror: LogMirror) -> JobEnded:
    """The event for the end of the job."""
    job, limit = run.state.job, run.state.cost.stop_why
    why = cause_of_end(stopped=end.stopped, asked=job.stop_requested, limit=limit, flaw=end.flaw)
    note = not_begun(mirror) if why == "preamble_failed" else ""
    return JobEnded(exit_code=end.exit_code, why=why, log_bytes=mirror.received, note=note)


def not_begun(mirror: LogMirror) -> str:
    """The reason in the last line of a log whose job never began, or nothing."""
    try:
        return read_end(mirror.path, TAIL_BYTES).decode(errors="replace").rpartition(NOT_BEGUN)[2].strip()
    except OSError:
        return ""
