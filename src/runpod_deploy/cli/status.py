"""status and manifest: the present state of runs, and a manifest rebuilt from spec and events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..errors import FAILURE_KINDS, UsageError
from ..history.folders import ago, run_dirs
from ..history.layouts import dollars, or_dash, summary_lines, table_lines
from ..history.runs import RecordedRun, RunUnreadable, may_be_unfinished, read_run, rebuild_manifest, run_status
from ..machine.clock import SystemClock
from ..terminal.output import info, print_json, warn
from .options import json_option, output_options
from .run_names import RunName, optional_run_argument, or_latest, project_option
from .tables import print_labelled, print_table

COLUMNS = ("timestamp", "state", "phase", "step", "pod_id", "gpu", "spent", "last line")


@click.command(short_help="Show where runs stand and what they have cost.")
@click.argument("run_dirs_given", metavar="[RUN]...", nargs=-1, type=RunName())
@project_option("Without a RUN: the project whose unfinished runs are shown.")
@json_option
@output_options
def status(run_dirs_given: tuple[Path, ...], project_root: Path, as_json: bool) -> int:
    """Show state, phase, cost and the last log line of runs. Without RUN: of all runs that have not ended.

    "left" is a run that has not ended and that no process carries out any more: continue it with `resume`. Exit 2: a
    RUN holds no run.
    """
    found = readable(run_dirs_given) if run_dirs_given else unfinished(project_root)
    now = SystemClock().now()
    rows = [run_status(run, now) for run in found]
    if as_json:
        print_json(rows)
    elif rows:
        print_rows(rows, now)
    elif not run_dirs_given:
        info(f"no unfinished runs in {project_root}")
    return FAILURE_KINDS["usage"].exit_code if len(rows) < len(run_dirs_given) else 0


def print_rows(rows: list[dict[str, Any]], now: datetime) -> None:
    """The table of runs is on stdout; on a terminal, with the age of each."""
    table = [cells(row) for row in rows]
    aged = ((ago(row["timestamp"], now), *shown) for row, shown in zip(rows, table, strict=True))
    print_table(table_lines(COLUMNS, table), ("when", *COLUMNS), aged)


def unfinished(project_root: Path) -> Iterator[RecordedRun]:
    """The runs of a project that have not ended. What cannot be read is reported."""
    paths = filter(partial(may_be_unfinished, unreadable=warn), run_dirs(project_root, warn))
    return (run for run in readable(paths) if not run.state.end.finished)


def readable(paths: Iterable[Path]) -> Iterator[RecordedRun]:
    """The runs in these folders. What cannot be read is reported."""
    for path in paths:
        try:
            yield read_run(path, warn)
        except RunUnreadable as error:
            warn(error.path, error.why)


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The cells of a row."""
    spent = or_dash(None) if row["spent_usd"] is None else dollars(row["spent_usd"])
    known = [or_dash(row[key]) for key in ("timestamp", "state", "phase", "step", "pod_id", "gpu_id")]
    return (*known, f"{spent} of {dollars(row['cost_cap_usd'])}", or_dash(row["last_line"]))


@click.command(short_help="Rebuild a run's manifest, and print its summary.")
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
