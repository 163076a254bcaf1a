"""One process carries out one run: the lock, the signals, the listeners. Knows no flags and no API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from .cloud.pod_labels import bears
from .cloud.values import Pod
from .errors import DeployError, Interrupt, OddRow, UsageError
from .lifecycle import carry_out, end_now, pull_paused
from .phases.account import same_account
from .phases.artifacts import pull
from .phases.limits import never
from .phases.on_end import on_end
from .phases.reconnect import with_reconnects
from .phases.release import confirm_deleted
from .record import events as e
from .record.lock import RunLock
from .record.manifest import write_manifest
from .record.paths import RunDir
from .record.shared_journal import SharedJournal
from .record.spec_file import first_spec
from .record.state import State
from .record.state_file import StateFileWriter
from .run import ERROR_CHARS, Run, World, open_run
from .spec import Spec
from .terminal.console import Console

# The manifest is written anew at these events, so that a crash leaves a record that is nearly true.
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
class RunOptions:
    """How a run is carried out, and what is printed meanwhile."""

    detach: bool = False
    quiet: bool = False
    verbose: bool = False
    wait_s: float = 0.0
    """How long to wait for another process that holds the run."""
    out: TextIO | None = None
    """Where lines are printed; None is stderr."""
    adopt_key: Path | None = None
    """A private key of the user that gets into a pod which another machine requested."""
    prove: bool = False
    """Whether the API must show whose the pod is and where: for a run folder that was not begun here."""
    screen: Callable[[Run], AbstractContextManager[object]] | None = None
    """Shows the run while it lasts, in place of lines."""


def drive(
    spec: Spec, run_dir: RunDir, world: World, options: RunOptions, story: Callable[[Run], State] = carry_out
) -> State:
    """The run's state after it was carried out as far as possible, or as far as another story goes. Raises RunBusy."""
    with RunLock(run_dir).held(wait_s=options.wait_s):
        run = with_listeners(open_run(first_spec(spec, run_dir), run_dir, world), options)
        with run.signals.installed(), options.screen(run) if options.screen else nullcontext():
            to_end(run, story)
            on_end(run)
            return run.state


def end_run(spec: Spec, run_dir: RunDir, world: World, options: RunOptions) -> State:
    """The run's state after it was ended as Ctrl-C would end it. Raises RunBusy."""
    return drive(spec, run_dir, world, replace(options, screen=None), end_now)


def delete_kept(spec: Spec, run_dir: RunDir, world: World, options: RunOptions) -> State:
    """The run's state, after the pod that the finished run has left is gone, confirmed.

    Raises RunBusy, UsageError, ReleaseUnconfirmed.
    """
    with RunLock(run_dir).held(wait_s=options.wait_s):
        run = with_listeners(open_run(spec, run_dir, world), options)
        pod_id = pod_of(run).id
        confirm_deleted(run, pod_id)
        run.record(e.PodReleased(action="delete", state=None))
        return run.state


def pull_artifacts(spec: Spec, run_dir: RunDir, world: World, options: RunOptions) -> None:
    """The artifacts are here as they are on the pod now. Raises RunBusy, UsageError, and what pulling raises.

    Nothing is asked of an address in the run folder before the API has said that the pod is the run's own, and has
    told that address too if the run was not begun here.
    """
    with RunLock(run_dir).held(wait_s=options.wait_s):
        run = with_listeners(open_run(spec, run_dir, world), replace(options, screen=None))
        if run.state.pod.address is None or (pod_of(run).status == "EXITED" and run.state.end.released):
            raise UsageError(
                f"{run_dir.path}: the run has no pod that runs",
                hint="if its pod is paused, `runpod-deploy pull --start` starts it for as long as the pull takes",
            )
        pull_each(run)


def pull_each(run: Run) -> None:
    """Every artifact is here as it is on the pod now. Raises what pulling raises."""
    for entry in run.spec.job.artifacts:
        with_reconnects(run, f"pulling {entry.label}", partial(pull, run, entry), never)
    run.leave_host()


def pull_from_paused(spec: Spec, run_dir: RunDir, world: World, options: RunOptions) -> State:
    """The run's state, after the artifacts of its paused pod were pulled and the pod was paused again.

    A pod that runs, since the run has kept it or somebody has started it, goes on. Raises RunBusy, UsageError.
    """
    with RunLock(run_dir).held(wait_s=options.wait_s):
        run = with_listeners(open_run(spec, run_dir, world), options)
        if not (run.state.end.released and run.state.pod.address) and not run.state.end.reopened:
            raise UsageError(
                f"{run_dir.path}: the run has left no paused pod",
                hint="for a pod that runs, use `runpod-deploy pull` without --start",
            )
        if run.state.work.collected:
            raise UsageError(f"{run_dir.path}: nothing is left to pull: every artifact of the run is here")
        if pod_of(run).status != "EXITED" and not run.state.end.reopened:
            pull_each(run)
            return run.state
        with run.signals.installed(), options.screen(run) if options.screen else nullcontext():
            return to_end(run, pull_paused)


def pod_of(run: Run) -> Pod:
    """The run's pod as the API has it. Raises UsageError if it is gone or belongs to another run, AuthRefused."""
    same_account(run)
    pod = run.world.cloud.get(run.state.pod.id or "")
    if pod is not None and pod.address is not None:
        run.told.add(pod.address)
    if pod is None or not bears(pod, name=run.state.pod.name, token=run.state.pod_token):
        raise UsageError(f"{run.dir.path}: its pod {run.state.pod.id} does not exist any more")
    return pod


def with_listeners(run: Run, options: RunOptions) -> Run:
    """The run with its listeners: the manifest first, so that what is printed is true on disk."""
    out = None if options.screen else options.out or sys.stderr
    console = Console(out, run.dir.console, quiet=options.quiet, verbose=options.verbose)
    if run.skipped.count and options.verbose:
        console.write([f"{run.dir.events}: {run.skipped}"])
    if run.spec.moved_from is not None and run.spec.moved_from != run.spec.project_root:
        console.write([f"the project was moved: files go to {run.spec.project_root}, not to {run.spec.moved_from}"])
    run.detach, run.wait_s, run.adopt_key = options.detach, options.wait_s, options.adopt_key
    run.prove = options.prove and run.state.run_id is not None
    run.listeners += [ManifestWriter(run), StateFileWriter(run.spec, run.dir), console.on_event]
    run.printers.append(console.on_output)
    if run.spec.journal:
        run.listeners.append(JournalCopier(run, SharedJournal(run.spec.journal, run.spec.run_id)))
    run.world.on_retry.append(partial(record_retry, run))
    return run


def record_retry(run: Run, what: str, error: DeployError, in_s: float) -> None:
    """The journal says that a call will be tried again, or which row of an answer was skipped."""
    if isinstance(error, OddRow):
        run.record(e.RowSkipped(what=what, row=error.message))
    else:
        run.record(e.Retried(what=what, error=error.message, in_sec=round(in_s, 2)))


class ManifestWriter:
    """Writes the manifest as the run goes on. A full disk does not end a run: the next milestone tries again."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, event: e.Event, state: State) -> None:
        """The manifest on disk shows this state, if the event is a milestone."""
        if isinstance(event, MILESTONES):
            try:
                write_manifest(self.run.spec, state, self.run.dir, self.run.world.clock.now())
            except OSError:
                pass


class JournalCopier:
    """Copies journal and manifest to the place of `--journal` as the run goes on. An error there ends no run.

    Signals wait meanwhile, so a place that does not answer is waited for once, and not again.
    """

    def __init__(self, run: Run, shared: SharedJournal) -> None:
        self.run, self.shared, self.silent = run, shared, False

    def __call__(self, event: e.Event, _state: State) -> None:
        """The copies are as the files here are now, if the event is a milestone."""
        if self.silent or not isinstance(event, MILESTONES):
            return
        try:
            self.shared.put(self.run.dir, self.run.world.hostname)
        except TimeoutError as error:
            self.silent = True
            told = f"--journal {self.shared.place}: {error}; nothing more is copied there"
            self.run.record(e.ListenerFailed(listener=type(self).__name__, error=told[:ERROR_CHARS]))


def to_end(run: Run, story: Callable[[Run], State]) -> State:
    """The run's state at the end of the story; connections are closed, and rows that had no room are on disk if it has
    room again, whatever happens."""
    try:
        return story(run)
    except Interrupt as interrupt:  # came after the last phase: nothing is left to do but to record it
        run.record(e.Interrupted(signal=interrupt.signal_name))
        return run.state
    finally:
        with run.signals.critical(), suppress(OSError):
            run.leave_host()
            run.journal.flush()
