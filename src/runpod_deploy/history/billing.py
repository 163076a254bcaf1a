"""The bills of all runs below a folder: asked from RunPod, and recorded with each run. Knows journals and manifests.

The journal of our own run gets an event, from which its manifest is made. A run of an older tool has no journal to
make a manifest from, so that the two keys are written to its manifest directly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from ..cloud.runpod.bills import HOUR, Bill
from ..errors import ConfigError, RunBusy, UsageError
from ..machine.clock import Clock
from ..machine.files import PRIVATE, real, write_atomically
from ..record.events import Billed
from ..record.journal import Journal
from ..record.lock import RunLock
from ..record.paths import MANIFEST_NAME, RunDir, refuse_links
from ..run import common_fields
from ..spec.strict_json import dumps
from .folders import Unreadable, find_files, why_unreadable
from .manifests import Manifest, read_manifests
from .reconciliation import PodHour, RunBill, RunHours, TooLong, hours_of_run, reconcile
from .runs import brought_up_to_date, read_run, rebuild_manifest

LONGEST_RANGE = timedelta(days=7)
"""The longest time whose bills are asked for in one call."""


class BillSource(Protocol):
    """The part of the cloud that is asked here."""

    def bills(self, start_at: datetime, end_at: datetime, pod_ids: Collection[str] | None = None) -> list[Bill]:
        """The bills of these pods, or of all pods, between the two times: one for each pod and hour."""

    def billed_through(self) -> datetime | None:
        """A day that the account's bill has reached; None if there is no bill yet."""


@dataclass(frozen=True, slots=True)
class BillReport:
    """The bills of all runs below a folder."""

    runs: list[RunBill]
    shared_usd: float | None
    """The amount for hours in which several runs used the same pod; None if there are no such hours or bills."""
    billed_through: datetime | None


def bill_report(root: str, source: BillSource, now: datetime, unreadable: Unreadable) -> BillReport:
    """The bills of the runs below root. Raises CloudUnreachable, AuthRefused."""
    runs = list(runs_below(root, now, unreadable))
    wanted = {hour for run in runs for hour in run.hours}
    amounts = billed_amounts(wanted, source)
    billed_through = source.billed_through() if wanted else None
    bills, shared_hours = reconcile(runs, amounts, billed_through)
    shared = [usd for hour, usd in amounts.items() if hour in shared_hours]
    return BillReport(bills, round(sum(shared), 6) if shared else None, billed_through)


def runs_below(root: str, now: datetime, unreadable: Unreadable) -> Iterator[RunHours]:
    """Every run with a manifest. The manifest of an unfinished run of ours is made anew from its journal."""
    for path, manifest in read_manifests(find_files(root, MANIFEST_NAME, unreadable), unreadable):
        if manifest is not None:
            run_dir = Path(path).parent
            try:
                yield hours_of_run(run_dir, brought_up_to_date(run_dir, manifest, now, unreadable), now)
            except TooLong as error:
                unreadable(path, str(error))


def billed_amounts(wanted: set[PodHour], source: BillSource) -> dict[PodHour, float]:
    """The amount billed for each of these hours, asked for in few calls with answers of a limited size."""
    found: dict[PodHour, float] = {}
    for start_at, end_at in time_ranges({at for _, at in wanted}):
        for bill in source.bills(start_at, end_at, {pod_id for pod_id, _ in wanted}):
            key = (bill.pod_id, bill.hour_at)
            if key in wanted:
                found[key] = found.get(key, 0.0) + bill.usd
    return found


def time_ranges(instants: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Time ranges that cover all these hours; none is longer than LONGEST_RANGE."""
    start_at = last_at = None
    for at in sorted(instants):
        if start_at is None or last_at is None:
            start_at = at
        elif at + HOUR - start_at > LONGEST_RANGE:
            yield start_at, last_at + HOUR
            start_at = at
        last_at = at
    if start_at is not None and last_at is not None:
        yield start_at, last_at + HOUR


def record_bill(bill: RunBill, clock: Clock, unreadable: Unreadable) -> None:
    """The run's records hold what it was billed; `unreadable` is called for a run that cannot be written to."""
    if not is_new(bill):
        return
    run_dir, event = RunDir(bill.run.path), Billed(usd=bill.billed_usd, settled=bill.state == "settled")
    try:
        refuse_links(run_dir)
        if run_dir.spec.is_file():
            record_event(run_dir, event, clock, unreadable)
        else:
            add_to_manifest(run_dir.manifest, bill.run.manifest, event)
    except RunBusy:
        unreadable(str(run_dir.path), "another process holds this run: its bill is shown but not recorded")
    except (OSError, UsageError, ConfigError) as error:
        why = why_unreadable(error) if isinstance(error, OSError) else str(error)
        unreadable(str(run_dir.path), f"its bill is shown but not recorded: {why}")


def is_new(bill: RunBill) -> bool:
    """Whether the bill differs from what the run's manifest says. An amount that is still missing does not."""
    recorded: dict[str, Any] = bill.run.manifest
    if bill.billed_usd is None:
        return bill.state == "shared" and recorded.get("billed_usd") is not None
    return (recorded.get("billed_usd"), recorded.get("bill_settled")) != (bill.billed_usd, bill.state == "settled")


def record_event(run_dir: RunDir, event: Billed, clock: Clock, unreadable: Unreadable) -> None:
    """The event is in the journal, and the manifest holds the amount. Raises DeployError and OSError."""
    lock = RunLock(run_dir)
    lock.acquire()
    try:
        state = read_run(run_dir.path, unreadable).state
        stamped = replace(event, ts_utc=clock.now())
        Journal(run_dir.events).append(stamped, common_fields(state), must=True)
        rebuild_manifest(read_run(run_dir.path, None), clock.now())
    finally:
        lock.release()


def add_to_manifest(path: Path, manifest: Manifest, event: Billed) -> None:
    """The manifest on disk holds the amount beside everything it held before. Raises OSError."""
    document = {**manifest, "billed_usd": event.usd, "bill_settled": event.settled}
    write_atomically(real(path), dumps(document, indent=2) + "\n", mode=PRIVATE)
