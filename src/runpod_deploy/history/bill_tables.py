"""Billed amounts as JSON and as a table: exact layouts, kept from release to release. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from .layouts import UNKNOWN, or_dash
from .reconciliation import BILL_STATES, RunBill
from .totals import add_known, rounded

BILL_COLUMNS = ("run", "job", "pods", "est_$", "billed_$", "bill")


def bill_row(bill: RunBill) -> dict[str, Any]:
    """One run under the names that JSON shows."""
    run, manifest = bill.run, bill.run.manifest
    return {
        "timestamp": run.path.name,
        "job": manifest.get("job_name"),
        "run_id": manifest.get("run_id"),
        "pods": sorted({pod_id for pod_id, _ in run.hours}),
        "estimated_cost_usd": run.estimated_usd,
        "billed_usd": bill.billed_usd,
        "bill": bill.state,
        "run_path": str(run.path.absolute()),
    }


def bill_totals(bills: Sequence[RunBill], shared_usd: float | None, billed_through: datetime | None) -> dict[str, Any]:
    """The sums under the names that JSON shows. Runs without an amount are counted; nothing is guessed for them."""
    billed = [bill for bill in bills if bill.billed_usd is not None]
    return {
        "runs": len(bills),
        "estimated_cost_usd": sum_of_known(bill.run.estimated_usd for bill in bills),
        "unknown_cost": sum(bill.run.estimated_usd is None for bill in bills),
        "billed_usd": sum_of_known(bill.billed_usd for bill in billed),
        "billed_runs": len(billed),
        "estimated_cost_of_billed_usd": sum_of_known(bill.run.estimated_usd for bill in billed),
        "shared_usd": shared_usd,
        "by_bill": {state: count for state in BILL_STATES if (count := sum(bill.state == state for bill in bills))},
        "bill_reaches": None if billed_through is None else billed_through.date().isoformat(),
    }


def sum_of_known(amounts: Iterable[float | None]) -> float | None:
    """The sum of the known amounts; None if none is known."""
    known = None
    for usd in amounts:
        known = add_known(known, usd)
    return rounded(known)


def bill_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The row as cells of the table."""
    amounts = (exact_dollars(row[key]) for key in ("estimated_cost_usd", "billed_usd"))
    return (
        row["timestamp"],
        or_dash(row["job"]),
        ",".join(row["pods"]) or UNKNOWN,
        *amounts,
        row["bill"].replace("_", " "),
    )


def bill_total_facts(sums: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Label and value of each line of the footer; some lines only where there is something to say."""
    yield "runs", sums["runs"]
    yield "estimated_cost", exact_dollars(sums["estimated_cost_usd"])
    if sums["unknown_cost"]:
        yield "unknown_cost", sums["unknown_cost"]
    of_them = f"{sums['billed_runs']} runs, estimated at {exact_dollars(sums['estimated_cost_of_billed_usd'])}"
    yield "billed", f"{exact_dollars(sums['billed_usd'])} ({of_them})" if sums["billed_runs"] else UNKNOWN
    if sums["shared_usd"] is not None:
        yield "shared", f"{exact_dollars(sums['shared_usd'])} (pods that several runs used within an hour)"
    yield from sums["by_bill"].items()
    yield "bill_reaches", or_dash(sums["bill_reaches"])


def exact_dollars(usd: float | None) -> str:
    """Money with four decimals; a dash for none."""
    return UNKNOWN if usd is None else f"${usd:.4f}"
