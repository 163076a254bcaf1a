"""One process carries out one run: the lock, the signals, and those who listen. Knows no flags and no API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TextIO

from .cloud.values import Pod
from .errors import ConfigError, Interrupt, UsageError
from .lifecycle import carry_out, visit
from .machine.files import write_atomically
from .phases.collect import pull
from .phases.limits import unhurried
from .phases.reconnect import patiently
from .record import events as e
from .record.lock import RunLock
from .record.manifest import write_manifest
from .record.paths import RunDir
from .record.state import State
from .record.state_file import Pointing
from .run import Run, World, open_run
from .spec import Spec
from .spec.json import spec_from_json, spec_to_json
from .terminal.console import Console

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

# Another process that has just made the run of this id needs no longer to write down what it is.
OTHER_WRITES_WITHIN_S = 5.0


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
    screen: Callable[[Run], AbstractContextManager[object]] | None = None
    """Shows the run while it lasts, in place of lines."""


def drive(spec: Spec, run_dir: RunDir, world: World, manner: Manner) -> State:
    """The run's state after it was carried out as far as it goes. Raises RunBusy."""
    lock = RunLock(run_dir)
    lock.acquire(wait_s=manner.wait_s)
    try:
        run = attended(open_run(first_asked(spec, run_dir), run_dir, world), manner)
        with run.signals.installed(), manner.screen(run) if manner.screen else nullcontext():
            return carried_out(run)
    finally:
        lock.release()


def fetch_artifacts(spec: Spec, run_dir: RunDir, world: World, manner: Manner) -> None:
    """The artifacts are here as they are on the pod now. Raises RunBusy, UsageError, and what pulling raises."""
    lock = RunLock(run_dir)
    lock.acquire(wait_s=manner.wait_s)
    try:
        run = attended(open_run(spec, run_dir, world), replace(manner, screen=None))
        if run.state.pod.address is None or (run.state.end.released and pod_of(run).status == "EXITED"):
            raise UsageError(
                f"{run_dir.path}: the run has no pod that runs",
                hint="if its pod is paused, `pull --start` starts it for as long as it takes",
            )
        for entry in spec.job.artifacts:
            patiently(run, f"pulling {entry.label}", partial(pull, run, entry, unhurried), unhurried)
        run.leave_host()
    finally:
        lock.release()


def visit_pod(spec: Spec, run_dir: RunDir, world: World, manner: Manner) -> State:
    """The run's state, once the paused pod has given what it held and is paused again. Raises RunBusy, UsageError."""
    lock = RunLock(run_dir)
    lock.acquire(wait_s=manner.wait_s)
    try:
        run = attended(open_run(spec, run_dir, world), manner)
        if not (run.state.end.released and run.state.pod.address) and not run.state.end.visiting:
            raise UsageError(f"{run_dir.path}: the run has left no paused pod", hint="plain `pull` asks one that runs")
        if run.state.work.collected:
            raise UsageError(f"{run_dir.path}: nothing is left to fetch: all that the run was to bring home is here")
        pod_of(run)
        with run.signals.installed(), manner.screen(run) if manner.screen else nullcontext():
            return carried_out(run, visit)
    finally:
        lock.release()


def pod_of(run: Run) -> Pod:
    """The run's pod as the API has it. Raises UsageError if it is gone, or another's."""
    pod = run.world.cloud.get(run.state.pod.id or "")
    if pod is None or pod.name != run.state.pod.name:
        raise UsageError(f"{run.dir.path}: its pod {run.state.pod.id} does not exist any more")
    return pod


def record_ask(spec: Spec, run_dir: RunDir) -> Spec:
    """What the run was first asked to be, on disk for any process to carry out. Raises RunBusy, ConfigError."""
    if run_dir.spec.exists():
        return read_spec(run_dir)
    lock = RunLock(run_dir)
    lock.acquire(wait_s=OTHER_WRITES_WITHIN_S)
    try:
        return first_asked(spec, run_dir)
    finally:
        lock.release()


def first_asked(spec: Spec, run_dir: RunDir) -> Spec:
    """What the run was first asked to be, which is this if nothing is recorded. Raises ConfigError."""
    if run_dir.spec.exists():
        return read_spec(run_dir)
    try:
        write_atomically(run_dir.spec, spec_to_json(spec) + "\n")
    except OSError as error:
        raise ConfigError(
            f"{run_dir.spec}: cannot be written: {error.strerror}",
            hint="make room on that disk; nothing was started",
        ) from error
    return spec


def read_spec(run_dir: RunDir) -> Spec:
    """What was asked, as the run folder has it. Raises UsageError, ConfigError."""
    try:
        return spec_from_json(run_dir.spec.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{run_dir.path}: not a run folder: it holds no {run_dir.spec.name}",
            hint="give the path that `run --print-run-dir` printed",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{run_dir.spec}: cannot be read: {error}") from error


def attended(run: Run, manner: Manner) -> Run:
    """The run with its listeners: the manifest first, so that what is printed is true on disk."""
    out = None if manner.screen else manner.out or sys.stderr
    console = Console(out, run.dir.console, quiet=manner.quiet, verbose=manner.verbose)
    run.detach = manner.detach
    run.listeners += [ManifestWriter(run), Pointing(run.spec, run.dir), console.on_event]
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


def carried_out(run: Run, story: Callable[[Run], State] = carry_out) -> State:
    """The run's state at the end; connections are closed whatever happens."""
    try:
        return story(run)
    except Interrupt as interrupt:  # came after the last phase: all that is left to do is to say so
        run.record(e.Interrupted(signal=interrupt.signal_name))
        return run.state
    finally:
        run.leave_host()
