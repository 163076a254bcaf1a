"""events and events-query: the events of one run, and a search in the events of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from ..errors import UsageError
from ..history.conditions import parse_condition
from ..history.events import Row, described, events_path, read_rows, with_offsets
from ..history.folders import may_be_folder, tidy_path
from ..history.queries import Query, search
from ..machine.clock import SystemClock
from ..spec.instants import parse_instant
from ..spec.strict_json import dumps
from ..terminal.output import can_draw, info, print_lines, warn
from .durations import read_duration
from .options import output_options
from .run_names import RUNS_HERE, optional_run_argument, or_latest, runs_folder


@click.command
@optional_run_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on each line, as stored.")
@output_options
def events(run_dir: Path | None, as_json: bool) -> None:
    """Print the events of one run in order, each with its time since the first. Without RUN: the latest run here."""
    run_dir = or_latest(run_dir)
    if not run_dir.exists():
        raise UsageError(f"{run_dir}: no such run dir", hint="`runpod-deploy ls-runs --all` lists them")
    rows = read_rows(run_dir, warn) if events_path(run_dir).exists() else iter(())
    if not (print_lines(map(dumps, rows)) if as_json else print_events(with_offsets(rows))):
        info(f"no events in {run_dir}")


@click.command("events-query")
@click.option(
    "--root", type=click.Path(), metavar="DIR", default=runs_folder, help=f"The folder to search. {RUNS_HERE}"
)
@click.option(
    *("--filter", "filters"), metavar="KEY=VALUE", multiple=True,
    help="A condition on a field; also != > < >= <= and ~ (regex). Repeatable: all must hold.",
)  # fmt: skip
@click.option(
    "--since", metavar="WHEN", help="Only events since then: an age such as 90s, 15m, 6h, 2d, or an ISO time."
)
@click.option("--until", metavar="WHEN", help="Only events until then, written in the same way.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on each line, with run_dir and run_path.")
@output_options
def events_query(root: str, filters: tuple[str, ...], since: str | None, until: str | None, as_json: bool) -> None:
    """Print the events of all runs below a folder that meet all conditions."""
    if not may_be_folder(root):
        raise UsageError(f"{root}: no such folder", hint="name the folder that holds the run dirs with --root")
    query = Query(tuple(map(parse_condition, filters)), moment(since), moment(until))
    found = search(tidy_path(root), query, warn)
    if not (print_lines(json_lines(found)) if as_json else print_events(placed(found))):
        info(f"no such events below {root}")


def moment(text: str | None) -> datetime | None:
    """The instant that an age or an ISO time means. Raises UsageError."""
    if text is None:
        return None
    at = parse_instant(text) if (age := read_duration(text)) is None else SystemClock().now() - age
    if at is None:
        hint = "write an age such as 15m or 2d, or 2026-06-04T10:15:00"
        raise UsageError(f"{text!r} is neither an age nor a time", hint=hint)
    return at


def print_events(found: Iterator[tuple[str, Row]]) -> int:
    """The number of events that are on stdout now, one on each line: prefix, name, fields."""
    if can_draw():
        from .screens import event_text, show  # rich is slow to import, and only needed here

        return show(event_text(*item) for item in found)
    return print_lines(f"{prefix} {described(row)}" for prefix, row in found)


def placed(found: Iterator[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """Each row, with its time and the name of its run dir as prefix."""
    for run_path, row in found:
        yield f"[{row.get('ts_utc')}] {leaf(run_path)}", row


def json_lines(found: Iterator[tuple[str, Row]]) -> Iterator[str]:
    """The stored rows, each with the name and the full path of its run dir added last."""
    for run_path, row in found:
        yield dumps({**row, "run_dir": leaf(run_path), "run_path": str(Path(run_path).absolute())})


def leaf(run_path: str) -> str:
    """The run dir's own name, even if the path is `.`."""
    return Path(run_path).absolute().name
