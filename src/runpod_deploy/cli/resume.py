"""`resume`, `attach` and `pull`: an existing run is continued from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..driver import RunOptions, drive, pull_artifacts, pull_from_paused
from ..errors import RunBusy, failure_kind
from ..live import real_world
from ..machine.left_behind import LeftBehind
from ..phases.on_end import is_due
from ..record.begun_here import require_known
from ..record.lock import RunLock
from ..record.paths import RunDir, require_own
from ..record.spec_file import read_spec
from ..record.state import State
from ..terminal.output import info, print_err
from .carrying import finish, manner, print_failure, proving
from .following import Follower, is_under_way, leave_driver, state_of
from .options import adopt_key_option, detach_option, plain_option, verbosity_options, wait_option
from .run_names import optional_run_argument, or_latest, run_argument

LEAVES = "Ctrl-C leaves, the run goes on"

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Continue a run that you did not begin here: on another machine, with another home folder, as another user, "
    "or by an older version. Its folder decides which of your files are uploaded and overwritten, and its on_end is "
    "run here, so use this only for folders that you trust.",
)


@click.command
@run_argument
@wait_option
@adopt_key_option
@detach_option
@trust_option
@verbosity_options
@plain_option
def resume(run_dir: Path, leave_to_guard: bool, trust: bool, **given: Any) -> int:
    """Continue a run to its end from its folder: after a crash, a power cut, or `run --detach`."""
    require_own(RunDir(run_dir), trust=trust)
    folder = RunDir(run_dir.absolute())
    return continue_run(folder, manner(given), trust=trust, leave_to_guard=leave_to_guard)


@click.command
@optional_run_argument
@click.option(
    *("--drive", "drive_here"), is_flag=True, help="If no process carries the run out, do it here: Ctrl-C then ends it."
)
@trust_option
@verbosity_options
@plain_option
def attach(run_dir: Path | None, drive_here: bool, trust: bool, **given: Any) -> int:
    """Follow a run to its end, and leave it with Ctrl-C at any time: the run goes on.

    If no process carries the run out, or if that process dies, one is left in the background that does. With --drive,
    the run is continued here instead, and Ctrl-C then ends it.
    """
    folder = RunDir(or_latest(run_dir).absolute())
    require_own(folder, trust=trust)
    if not drive_here:
        return Attached(folder, manner(given), trust=trust).to_end()
    follower = Follower(folder)
    while True:
        try:
            return continue_run(folder, manner(given), trust=trust)
        except RunBusy:
            print_err(f"{RunLock(folder).holder()} carries it out; its output is shown here ({LEAVES})")
        if (state := follower.follow()).end.finished or state.end.detached:
            return finish(state, folder)
        print_err("that process is gone: the run continues here (Ctrl-C now ends the run)")


class Attached:
    """Follows a run. If no process carries it out, one is left behind in the background that does."""

    def __init__(self, folder: RunDir, how: RunOptions, *, trust: bool) -> None:
        self.folder, self.how, self.trust = folder, how, trust
        self.follower = Follower(folder)
        self.driver: LeftBehind | None = None

    def to_end(self) -> int:
        """The run's exit code, once it is over. Raises what `continue_run` raises if it cannot be continued."""
        spec, state = read_spec(self.folder), state_of(self.folder)
        while not state.end.finished or state.pod_may_exist:
            if not is_under_way(self.folder):
                if self.driver is not None and self.driver.exit_code():
                    break
                require_known(spec.token, self.folder, trust=self.trust)
                real_world()  # a key that cannot be used is found before a process is left behind
                self.driver = leave_driver(self.folder, trust=self.trust)
                if self.driver is None:
                    return continue_run(self.folder, self.how, trust=self.trust)
            print_err(f"{RunLock(self.folder).holder()} carries it out; its output is shown here ({LEAVES})")
            state = self.follower.follow()
        return finish(state, self.folder)


@click.command
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
    how = proving(manner(given), spec, folder, trust=trust)
    if start:
        return finish_visit(pull_from_paused(spec, folder, real_world(), how), folder)
    pull_artifacts(spec, folder, real_world(), how)
    return 0


def finish_visit(state: State, folder: RunDir) -> int:
    """The exit code of the visit, not of the run, after what went wrong is on stderr."""
    if state.pod_may_exist:
        return finish(state, folder)
    if state.end.reopen_failure is None:
        return 0
    print_failure(state.end.reopen_failure)
    return failure_kind(state.end.reopen_failure.kind).exit_code


def continue_run(folder: RunDir, how: RunOptions, *, trust: bool, leave_to_guard: bool = False) -> int:
    """The exit code of the run, after it was carried out to its end. Raises UsageError if that needs `--trust`."""
    spec = read_spec(folder)
    state = state_of(folder)
    nothing_left = state.end.finished and not state.pod_may_exist and not is_due(spec, state)
    if nothing_left:  # so no key is needed
        return finish(state, folder)
    if not trust and how.wait_s == 0 and is_under_way(folder):
        raise RunLock(folder).busy()  # the run can only be followed
    how = proving(how, spec, folder, trust=trust)
    state = drive(spec, folder, real_world(), how)
    leaves = state.end.detached == "asked" and not leave_to_guard
    if leaves and (driver := leave_driver(folder, trust=trust)) is not None:
        info(f"process {driver.pid} carries the run to its end; `runpod-deploy stop {spec.run_id}` ends it")
    return finish(state, folder)
