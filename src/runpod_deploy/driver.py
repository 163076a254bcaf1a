"""One process carries out one run: the lock, the signals, and those who listen. Knows no flags and no API."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO

from . import events as e
from .console import Console
from .errors import Interrupt
from .journal import RunDir, RunLock, write_atomically
from .lifecycle import carry_out
from .manifest import write_manifest
from .run import Run, World, open_run
from .spec import Spec
from .spec_json import spec_to_json
from .state import State

# The manifest follows the run at these events, so that a crash leaves a record that is nearly true.
MILESTONES = (
    e.RunStarted,
    e.RunResumed,
    e.PodCreated,
    e.PhaseFinished,
    e.PhaseFailed,
    e.Detached,
    e.RunFinished,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is carried out and talked about."""

    detach: bool = False
    quiet: bool = False
    verbose: bool = False
    wait_s: float = 0.0
    """How long to wait for another process that holds the run."""
    out: TextIO | None = None
    """Where to talk; stderr by default."""


def drive(spec: Spec, run_dir: RunDir, world: World, manner: Manner) -> State:
    """The run's state after it was carried out as far as it goes. Raises RunBusy."""
    lock = RunLock(run_dir)
    lock.acquire(wait_s=manner.wait_s)
    try:
        if not run_dir.spec.exists():
            write_atomically(run_dir.spec, spec_to_json(spec) + "\n")
        run = attended(open_run(spec, run_dir, world), manner)
        with run.signals.installed():
            return carried_out(run)
    finally:
        lock.release()


def attended(run: Run, manner: Manner) -> Run:
    """The run with its listeners: the manifest first, so that what is printed is true on disk."""
    console = Console(manner.out or sys.stderr, run.dir.console, quiet=manner.quiet, verbose=manner.verbose)
    run.detach = manner.detach
    run.listeners += [ManifestWriter(run), console.on_event]
    run.printers.append(console.on_output)
    run.world.on_retry.append(
        lambda what, error, in_s: run.record(e.Retried(what=what, error=error.message, in_sec=round(in_s, 2)))
    )
    return run


class ManifestWriter:
    """Keeps the manifest up to the journal. A full disk does not end a run: the next milestone tries again."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, event: e.Event, state: State) -> None:
        """The manifest is that of this state, if the event is a milestone."""
        if isinstance(event, MILESTONES):
            try:
                write_manifest(self.run.spec, state, self.run.dir, self.run.world.clock.now())
            except OSError:
                pass


def carried_out(run: Run) -> State:
    """The run's state at the end; connections are closed whatever happens."""
    try:
        return carry_out(run)
    except Interrupt as interrupt:  # came after the last phase: all that is left to do is to say so
        run.record(e.Interrupted(signal=interrupt.signal_name))
        return run.state
    finally:
        run.leave_host()
