"""ls-runs: the runs of a project, chosen, sorted, and with the columns that matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ..history.facts import GROUPS, METRIC, TAG, VARIABLE, Facts, run_facts
from ..history.filters import full_key, sorted_runs
from ..history.folders import run_dirs
from ..history.layouts import RUN_COLUMNS, run_cells, run_row, table_lines
from ..history.manifests import Manifest, ManifestUnreadable, mapping
from ..history.matrix import Best, best_of, group_keys, varying_keys, winners
from ..machine.clock import SystemClock
from ..record.named import LONG_AGO
from ..record.paths import RUNS_DIR
from ..terminal.amounts import counted
from ..terminal.output import info, is_terminal, print_json, print_lines, warn
from .current import current
from .options import json_option, output_options
from .run_names import project_option
from .run_tables import best_line, filters_of, print_csv, print_facts

FIRST, LAST = ("run", "job", "outcome", "cost"), ("duration", "started", "gpu", "dc", "note")
CSV_FIRST = ("run", "run_id", "job", "started", "outcome", "exit_code", "duration", "cost", "gpu", "dc", "pod")
MORE_KEYS = ("run_id", "state", "exit_code", "kind", "note")
Listed = tuple[Facts, dict[str, Any]]
"""The facts of a run, and its row in JSON."""


@click.command("ls-runs")
@project_option("The project whose runs in artifacts/runpod are listed.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="List only this many of the newest runs; 0: all.")
@click.option("--all", "everything", is_flag=True, help="Also list run dirs without a readable manifest.")
@click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE",
    help="List only runs with this: outcome=failed, var.seed=3, metric.loss<0.5, job=tune, tag=nightly, since=7d. "
    "Operators: = != > < >= <= ~ (regex). Repeatable; all must hold.",
)  # fmt: skip
@click.option("--sort", "sort_key", metavar="KEY", help="Sort by this, such as cost or loss; -KEY: the largest first.")
@click.option(
    "--columns", metavar="KEY,KEY", help="Show these columns: run, cost, seed, loss, variables, metrics, tags."
)
@click.option("--best", metavar="METRIC", help="Mark the run with the best value: accuracy, or loss:min.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with all variables, metrics and tags.")
@json_option
@output_options
def ls_runs(
    project_root: Path, limit: int, everything: bool, filters: tuple[str, ...], sort_key: str | None,
    columns: str | None, best: str | None, as_csv: bool, as_json: bool,
) -> None:  # fmt: skip
    """List the runs of a project, oldest first, with their variables and results.

    Example: runpod-deploy ls-runs --filter job=tune --filter since=7d --sort loss --best loss:min
    """
    found = listed(project_root, everything=everything)
    found = chosen(found, filters)[-limit:]
    facts = [facts for facts, _ in found]
    mark = best_of(best, facts) if best and found else None
    if sort_key and found:
        sort_key = full_key_of(sort_key, facts)
        facts = sorted_runs(facts, sort_key)
    rows = {facts["path"]: row for facts, row in found}
    if as_json:
        print_json(json_rows(rows, facts, mark))
    elif as_csv:
        print_csv(columns_of(columns, facts) if columns else csv_keys(facts), facts)
    elif not found:
        info("no run fits" if filters else f"no runs in {project_root / RUNS_DIR}")
    elif columns or best or is_terminal():
        asked = [*([mark.key] if mark else []), *([sort_key.removeprefix("-")] if sort_key else [])]
        print_facts(columns_of(columns, facts) if columns else terminal_keys(facts, asked), facts, mark)
        if mark:
            info(best_line(mark, winners(mark, facts)))
    else:
        print_lines(table_lines(RUN_COLUMNS, [run_cells(rows[one["path"]]) for one in facts]))


def listed(project_root: Path, *, everything: bool) -> list[Listed]:
    """The runs of the project, by their start. A line on stderr counts those that are not listed."""
    paths, now = run_dirs(project_root, warn), SystemClock().now()
    read = [
        (path, manifest)
        for path in paths
        if (manifest := listed_manifest(path, now, everything=everything)) is not None
    ]
    if hidden := len(paths) - len(read):
        info(f"not listed: {counted(hidden, 'run folder')} without a readable manifest; --all lists such folders, too")
    found = [(facts := run_facts(path, manifest), json_row(path, manifest, facts)) for path, manifest in read]
    return sorted(found, key=lambda one: one[0]["started"] or LONG_AGO)


def listed_manifest(run_dir: Path, now: datetime, *, everything: bool) -> Manifest | None:
    """The run's manifest. If it cannot be read, it is empty, or None unless everything is listed."""
    try:
        return current(run_dir, now)
    except ManifestUnreadable as error:
        if not error.missing:
            warn(error.path, error.why)
    return {} if everything else None


def json_row(run_dir: Path, manifest: Manifest, facts: Facts) -> dict[str, Any]:
    """The run's row in JSON: the keys that scripts know, then newer ones."""
    groups = {key: mapping(manifest, key) for key in GROUPS.values()}
    return {**run_row(run_dir, manifest), **{key: facts[key] for key in MORE_KEYS}, **groups}


def chosen(found: list[Listed], filters: Sequence[str]) -> list[Listed]:
    """The runs that meet all filters."""
    tests = filters_of(filters)
    return [one for one in found if all(test(one[0]) for test in tests)]


def full_key_of(sort_key: str, runs: Sequence[Facts]) -> str:
    """The whole name behind `--sort`, with its `-` if it has one."""
    descending = "-" if sort_key.startswith("-") else ""
    return descending + full_key(sort_key.removeprefix("-"), runs)


def json_rows(rows: dict[str, dict[str, Any]], runs: Sequence[Facts], best: Best | None) -> list[dict[str, Any]]:
    """The rows of the runs, which say whether each is the best if that was asked."""
    first = winners(best, runs) if best else []
    return [{**rows[run["path"]], "best": run in first} if best else rows[run["path"]] for run in runs]


def terminal_keys(runs: Sequence[Facts], asked: Sequence[str] = ()) -> list[str]:
    """The columns on a terminal: what was asked for, variables that differ, metrics, and what else fits."""
    keys = [*FIRST, *asked, *varying_keys(runs), *LAST, *group_keys(runs, TAG)]
    return [key for key in dict.fromkeys(keys) if any(run.get(key) is not None for run in runs)]


def csv_keys(runs: Sequence[Facts]) -> list[str]:
    """The columns of CSV."""
    groups = (key for begin in (VARIABLE, METRIC, TAG) for key in group_keys(runs, begin))
    return [*CSV_FIRST, *groups, "note"]


def columns_of(text: str, runs: Sequence[Facts]) -> list[str]:
    """The columns of `--columns`; the name of a group stands for all of its columns. Raises UsageError."""
    begins = {key: begin for begin, key in GROUPS.items()}
    names = [name.strip() for name in text.split(",") if name.strip()]
    keys = (group_keys(runs, begins[name]) if name in begins else [full_key(name, runs)] for name in names)
    return list(dict.fromkeys(key for group in keys for key in group))
