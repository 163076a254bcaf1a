"""status and manifest: the present state of runs, and a manifest rebuilt from spec and events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..errors import FAILURE_KINDS, UsageError
from ..history.folders import run_dirs
from ..history.layouts import summary_lines
from ..history.runs import RecordedRun, RunUnreadable, may_cost, read_run, rebuild_manifest, run_status
from ..machine.clock import SystemClock
from ..record.index import indexed_runs
from ..terminal.output import can_draw, info, print_json, warn
from .options import json_option, output_options
from .overview import advice, print_overview, watch_overview
from .run_names import RunName, optional_run_argument, or_latest, project_option
from .tables import print_labelled

Rows = list[dict[str, Any]]
WATCH_EVERY_S = 2.0


@click.command
@click.argument("run_dirs_given", metavar="[RUN]...", nargs=-1, type=RunName())
@project_option("Without a RUN: the project whose unfinished runs are shown.")
@click.option("--all", "everywhere", is_flag=True, help="Show the unfinished runs of all projects on this machine.")
@click.option("--watch", "-w", is_flag=True, help="Redraw every two seconds, until no run is left or Ctrl-C.")
@json_option
@output_options
def status(run_dirs_given: tuple[Path, ...], project_root: Path, everywhere: bool, watch: bool, as_json: bool) -> int:
    """Show one line for each run: its job, variables, phase, GPU, cost and last line. Without RUN: of all that go on.

    A run that is "interrupted" has no process any more: continue it with `resume`. A run that has ended without a
    confirmed release of its pod is shown, too. Exit 2: a RUN holds no run.

    Example: runpod-deploy status --watch
    """
    if watch and (as_json or not can_draw()):
        raise UsageError("--watch needs a terminal", hint="in a script, call `status --json` again and again")
    look = partial(rows_of, run_dirs_given, project_root, everywhere=everywhere)
    if watch:
        return watch_overview(look, WATCH_EVERY_S)
    rows = look(warn)
    if as_json:
        print_json(rows)
    elif rows:
        print_overview(rows)
        print_advice(rows)
    elif not run_dirs_given:
        info("no unfinished runs on this machine" if everywhere else f"no unfinished runs in {project_root}")
    return FAILURE_KINDS["usage"].exit_code if len(rows) < len(run_dirs_given) else 0


def print_advice(rows: Rows) -> None:
    """stderr says what to do about runs that need somebody."""
    for line in advice(rows):
        info(line)


def rows_of(given: Sequence[Path], project_root: Path, report: Callable[[str, str], None], *, everywhere: bool) -> Rows:
    """The state of each run that was asked for. What cannot be read is reported."""
    places = [run.path for run in indexed_runs()] if everywhere else run_dirs(project_root, report)
    found = readable(given, report) if given else unfinished(places, report)
    now = SystemClock().now()
    return [run_status(run, now) for run in found]


def unfinished(paths: Iterable[Path], report: Callable[[str, str], None]) -> Iterator[RecordedRun]:
    """Those of the runs that have not ended, or whose pod may still cost money. What cannot be read is reported."""
    runs = readable(filter(partial(may_cost, unreadable=report), paths), report)
    return (run for run in runs if not run.state.end.finished or run.state.pod_may_exist)


def readable(paths: Iterable[Path], report: Callable[[str, str], None]) -> Iterator[RecordedRun]:
    """The runs in these folders. What cannot be read is reported."""
    for path in paths:
        try:
            yield read_run(path, report)
        except RunUnreadable as error:
            report(error.path, error.why)


@click.command
@optional_run_argument
@json_option
@output_options
def manifest(run_dir: Path | None, as_json: bool) -> None:
    """Rebuild a run's manifest from its spec.json and events.jsonl, and print its summary."""
    run = read_run(or_latest(run_dir), warn)
    try:
        document = rebuild_manifest(run, SystemClock().now())
    except OSError as error:
        raise UsageError(f"{run.dir.manifest}: cannot be written: {error.strerror}") from error
    if as_json:
        print_json(document)
    else:
        print_labelled(summary_lines(document))
