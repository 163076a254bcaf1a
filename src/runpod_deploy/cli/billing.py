"""billing: the amounts that RunPod has billed, beside the estimates of the runs."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..errors import UsageError
from ..history.bill_tables import BILL_COLUMNS, bill_cells, bill_row, bill_total_facts, bill_totals
from ..history.billing import BillReport, bill_report, record_bill
from ..history.folders import may_be_folder, tidy_path
from ..history.layouts import TOTAL_WIDTH, table_lines
from ..machine.clock import SystemClock
from ..terminal.output import info, print_json, print_lines, warn
from .access import real_cloud
from .options import json_option, output_options
from .run_names import RUNS_HERE, runs_folder
from .tables import print_table


@click.command
@click.option(
    "--root", type=click.Path(), metavar="DIR", default=runs_folder, help=f"The folder that holds the runs. {RUNS_HERE}"
)
@json_option
@output_options
def billing(root: str, as_json: bool) -> None:
    """Show what RunPod has billed for the runs below a folder, beside their estimated cost.

    RunPod bills by the hour, and the bill comes days or weeks late. An amount that is not in the bill yet is marked
    and never guessed. Other amounts are recorded with the run, as an event and as `billed_usd` in its manifest.
    """
    if not may_be_folder(root):
        raise UsageError(f"{root}: no such folder", hint="name the folder that holds the run dirs with --root")
    clock = SystemClock()
    report = bill_report(tidy_path(root), real_cloud(), clock.now(), warn)
    for bill in report.runs:
        record_bill(bill, clock, warn)
    show(report, as_json)
    if not report.runs:
        info(f"no manifests below {root}")
    if open_count := sum(bill.state in ("so_far", "not_yet") for bill in report.runs):
        count = f"{open_count} of {len(report.runs)} runs are not settled"
        info(f"{count}: the bill comes days or weeks late; ask again then")


def show(report: BillReport, as_json: bool) -> None:
    """The report is on stdout."""
    rows = [bill_row(bill) for bill in report.runs]
    sums = bill_totals(report.runs, report.shared_usd, report.billed_through)
    if as_json:
        print_json({"runs": rows, "totals": sums})
        return
    if rows:
        table = [bill_cells(row) for row in rows]
        print_table(table_lines(BILL_COLUMNS, table), BILL_COLUMNS, table)
        print_lines(footer(sums))


def footer(sums: dict[str, object]) -> Iterator[str]:
    """The sums, one on each line."""
    yield ""
    yield "== TOTALS =="
    for label, value in bill_total_facts(sums):
        yield f"{label + ':':<{TOTAL_WIDTH}}{value}"
