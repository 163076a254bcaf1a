"""manifest-summary, ls-runs and compare-runs: the results of runs, read from their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from ..history.comparison import Difference, compare, comparison_lines
from ..history.folders import find_files, may_be_folder, run_dirs, tidy_path
from ..history.layouts import RUN_COLUMNS, run_cells, run_row, summary_lines, table_lines, total_lines
from ..history.manifests import Manifest, ManifestUnreadable, has_failed, manifest_path
from ..history.totals import Totals
from ..machine.clock import SystemClock
from ..record.paths import MANIFEST_NAME, RUNS_DIR
from ..spec.strict_json import dumps
from ..terminal.output import can_draw, info, print_json, print_lines, warn
from .current import current, currents
from .options import json_option, output_options
from .run_names import RunName, or_latest, project_option
from .tables import print_labelled


@click.command("manifest-summary", short_help="Print the result of one run, or of many with totals.")
@click.argument("manifest", metavar="[RUN]", type=RunName(), required=False)
@click.option("--root", type=click.Path(), help="Summarize every manifest below this folder, and print totals.")
@json_option
@output_options
def manifest_summary(manifest: Path | None, root: str | None, as_json: bool) -> None:
    """Print the result of one run (RUN may also be its manifest), or of all runs below --root.

    Without both: of the latest run of this project.
    """
    if manifest is not None and root is not None:
        raise UsageError("give either a RUN or --root DIR", hint="RUN may be a manifest, too")
    if root is not None:
        summarize_all(root, as_json)
    else:
        manifest = or_latest(manifest)
        found = current(manifest, SystemClock().now())
        document = {"path": str(manifest_path(manifest)), **found}
        print_json(document) if as_json else print_labelled(summary_lines(found))


def summarize_all(root: str, as_json: bool) -> None:
    """Every manifest below root is on stdout, then the totals."""
    if not may_be_folder(root):
        raise UsageError(f"{root}: no such folder", hint="name the folder that holds the run dirs")
    totals = Totals()
    paths = find_files(tidy_path(root), MANIFEST_NAME, warn, totals.look)
    found = counted(currents(paths, SystemClock().now()), totals)
    print_lines(json_document(found, totals)) if as_json else print_labelled(blocks(found, totals))
    if not totals.manifests:
        info(f"no manifests below {root}")


def counted(found: Iterator[tuple[str, Manifest | None]], totals: Totals) -> Iterator[tuple[str, Manifest]]:
    """The manifests that could be read; the totals count the others, too."""
    for path, manifest in found:
        totals.add(manifest)
        if manifest is not None:
            yield path, manifest


def blocks(found: Iterator[tuple[str, Manifest]], totals: Totals) -> Iterator[str]:
    """A block for each manifest, then the totals; nothing if there is no manifest."""
    for path, manifest in found:
        yield f"== {path} =="
        yield from summary_lines(manifest)
        yield ""
    if totals.manifests:
        yield "== TOTALS =="
        yield from total_lines(totals)


def json_document(found: Iterator[tuple[str, Manifest]], totals: Totals) -> Iterator[str]:
    """One JSON object with the list of manifests, one on each line, and the totals."""
    yield '{"manifests": ['
    comma = ""
    for path, manifest in found:
        yield comma + dumps({"path": path, **manifest})
        comma = ","
    yield f'], "totals": {dumps(totals.as_json())}}}'


@click.command("ls-runs")
@project_option("The project whose runs in artifacts/runpod are listed.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="List only this many of the newest runs; 0: all.")
@click.option("--all", "everything", is_flag=True, help="Also list run dirs without a readable manifest.")
@json_option
@output_options
def ls_runs(project_root: Path, limit: int, everything: bool, as_json: bool) -> None:
    """List the runs of a project, oldest first."""
    found, now = run_dirs(project_root, warn), SystemClock().now()
    rows = [row for path in found if (row := listed_row(path, now, everything=everything)) is not None]
    if hidden := len(found) - len(rows):
        info(f"{hidden} run dirs without a readable manifest are not listed; --all lists them too")
    rows = rows[-limit:]
    if as_json:
        print_json(rows)
    elif rows:
        print_runs(rows, now)
    else:
        info(f"no runs in {project_root / RUNS_DIR}")


def listed_row(run_dir: Path, now: datetime, *, everything: bool) -> dict[str, Any] | None:
    """The run's row. Without a readable manifest it is empty, or None unless everything is listed."""
    try:
        return run_row(run_dir, current(run_dir, now))
    except ManifestUnreadable as error:
        if not error.missing:
            warn(error.path, error.why)
    return run_row(run_dir, {}) if everything else None


def print_runs(rows: list[dict[str, Any]], now: datetime) -> None:
    """The table of runs is on stdout."""
    if can_draw():
        from .screens import runs_table, show  # rich is slow to import, and only needed here

        show([runs_table(rows, now)])
    else:
        print_lines(table_lines(RUN_COLUMNS, [run_cells(row) for row in rows]))


@click.command("compare-runs", short_help="Compare two runs field by field.")
@click.argument("a", metavar="RUN", type=RunName())
@click.argument("b", metavar="RUN", type=RunName())
@json_option
@output_options
def compare_runs(a: Path, b: Path, as_json: bool) -> int:
    """Compare two runs (manifests or run dirs) field by field. Exit 1: one of them failed; 2: one cannot be read."""
    now = SystemClock().now()
    one, other = current(a, now), current(b, now)
    if as_json:
        print_json({"a": str(a), "b": str(b), "fields": [as_object(difference) for difference in compare(one, other)]})
    else:
        print_comparison((str(a), str(b)), one, other)
    return 1 if has_failed(one) or has_failed(other) else 0


def print_comparison(paths: tuple[str, str], a: Manifest, b: Manifest) -> None:
    """The comparison is on stdout."""
    if can_draw():
        from .screens import comparison_table, show  # rich is slow to import, and only needed here

        show([comparison_table(paths, compare(a, b))])
    else:
        print_lines(comparison_lines(paths, a, b))


def as_object(difference: Difference) -> dict[str, Any]:
    """The difference for JSON."""
    same = difference.a == difference.b
    return {"field": difference.field, "a": difference.a, "b": difference.b, "same": same}
