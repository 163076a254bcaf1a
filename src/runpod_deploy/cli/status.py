"""status and manifest: where runs stand, and their manifest made again from what was asked and what happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..clock import SystemClock
from ..errors import UsageError
from ..history.folders import run_dirs
from ..history.layouts import dollars, summary_lines, table_lines, text
from ..history.runs import RecordedRun, RunUnreadable, may_go_on, read_run, rebuild
from ..history.runs import status as status_of
from .options import json_option
from .output import output_options, put, put_json, say, warn

COLUMNS = ("timestamp", "state", "phase", "step", "pod_id", "gpu", "spent", "last line")


@click.command()
@click.argument("run_dirs_given", metavar="[RUN_DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--project-root",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    help="Without a RUN_DIR: the project whose unfinished runs to show.",
)
@json_option
@output_options
def status(run_dirs_given: tuple[Path, ...], project_root: Path, as_json: bool) -> None:
    """Where runs stand: state, phase, spent, the log's last line. Without RUN_DIR: all that have not ended.

    "left" is a run that has not ended and that no process carries out any more: `resume` it.
    """
    found = map(read_run, run_dirs_given) if run_dirs_given else unfinished(project_root)
    now = SystemClock().now()
    rows = [status_of(run, now) for run in found]
    if as_json:
        put_json(rows)
    elif rows:
        put(table_lines(COLUMNS, [cells(row) for row in rows]))
    else:
        say(f"no unfinished runs in {project_root}")


def unfinished(project_root: Path) -> Iterator[RecordedRun]:
    """The runs of a project that have not ended; what cannot be read is named."""
    for path in filter(may_go_on, run_dirs(project_root)):
        try:
            run = read_run(path)
        except RunUnreadable as error:
            warn(str(path), error.why)
            continue
        if not run.state.finished:
            yield run


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The row as cells of the table."""
    spent = text(None) if row["spent_usd"] is None else dollars(row["spent_usd"])
    known = [text(row[key]) for key in ("timestamp", "state", "phase", "step", "pod_id", "gpu_id")]
    return (*known, f"{spent} of {dollars(row['cost_cap_usd'])}", text(row["last_line"]))


@click.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@json_option
@output_options
def manifest(run_dir: Path, as_json: bool) -> None:
    """Make a run's manifest again from its spec.json and events.jsonl, and print its summary."""
    run = read_run(run_dir)
    try:
        document = rebuild(run, SystemClock().now())
    except OSError as error:
        raise UsageError(f"{run.dir.manifest}: cannot be written: {error.strerror}") from error
    if as_json:
        put_json(document)
    else:
        put(summary_lines(document))
