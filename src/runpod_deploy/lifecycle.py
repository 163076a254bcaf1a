"""The story of a run: read this page first.

A `Spec` says what was asked. A list of events on disk says what happened. A `State`, folded from the events, says what
is true. A run goes FORWARD until the first error and then, in every case, through CLOSING. Each phase looks, acts and
records: to run it twice is the same as to run it once, so to resume a run is to run it again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from . import __version__
from .errors import DeployError, Interrupt
from .phases.account import same_account
from .phases.check import check
from .phases.choose import choose
from .phases.collect import collect
from .phases.commands import preflight, setup
from .phases.connect import connect
from .phases.leaving import Detach
from .phases.paused import reopen
from .phases.provision import provision
from .phases.release import release
from .phases.secret_files import secrets
from .phases.stage import launch, stage
from .phases.watch import watch
from .record.events import (
    Detached,
    Interrupted,
    PhaseFailed,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunResumed,
    RunStarted,
)
from .record.state import State
from .record.stop_request import take_wish
from .run import Run

Phase = Callable[[Run], None]

FORWARD: tuple[Phase, ...] = (
    check,
    choose,
    provision,
    connect,
    setup,
    secrets,
    stage,
    preflight,
    launch,
    watch,
)
CLOSING: tuple[Phase, ...] = (collect, release)


def carry_out(run: Run) -> State:
    """The run is carried out from where its journal ends until its pod is released. Safe to call again.

    Raises AuthRefused if the run's pod belongs to another account than the API key: then nothing was done.
    """
    if run.state.end.finished and not run.state.pod_may_exist:
        return run.state
    same_account(run)
    with leaving(run):
        try:
            begin(run)
            forward(run)
        except Interrupt as interrupt:
            record_interrupt(run, interrupt.signal_name)
        close(run)
    return run.state


@contextmanager
def leaving(run: Run) -> Iterator[None]:
    """The block was carried out, or the journal says why this process has left a run that goes on without it."""
    try:
        yield
    except Detach as detach:
        with run.signals.held():
            run.record(Detached(why=detach.why, message=detach.message, hint=detach.hint))


def end_now(run: Run) -> State:
    """The run is ended from where its journal ends: its job is stopped, its results are here, its pod is released.

    Safe to call again. Raises AuthRefused as `carry_out` does.
    """
    if run.state.end.finished and not run.state.pod_may_exist:
        return run.state
    same_account(run)
    with leaving(run):
        with run.signals.held():
            begin(run)
            if run.state.may_go_forward:
                record_interrupt(run, "SIGINT")
        close(run)
    return run.state


def record_interrupt(run: Run, signal_name: str) -> None:
    """The journal has the signal, and the wish for the pod of the `stop` command that may have sent it."""
    run.record(Interrupted(signal=signal_name, release=take_wish(run.dir)))


def pull_paused(run: Run) -> State:
    """The artifacts on the paused pod of a finished run are here, and the pod is paused again. Safe to call again."""
    try:
        if step(run, reopen):
            step(run, connect)
    except Interrupt as interrupt:
        run.record(Interrupted(signal=interrupt.signal_name))
    close(run)
    return run.state


def begin(run: Run) -> None:
    """The journal says that a process works on the run."""
    if run.state.run_id is None:
        job, marker = run.spec.job, run.spec.job.run.success_marker
        begun = RunStarted(run_id=run.spec.run_id, job_name=job.name, tool_version=__version__, success_marker=marker)
        run.record(replace(begun, token=run.spec.token))
    else:
        run.record(RunResumed(after=run.state.last_event))


def forward(run: Run) -> None:
    """Every phase has reached its postcondition, or the error of the first one that failed is recorded."""
    if not run.state.may_go_forward:
        return
    for phase in FORWARD:
        if not step(run, phase):
            return


def close(run: Run) -> None:
    """Every closing phase has been tried, and the end of the run is recorded. No signal prevents the release."""
    with run.signals.held():
        for phase in CLOSING:
            try_closing(run, phase)
        run.leave_host()
        record_late_signal(run)
        run.record(RunFinished(outcome=outcome_at_end(run), exit_code=run.state.exit_code))


def try_closing(run: Run, phase: Phase) -> None:
    """The phase has been tried, and a signal that came meanwhile is recorded: an interrupt is never a success.

    A second signal skips collect. No signal skips release.
    """
    try:
        with run.signals.held(unless_repeated=phase is collect):
            step(run, phase)
    except Interrupt as interrupt:
        record_interrupt(run, interrupt.signal_name)
    record_late_signal(run)


def record_late_signal(run: Run) -> None:
    """A signal that came while the run closed is recorded: until the run has finished, an interrupt is no success."""
    if (name := run.signals.take()) is not None and not run.state.end.interrupted:
        record_interrupt(run, name)


def step(run: Run, phase: Phase) -> bool:
    """Whether the phase reached its postcondition; any error is recorded, also a defect of the tool."""
    clock, name = run.world.clock, phase.__name__
    run.record(PhaseStarted(phase=name))
    begun = clock.monotonic()
    try:
        phase(run)
    except (Detach, Interrupt):
        raise
    except Exception as error:
        run.record(failure(name, error, clock.monotonic() - begun))
        return False
    run.record(PhaseFinished(phase=name, duration_sec=round(clock.monotonic() - begun, 3)))
    return True


def failure(phase: str, error: Exception, duration_s: float) -> PhaseFailed:
    """The error as an event; an unknown error is a defect of the tool, recorded with its traceback."""
    lasted_s = round(duration_s, 3)
    if isinstance(error, DeployError):
        kind, message, hint = error.kind, error.message, error.hint
        return PhaseFailed(
            phase=phase, kind=kind, message=message, hint=hint, transient=error.transient, duration_sec=lasted_s
        )
    message, detail = f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))
    hint = "this is a defect of the tool; please report it"
    return PhaseFailed(phase=phase, kind="internal", message=message, hint=hint, duration_sec=lasted_s, detail=detail)


def outcome_at_end(run: Run) -> str:
    """The outcome as it will be once the run has finished."""
    return "unreleased" if run.state.pod_may_exist else run.state.result
