"""What runs were billed, beside what they were thought to cost. Pure: manifests and bills in, rows out; prices nothing.

A bill is of a pod and an hour. It belongs to the run whose pod that was in that hour; if there were two of them, which
took turns on a recycled pod, it belongs to neither: what cannot be known is not made up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .events import instant
from .folders import began_at
from .layouts import UNKNOWN, or_dash
from .manifests import Manifest, finite_number, mappings
from .totals import add_known, rounded

HOUR = timedelta(hours=1)
STAMPED = re.compile(r"\d{8}T\d{6}Z(?=(-\d+)?$)")
NEARLY = 0.9
"""A bill of so much of the estimate is not the bill of its first hours only."""
COLUMNS = ("run", "job", "pods", "est_$", "billed_$", "bill")
WORDS = ("settled", "so_far", "not_yet", "shared", "unknown", "nothing_rented")

Hour = tuple[str, datetime]
"""A pod and the beginning of an hour: what a bill is for."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One run, and the hours of pods that are its own."""

    path: Path
    """Its run dir."""
    manifest: Manifest
    hours: frozenset[Hour]

    @property
    def estimated_usd(self) -> float | None:
        """What it was thought to cost."""
        return finite_number(self.manifest, "estimated_cost_usd")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One run, what it was billed, and how good that word is."""

    claim: Claim
    billed_usd: float | None
    word: str
    """One of WORDS."""


def claim(path: Path, manifest: Manifest, now: datetime) -> Claim:
    """The hours that the run answers for."""
    return Claim(path, manifest, frozenset(hour for span in spans(manifest, now) for hour in hours(*span)))


def spans(manifest: Manifest, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Each pod of the run with the time in which it was; none for a manifest that does not say when that was."""
    for row in mappings(manifest, "pods"):
        if (since_at := instant(row.get("since_utc"))) is not None:
            yield str(row.get("pod_id")), since_at, instant(row.get("until_utc")) or now
    since_at, ended_at = stamp(manifest.get("run_id")), instant(manifest.get("pulled_at_utc"))
    if "pods" not in manifest and isinstance(manifest.get("pod_id"), str) and since_at and ended_at:
        yield manifest["pod_id"], since_at, ended_at


def stamp(run_id: object) -> datetime | None:
    """When a run began, by the end of its id."""
    found = STAMPED.search(run_id) if isinstance(run_id, str) else None
    return began_at(found[0]) if found else None


def hours(pod_id: str, since_at: datetime, until_at: datetime) -> Iterator[Hour]:
    """Every hour that the time touches; one at least."""
    at = since_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    yield pod_id, at
    while (at := at + HOUR) < until_at:
        yield pod_id, at


def reconcile(
    claims: Sequence[Claim], bills: Mapping[Hour, float], reach_at: datetime | None
) -> tuple[list[Reconciled], set[Hour]]:
    """What each run was billed, and the hours that more than one run claims."""
    claimants = Counter(hour for one in claims for hour in one.hours)
    contested = {hour for hour, count in claimants.items() if count > 1}
    return [judged(one, bills, contested, reach_at) for one in claims], contested


def judged(one: Claim, bills: Mapping[Hour, float], contested: set[Hour], reach_at: datetime | None) -> Reconciled:
    """What one run was billed."""
    if not one.hours:
        return Reconciled(one, None, "nothing_rented" if one.estimated_usd == 0 else "unknown")
    if not contested.isdisjoint(one.hours):
        return Reconciled(one, None, "shared")
    found = [bills[hour] for hour in one.hours if hour in bills]
    if not found:
        return Reconciled(one, None, "not_yet")
    usd, end_at = round(sum(found), 6), max(at for _, at in one.hours) + HOUR
    passed = reach_at is not None and end_at <= reach_at
    whole = bool(one.estimated_usd) and usd >= NEARLY * (one.estimated_usd or 0.0)
    return Reconciled(one, usd, "settled" if passed or whole else "so_far")


def row(done: Reconciled) -> dict[str, Any]:
    """One run under the names that JSON shows."""
    manifest = done.claim.manifest
    return {
        "timestamp": done.claim.path.name,
        "job": manifest.get("job_name"),
        "run_id": manifest.get("run_id"),
        "pods": sorted({pod_id for pod_id, _ in done.claim.hours}),
        "estimated_cost_usd": done.claim.estimated_usd,
        "billed_usd": done.billed_usd,
        "bill": done.word,
        "run_path": str(done.claim.path.absolute()),
    }


def totals(done: Sequence[Reconciled], shared_usd: float | None, reach_at: datetime | None) -> dict[str, Any]:
    """The sums under the names that JSON shows. What has no number is counted, not guessed."""
    billed = [one for one in done if one.billed_usd is not None]
    return {
        "runs": len(done),
        "estimated_cost_usd": total(one.claim.estimated_usd for one in done),
        "unknown_cost": sum(one.claim.estimated_usd is None for one in done),
        "billed_usd": total(one.billed_usd for one in billed),
        "billed_runs": len(billed),
        "estimated_cost_of_billed_usd": total(one.claim.estimated_usd for one in billed),
        "shared_usd": shared_usd,
        "by_bill": {word: count for word in WORDS if (count := sum(one.word == word for one in done))},
        "bill_reaches": None if reach_at is None else reach_at.date().isoformat(),
    }


def total(amounts: Iterable[float | None]) -> float | None:
    """The sum of what is known; None if nothing is."""
    known = None
    for usd in amounts:
        known = add_known(known, usd)
    return rounded(known)


def cells(shown: dict[str, Any]) -> tuple[str, ...]:
    """The row as cells of the table."""
    amounts = (exactly(shown[key]) for key in ("estimated_cost_usd", "billed_usd"))
    return (
        shown["timestamp"],
        or_dash(shown["job"]),
        ",".join(shown["pods"]) or UNKNOWN,
        *amounts,
        shown["bill"].replace("_", " "),
    )


def total_facts(sums: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Label and value of each line of the footer; lines only where there is something to say."""
    yield "runs", sums["runs"]
    yield "estimated_cost", exactly(sums["estimated_cost_usd"])
    if sums["unknown_cost"]:
        yield "unknown_cost", sums["unknown_cost"]
    of_them = f"{sums['billed_runs']} runs, estimated at {exactly(sums['estimated_cost_of_billed_usd'])}"
    yield "billed", f"{exactly(sums['billed_usd'])} ({of_them})" if sums["billed_runs"] else UNKNOWN
    if sums["shared_usd"] is not None:
        yield "shared", f"{exactly(sums['shared_usd'])} (pods that several runs used within an hour)"
    yield from sums["by_bill"].items()
    yield "bill_reaches", or_dash(sums["bill_reaches"])


def exactly(usd: float | None) -> str:
    """Money to the hundredth of a cent; a dash for none."""
    return UNKNOWN if usd is None else f"${usd:.4f}"
