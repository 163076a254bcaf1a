"""`resume`, `attach` and `pull`: an existing run is continued from its folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ..driver import RunOptions, drive, pull_artifacts, pull_from_paused, read_spec
from ..errors import RunBusy, failure_kind
from ..live import real_world
from ..machine.clock import SystemClock, wait_until
from ..record.begun_here import require_known
from ..record.fold import fold
from ..record.journal import read_events
from ..record.lock import RunLock
from ..record.paths import RunDir, require_own
from ..record.state import State
from ..terminal.line_splitter import Lines
from ..terminal.output import print_err, write_err
from .carrying import finish, manner, print_failure
from .options import detach_option, plain_option, verbosity_options, wait_option
from .run_names import optional_run_argument, or_latest, run_argument

FOLLOW_EVERY_S = 0.5
LONGEST_FOLLOW_S = 30 * 86400.0
CHUNK_BYTES = 1 << 16

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Continue a run that you did not begin here: on another machine, with another home folder, as another user, "
    "or by an older version. Its folder decides which of your files are uploaded and overwritten, so use this only for "
    "folders that you trust.",
)


@click.command(short_help="Continue a run from its folder.")
@run_argument
@wait_option
@detach_option
@trust_option
@verbosity_options
@plain_option
def resume(run_dir: Path, trust: bool, **given: Any) -> int:
    """Continue a run to its end from its folder: after a crash, a power cut, or `run --detach`."""
    require_own(RunDir(run_dir), trust=trust)
    return continue_run(RunDir(run_dir.absolute()), manner(given), trust=trust)


@click.command(short_help="Follow a run again.")
@optional_run_argument
@trust_option
@verbosity_options
@plain_option
def attach(run_dir: Path | None, trust: bool, **given: Any) -> int:
    """Follow a run to its end. While another process carries it out, show what that process prints.

    If no process carries the run out, or if that process dies, continue the run here.
    """
    folder = RunDir(or_latest(run_dir).absolute())
    require_own(folder, trust=trust)
    follower = Follower(folder)
    while True:
        try:
            return continue_run(folder, manner(given), trust=trust)
        except RunBusy:
            print_err(
                f"{RunLock(folder).holder()} carries it out; its output is shown here (Ctrl-C leaves, the run goes on)"
            )
        if (code := follower.follow()) is not None:
            return code
        print_err("that process is gone: the run continues here (Ctrl-C now ends the run)")


@click.command(short_help="Download a run's artifacts as they are now.")
@optional_run_argument
@click.option("--start", is_flag=True, help="Start the pod if it is paused, and pause it again afterwards.")
@trust_option
@verbosity_options
@plain_option
def pull(run_dir: Path | None, start: bool, trust: bool, **given: Any) -> int:
    """Download the artifacts of a run whose pod is running. Nothing is ended.

    With --start, a paused pod is started, the artifacts that are not here yet are downloaded, and it is paused again.
    """
    folder = RunDir(or_latest(run_dir).absolute())
    require_own(folder, trust=trust)
    spec = read_spec(folder)
    require_known(spec.token, folder, trust=trust)
    if start:
        return finish_visit(pull_from_paused(spec, folder, real_world(), manner(given)), folder)
    pull_artifacts(spec, folder, real_world(), manner(given))
    return 0


def finish_visit(state: State, folder: RunDir) -> int:
    """The exit code of the visit, not of the run, after what went wrong is on stderr."""
    if state.pod_may_exist:
        return finish(state, folder)
    if state.end.reopen_failure is None:
        return 0
    print_failure(state.end.reopen_failure)
    return failure_kind(state.end.reopen_failure.kind).exit_code


def continue_run(folder: RunDir, how: RunOptions, *, trust: bool) -> int:
    """The exit code of the run, after it was carried out to its end. Raises UsageError if that needs `--trust`."""
    spec = read_spec(folder)
    state = fold(read_events(folder.events), success_marker=spec.job.run.success_marker)
    if state.end.finished and not state.pod_may_exist:  # nothing is left to do, so no key is needed
        return finish(state, folder)
    require_known(spec.token, folder, trust=trust or (how.wait_s == 0 and is_under_way(folder)))
    return finish(drive(spec, folder, real_world(), how), folder)


def is_under_way(folder: RunDir) -> bool:
    """Whether a process of this machine carries out the run, so that it can only be followed."""
    with suppress(OSError, NotImplementedError):
        return RunLock(folder).is_held()
    return False


class Follower:
    """Shows what the process that carries out a run prints."""

    def __init__(self, folder: RunDir) -> None:
        self.folder = folder
        self.shown = 0
        self.lines = Lines()

    def follow(self) -> int | None:
        """The run's exit code, once the other process has ended; None if it died before the end of the run."""
        wait_until(
            SystemClock(), self.look, every_s=FOLLOW_EVERY_S, within_s=LONGEST_FOLLOW_S, what="the end of the run"
        )
        state = fold(read_events(self.folder.events), success_marker=read_spec(self.folder).job.run.success_marker)
        return state.exit_code if state.end.finished or state.end.detached else None

    def look(self) -> bool | None:
        """True once no process holds the run and everything is shown."""
        over = not RunLock(self.folder).is_held()
        self.show()
        return over or None

    def show(self) -> None:
        """The new part of console.log is on stderr."""
        try:
            with self.folder.console.open("rb") as file:
                file.seek(self.shown)
                while data := file.read(CHUNK_BYTES):
                    self.shown += len(data)
                    write_err("".join(f"{line}\n" for line in self.lines.feed(data)))
        except FileNotFoundError:
            return
