"""compare-runs: what differs between two or many runs, and which of them is the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from ..history.comparison import Difference, compare, comparison_lines
from ..history.facts import Facts, run_facts
from ..history.manifests import Manifest, ManifestUnreadable, has_failed
from ..history.matrix import Best, best_of, compared_keys, marked, titles, winners
from ..machine.clock import SystemClock
from ..terminal.fitting import Cell, Column
from ..terminal.output import info, is_terminal, print_err, print_json, print_lines
from .current import current
from .ls_runs import chosen, listed
from .options import json_option, output_options
from .run_names import RunName, project_option
from .run_tables import as_json as plain
from .run_tables import best_line, colour, print_csv, print_facts, print_fitted

LEAST_CHARS = 8


@click.command("compare-runs")
@click.argument("run_dirs", metavar="[RUN]...", nargs=-1, type=RunName())
@project_option("With --filter: the project whose runs are compared.")
@click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE",
    help="Compare the runs of the project with this, as `ls-runs` lists them: job=tune, since=7d. Repeatable.",
)  # fmt: skip
@click.option("--best", metavar="METRIC", help="Mark the run with the best value: accuracy, or loss:min.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: a row for each run, a column for all that differs.")
@json_option
@output_options
def compare_runs(
    run_dirs: tuple[Path, ...], project_root: Path, filters: tuple[str, ...], best: str | None,
    as_csv: bool, as_json: bool,
) -> int:  # fmt: skip
    """Show what differs between two or many runs: variables, metrics, outcome, cost, and what they ran on.

    RUN may also be a manifest. Two runs that are not printed on a terminal are compared field by field, equal ones
    included, as scripts expect. Exit 1: one of them failed, or cannot be read.

    Example: runpod-deploy compare-runs --filter job=tune --best accuracy
    """
    try:
        runs, manifests = compared(run_dirs, project_root, filters)
    except ManifestUnreadable as error:  # as in older versions, for scripts that test for 1
        print_err(f"error: {error.message}")
        print_err(f"hint: {error.hint}")
        return 1
    mark = best_of(best, runs) if best else None
    if as_json:
        print_json(document(run_dirs, runs, manifests, mark))
    elif as_csv:
        print_csv(["run", *compared_keys(runs)], runs)
    elif len(run_dirs) == 2 and not best and not is_terminal():
        print_lines(comparison_lines((str(run_dirs[0]), str(run_dirs[1])), *manifests))
    else:
        print_comparison(runs, mark)
    return 1 if any(has_failed(manifest) for manifest in manifests) else 0


def compared(
    run_dirs: Sequence[Path], project_root: Path, filters: Sequence[str]
) -> tuple[list[Facts], list[Manifest]]:
    """The runs that are named, or that meet the filters, and their manifests. Raises UsageError for fewer than two."""
    now = SystemClock().now()
    if not run_dirs and not filters:
        raise UsageError("name two runs or more, or give --filter", hint="for example: compare-runs --filter job=tune")
    if run_dirs and filters:
        raise UsageError("give either runs or --filter")
    paths = run_dirs or [Path(facts["path"]) for facts, _ in chosen(listed(project_root, everything=False), filters)]
    if len(paths) < 2:
        raise UsageError(f"{len(paths)} run to compare; two are needed" if paths else "no run fits these filters")
    manifests = [current(path, now) for path in paths]
    return [run_facts(folder(path), manifest) for path, manifest in zip(paths, manifests, strict=True)], manifests


def folder(path: Path) -> Path:
    """The run dir, if its manifest was named."""
    return path.absolute() if path.is_dir() else path.absolute().parent


def print_comparison(runs: Sequence[Facts], best: Best | None) -> None:
    """What differs is on stdout: two runs side by side, more than two in rows."""
    keys = compared_keys(runs)
    if best and best.key not in keys:
        keys = [best.key, *keys]
    if not keys:
        info(f"these {len(runs)} runs differ in nothing that is recorded")
    elif len(runs) == 2:
        side_by_side(keys, runs, best)
    else:
        print_facts(["run", *keys], runs, best)
    if best:
        info(best_line(best, winners(best, runs)))


def side_by_side(keys: Sequence[str], runs: Sequence[Facts], best: Best | None) -> None:
    """A row for each fact, and a column for each of the two runs."""
    value = best.value(runs) if best else None
    columns = [Column("", LEAST_CHARS), *(Column(run["run"], LEAST_CHARS) for run in runs)]
    rows = [
        [Cell(title, "bold"), *(Cell(marked(key, run, best, value), colour(key, run, best, value)) for run in runs)]
        for key, title in zip(keys, titles(keys), strict=True)
    ]
    print_fitted(columns, rows)


def document(
    paths: Sequence[Path], runs: Sequence[Facts], manifests: Sequence[Manifest], best: Best | None
) -> dict[str, Any]:
    """The comparison for JSON. Two runs that were named also have the fields that scripts know."""
    made: dict[str, Any] = {"differs": compared_keys(runs), "runs": [plain(run) for run in runs]}
    if best:
        made["best"] = {"key": best.key, "value": best.value(runs), "runs": [run["run"] for run in winners(best, runs)]}
    if len(paths) != 2:
        return made
    a, b = manifests
    return {"a": str(paths[0]), "b": str(paths[1]), "fields": [as_object(one) for one in compare(a, b)], **made}


def as_object(difference: Difference) -> dict[str, Any]:
    """The difference for JSON."""
    same = difference.a == difference.b
    return {"field": difference.field, "a": difference.a, "b": difference.b, "same": same}
