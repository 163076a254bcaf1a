"""`prune`: the folders of old runs are removed, if nothing of those runs can bill any more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import click

from ..errors import FAILURE_KINDS, RunBusy
from ..history.folders import run_dirs
from ..history.pruning import Judged, Wanted, judged, remove
from ..machine.clock import SystemClock
from ..record.paths import RUNS_DIR
from ..spec.visible import visible
from ..terminal.amounts import counted, size
from ..terminal.output import info, print_json, print_lines, warn
from .access import real_cloud
from .durations import Duration
from .options import json_option, output_options
from .run_names import project_option
from .status import readable


@click.command
@click.option(
    "--older-than",
    type=Duration(),
    required=True,
    metavar="DURATION",
    help="Only runs that ended longer ago.",
)
@click.option("--failed", is_flag=True, help="Only runs that did not succeed.")
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
@project_option("The project of the runs.")
@json_option
@output_options
def prune(older_than: timedelta, failed: bool, dry_run: bool, yes: bool, project_root: Path, as_json: bool) -> int:
    """Remove the folders of old runs, with all that is in them: records, logs, and artifacts that were put there.

    A folder stays if its run has not ended, or if its pod is not confirmed to be gone: a stopped pod still bills, and
    its folder knows it. Artifacts outside of run folders stay.
    """
    clock = SystemClock()
    connect = cache(real_cloud)
    wanted = Wanted(clock.now() - older_than, failed)
    found = list(judged(readable(run_dirs(project_root, warn), warn), wanted, connect, clock))
    leaving = [one for one in found if not one.why_kept]
    print_json(list(map(as_row, found))) if as_json else print_lines(map(line, found))
    if not leaving:
        info(f"no run folder in {project_root} can be removed")
        return 0
    if dry_run:
        info(f"would remove {folders(leaving)}")
        return 0
    if not yes and not click.confirm(f"Remove {folders(leaving)} from {real_place(project_root)}?", err=True):
        info("nothing was removed")
        return 1
    return removed(leaving)


def removed(leaving: Sequence[Judged]) -> int:
    """The exit code, once the folders are gone: 8 if another process holds one of the runs."""
    code = 0
    for one in leaving:
        try:
            remove(one.run)
        except (RunBusy, OSError, RecursionError) as error:
            warn(str(one.run.dir.path), f"was not removed: {error}")
            code = FAILURE_KINDS["busy"].exit_code
    return code


def real_place(project_root: Path) -> str:
    """The folder that holds the runs, without links: in a checkout, one may lead to the runs of another project."""
    return visible(os.path.realpath(project_root / RUNS_DIR))


def folders(leaving: Sequence[Judged]) -> str:
    """How many folders, and how much is in them."""
    return f"{counted(len(leaving), 'run folder')} with {size(sum(one.size_bytes for one in leaving))}"


def line(one: Judged) -> str:
    """One run for a reader."""
    what = f"stays: {one.why_kept}" if one.why_kept else f"goes: {size(one.size_bytes)}"
    return f"{one.run.spec.run_id}  {one.run.state.outcome}  {what}"


def as_row(one: Judged) -> dict[str, Any]:
    """One run as JSON."""
    return {
        "run_id": one.run.spec.run_id,
        "run_path": str(one.run.dir.path.absolute()),
        "outcome": one.run.state.outcome,
        "removable": not one.why_kept,
        "why_kept": one.why_kept or None,
        "bytes": one.size_bytes,
    }
