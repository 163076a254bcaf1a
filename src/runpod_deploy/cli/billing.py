"""billing: what RunPod has really billed, beside what runs were thought to cost."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..errors import UsageError
from ..history.billing import Reckoning, reckon, record
from ..history.bills import COLUMNS, cells, row, total_facts, totals
from ..history.folders import may_be_folder, tidy_path
from ..history.layouts import TOTAL_WIDTH, table_lines
from ..machine.clock import SystemClock
from ..terminal.output import info, print_json, print_lines, warn
from .access import real_cloud
from .options import json_option, output_options
from .tables import print_table


@click.command(short_help="What RunPod has really billed for runs.")
@click.option("--root", type=click.Path(), default="artifacts/runpod", show_default=True, help="Where the runs are.")
@json_option
@output_options
def billing(root: str, as_json: bool) -> None:
    """What RunPod has really billed for the runs below a folder, beside what they were thought to cost.

    The bill is by the hour and comes late, by days or weeks: what is not in it yet is said to be so and never made up.
    What is, is recorded with the run: as an event, and as `billed_usd` in its manifest.
    """
    if not may_be_folder(root):
        raise UsageError(f"{root}: no such folder", hint="name the folder that holds the run dirs with --root")
    clock = SystemClock()
    found = reckon(tidy_path(root), real_cloud(), clock.now(), warn)
    for done in found.runs:
        record(done, clock, warn)
    show(found, as_json)
    if not found.runs:
        info(f"no manifests below {root}")
    if open_count := sum(done.word in ("so_far", "not_yet") for done in found.runs):
        info(
            f"{open_count} of {len(found.runs)} runs are not settled: the bill comes days or weeks late; ask again then"
        )


def show(found: Reckoning, as_json: bool) -> None:
    """The reckoning is on stdout."""
    rows, sums = [row(done) for done in found.runs], totals(found.runs, found.shared_usd, found.reach_at)
    if as_json:
        print_json({"runs": rows, "totals": sums})
        return
    if rows:
        table = [cells(shown) for shown in rows]
        print_table(table_lines(COLUMNS, table), COLUMNS, table)
        print_lines(footer(sums))


def footer(sums: dict[str, object]) -> Iterator[str]:
    """The sums, one a line."""
    yield ""
    yield "== TOTALS =="
    for label, value in total_facts(sums):
        yield f"{label + ':':<{TOTAL_WIDTH}}{value}"
