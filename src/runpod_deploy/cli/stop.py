"""stop: the end of a run, from any terminal."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import click

from ..driver import RunOptions, delete_kept, end_run
from ..errors import UsageError
from ..live import real_world
from ..record.lock import RunLock
from ..record.paths import RunDir, require_own
from ..record.spec_file import read_spec
from ..record.state import State
from ..record.stop_request import leave_wish
from ..terminal.console import left_cost
from ..terminal.output import configure, info, print_err, print_json
from .carrying import manner, proving
from .following import Follower, busy, is_under_way, state_of
from .options import INFO, json_option, plain_option, verbosity_options
from .pods import Wish, end_one
from .resume import trust_option
from .run_names import RunName

TRIES = 3
WISHES = {"keep": "stop", "delete": "delete"}


@click.command
@click.argument("run_dir", metavar="[RUN]", type=RunName(), required=False)
@click.option("--keep", "wish", flag_value="keep", help="Pause the pod in any case: its disk is kept, and is billed.")
@click.option(
    "--delete",
    "wish",
    flag_value="delete",
    help="Delete the pod in any case; also the pod that a finished run has left.",
)
@click.option(
    "--state-file", type=click.Path(path_type=Path), metavar="PATH",
    help="Instead of a RUN: pause the pod that this file names, as `cleanup --mode stop` does. No results are pulled.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@trust_option
@json_option
@verbosity_options
@plain_option
def stop(run_dir: Path | None, state_file: Path | None, dry_run: bool, as_json: bool, **given: Any) -> int:
    """End a run as Ctrl-C in its own terminal would: stop the job, pull its results, release the pod.

    The process that carries out the run is told to do so, and its output is shown. If there is none, the run is ended
    from here. The pod is released as lifecycle.on_failure says, unless --keep or --delete is given.
    """
    configure(quiet=given["verbosity"] > INFO, plain=given["no_color"])
    if (run_dir is None) == (state_file is None):
        raise UsageError("name one RUN, or a pod with --state-file PATH", hint="`runpod-deploy status` lists the runs")
    if run_dir is None:
        assert state_file is not None
        stop_pod(state_file, dry_run, as_json)
        return 0
    folder = RunDir(run_dir.absolute())
    require_own(folder, trust=given["trust"])
    if dry_run:
        info(f"{folder.path}: would be ended")
        return 0
    state = Stopping(folder, given).to_end()
    if as_json:
        print_json({"run_path": str(folder.path), "outcome": state.outcome, "pod_released": not state.pod_may_exist})
    return state.exit_code if state.pod_may_exist else 0


def stop_pod(state_file: Path, dry_run: bool, as_json: bool) -> None:
    """The pod of the state file is paused, and stderr says what that costs. Raises as `end_one` does."""
    end_one(state_file, "stop", Wish(False, dry_run, as_json))
    info(
        "its disk is kept and still bills: `runpod-deploy ls-stale` shows the price, and "
        f"`runpod-deploy cleanup --state-file {state_file}` deletes it"
    )


class Stopping:
    """The end of one run, by the process that carries it out or from here."""

    def __init__(self, folder: RunDir, given: dict[str, Any]) -> None:
        self.folder, self.trust = folder, bool(given["trust"])
        self.how: RunOptions = manner({**given, "no_color": True})
        self.told = False
        """Whether a process that carries the run out was told to end it."""
        self.wish = WISHES.get(given["wish"] or "", "")

    def to_end(self) -> State:
        """The run's state once it is over and its pod is released. Raises RunBusy, AuthRefused, UsageError."""
        spec, state = read_spec(self.folder), state_of(self.folder)
        for _ in range(TRIES):
            if not is_under_way(self.folder):
                break
            state = self.by_its_driver()
        if state.end.finished and not state.pod_may_exist:
            return self.of_finished(state)
        how = proving(self.how, spec, self.folder, trust=self.trust)
        leave_wish(self.folder, self.wish)
        return self.reported(end_run(spec, self.folder, real_world(), how))

    def by_its_driver(self) -> State:
        """The run's state after the process that carries it out was told to end it. Raises RunBusy."""
        pid = RunLock(self.folder).holder_here()
        if pid is None:
            raise busy(self.folder)
        leave_wish(self.folder, self.wish)
        follower = Follower(self.folder, from_now=True)
        try:
            os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            return state_of(self.folder)
        except PermissionError:
            raise busy(self.folder) from None
        self.told = True
        info(f"process {pid} carries the run out, and now ends it; Ctrl-C leaves, and the run is ended all the same")
        return self.reported(follower.follow())

    def of_finished(self, state: State) -> State:
        """The state of a run that is over; with --delete, the pod that it has left is gone."""
        cost = left_cost(state)
        if self.wish != "delete" or not cost:
            if cost and not self.told:
                info(f"the run is over; its pod {state.pod.id} is kept, and `--delete` deletes it: {cost}")
            return state
        spec = read_spec(self.folder)
        return delete_kept(spec, self.folder, real_world(), proving(self.how, spec, self.folder, trust=self.trust))

    def reported(self, state: State) -> State:
        """The same state, after stderr says how the run ended."""
        if state.pod_may_exist and state.end.finished:
            for failure in state.end.closing_failures[-1:]:
                print_err(f"hint: {failure.hint}")
                print_err(f"error: {failure.message}")
        return state
