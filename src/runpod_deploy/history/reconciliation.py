"""The bill of each run, from the account's bills. Pure: manifests and bills in, amounts out; knows no price.

A bill is for one pod and one hour. It belongs to the run whose pod that was in that hour. If two runs used the pod in
that hour, one after the other, it belongs to neither: how to split it is not known, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from ..cloud.runpod.bills import HOUR
from ..record.paths import began_at
from ..spec.instants import parse_instant
from .manifests import Manifest, finite_number, mappings

STAMPED = re.compile(r"\d{8}T\d{6}Z(?=(-\d+)?$)")
NEARLY_WHOLE = 0.9
"""A bill of at least this share of the estimate covers more than the first hours of the run."""
YEAR = timedelta(days=366)
MOST_HOURS = 10_000
"""Hours of all pods of a run, more than a year. A manifest may come from anybody: each hour takes memory here."""
BILL_STATES = ("settled", "so_far", "not_yet", "shared", "unknown", "nothing_rented")


class TooLong(ValueError):
    """The pods of a run were used for longer than makes sense."""


PodHour = tuple[str, datetime]
"""A pod and the start of an hour: what one bill is for."""


@dataclass(frozen=True, slots=True)
class RunHours:
    """One run, and the hours in which it had a pod."""

    path: Path
    """Its run dir."""
    manifest: Manifest
    hours: frozenset[PodHour]

    @property
    def estimated_usd(self) -> float | None:
        """The estimated cost of the run's pods, without those that only another machine knows."""
        usd = finite_number(self.manifest, "estimated_cost_usd")
        return usd and usd - (finite_number(self.manifest, "elsewhere_usd") or 0.0)


@dataclass(frozen=True, slots=True)
class RunBill:
    """One run, the amount it was billed, and how final that is."""

    run: RunHours
    billed_usd: float | None
    state: str
    """One of BILL_STATES."""


def hours_of_run(path: Path, manifest: Manifest, now: datetime) -> RunHours:
    """The run with the hours of its pods. Raises TooLong."""
    found = list(islice((hour for span in pod_spans(manifest, now) for hour in hours(*span)), MOST_HOURS + 1))
    if len(found) > MOST_HOURS:
        raise TooLong(
            f"its pods were used for more than {MOST_HOURS} hours, as its manifest has it: no bill is asked for"
        )
    return RunHours(path, manifest, frozenset(found))


def pod_spans(manifest: Manifest, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Id, start and end of each pod of the run; none for a manifest that does not tell the times.

    A pod whose end was never recorded is not asked for longer than a year.
    """
    for pod in mappings(manifest, "pods"):
        if (since_at := parse_instant(pod.get("since_utc"))) is not None:
            yield str(pod.get("pod_id")), since_at, parse_instant(pod.get("until_utc")) or min(now, since_at + YEAR)
    since_at, ended_at = start_in_id(manifest.get("run_id")), parse_instant(manifest.get("pulled_at_utc"))
    if "pods" not in manifest and isinstance(manifest.get("pod_id"), str) and since_at and ended_at:
        yield manifest["pod_id"], since_at, ended_at


def start_in_id(run_id: object) -> datetime | None:
    """The start of a run, from the time stamp at the end of its id."""
    found = STAMPED.search(run_id) if isinstance(run_id, str) else None
    return began_at(found[0]) if found else None


def hours(pod_id: str, since_at: datetime, until_at: datetime) -> Iterator[PodHour]:
    """Every hour that overlaps the time; at least one."""
    at = since_at.replace(minute=0, second=0, microsecond=0)
    yield pod_id, at
    while (at := at + HOUR) < until_at:
        yield pod_id, at


def reconcile(
    runs: Sequence[RunHours], bills: Mapping[PodHour, float], billed_through: datetime | None
) -> tuple[list[RunBill], set[PodHour]]:
    """The bill of each run, and the hours in which several runs used the same pod."""
    users = Counter(hour for run in runs for hour in run.hours)
    shared = {hour for hour, count in users.items() if count > 1}
    return [bill_of_run(run, bills, shared, billed_through) for run in runs], shared


def bill_of_run(
    run: RunHours, bills: Mapping[PodHour, float], shared: set[PodHour], billed_through: datetime | None
) -> RunBill:
    """The bill of one run."""
    if not run.hours:
        return RunBill(run, None, "nothing_rented" if run.estimated_usd == 0 else "unknown")
    if not shared.isdisjoint(run.hours):
        return RunBill(run, None, "shared")
    found = [bills[hour] for hour in run.hours if hour in bills]
    if not found:
        return RunBill(run, None, "not_yet")
    usd, end_at = round(sum(found), 6), max(at for _, at in run.hours) + HOUR
    passed = billed_through is not None and end_at <= billed_through
    nearly_whole = bool(run.estimated_usd) and usd >= NEARLY_WHOLE * (run.estimated_usd or 0.0)
    return RunBill(run, usd, "settled" if passed or nearly_whole else "so_far")
