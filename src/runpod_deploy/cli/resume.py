"""`resume`, `attach` and `pull`: a run that exists, taken up again from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..driver import RunOptions, drive, pull_artifacts, pull_from_paused, read_spec
from ..errors import FAILURE_KINDS, RunBusy
from ..live import real_world
from ..machine.clock import SystemClock, wait_until
from ..record.fold import fold
from ..record.journal import read_events
from ..record.lock import RunLock
from ..record.paths import RunDir
from ..record.state import State
from ..terminal.output import print_err, write_err
from .carrying import finish, manner, print_failure
from .options import plain_option, verbosity_options, wait_option

FOLLOW_EVERY_S = 0.5
LONGEST_FOLLOW_S = 30 * 86400.0
CHUNK_BYTES = 1 << 16

run_dir_argument = click.argument("run_dir", type=click.Path(path_type=Path))


@click.command(short_help="Take a run up again from its folder.")
@run_dir_argument
@wait_option
@click.option("--detach", is_flag=True, help="Leave again once the job runs.")
@verbosity_options
@plain_option
def resume(run_dir: Path, **given: Any) -> int:
    """Go on from a run's journal to the same end: after a crash, a power cut, or a `run --detach`."""
    return taken_up(RunDir(run_dir.absolute()), manner(given))


@click.command(short_help="Follow a run again.")
@run_dir_argument
@verbosity_options
@plain_option
def attach(run_dir: Path, **given: Any) -> int:
    """Follow a run to its end: carry it out if nobody does, else show what the process that does so prints.

    If that process dies, this one takes the run up.
    """
    folder = RunDir(run_dir.absolute())
    onlooker = Onlooker(folder)
    while True:
        try:
            return taken_up(folder, manner(given))
        except RunBusy:
            print_err(f"{RunLock(folder).holder()} carries it out; this only shows it (Ctrl-C leaves)")
        if (code := onlooker.follow()) is not None:
            return code
        print_err("it has let go of the run: carrying it out from here (Ctrl-C now ends the run)")


@click.command(short_help="Pull a run's artifacts as they are now.")
@run_dir_argument
@click.option("--start", is_flag=True, help="Start the pod if it is paused, and pause it again afterwards.")
@verbosity_options
@plain_option
def pull(run_dir: Path, start: bool, **given: Any) -> int:
    """Bring the artifacts of a run whose pod still runs home, without ending anything.

    With --start, a paused pod is started for as long as it takes to fetch what is not here yet.
    """
    folder = RunDir(run_dir.absolute())
    spec = read_spec(folder)
    if start:
        return visited(pull_from_paused(spec, folder, real_world(), manner(given)), folder)
    pull_artifacts(spec, folder, real_world(), manner(given))
    return 0


def visited(state: State, folder: RunDir) -> int:
    """The exit code of a visit, once its last word is on stderr: that of the visit, not of the run."""
    if state.pod_may_exist:
        return finish(state, folder)
    if state.end.reopen_failure is None:
        return 0
    print_failure(state.end.reopen_failure)
    return FAILURE_KINDS[state.end.reopen_failure.kind].exit_code


def taken_up(folder: RunDir, how: RunOptions) -> int:
    """The exit code of the run, carried out to its end."""
    spec = read_spec(folder)
    state = fold(read_events(folder.events), success_marker=spec.job.run.success_marker)
    if state.end.finished and not state.pod_may_exist:  # nothing to do, so nobody need be asked for a key
        return finish(state, folder)
    return finish(drive(spec, folder, real_world(), how), folder)


class Onlooker:
    """Shows what another process prints of a run."""

    def __init__(self, folder: RunDir) -> None:
        self.folder = folder
        self.shown = 0

    def follow(self) -> int | None:
        """The run's exit code, once the other process has let go of it; None if it died over it."""
        wait_until(
            SystemClock(), self.look, every_s=FOLLOW_EVERY_S, within_s=LONGEST_FOLLOW_S, what="the end of the run"
        )
        spec = read_spec(self.folder)
        state = fold(read_events(self.folder.events), success_marker=spec.job.run.success_marker)
        return state.exit_code if state.end.finished or state.end.detached else None

    def look(self) -> bool | None:
        """True once the run is let go of and everything is shown."""
        over = not RunLock(self.folder).is_held()
        self.show()
        return over or None

    def show(self) -> None:
        """What is new in console.log is on stderr."""
        try:
            with self.folder.console.open("rb") as file:
                file.seek(self.shown)
                while data := file.read(CHUNK_BYTES):
                    self.shown += len(data)
                    write_err(data.decode(errors="replace"))
        except FileNotFoundError:
            return
