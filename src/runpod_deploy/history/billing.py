"""RunPod's bill asked for the runs of a tree, and its answer recorded with each. Knows journals and manifests.

A run of ours learns it as an event of its journal, from which its manifest is made; the manifest of an older tool has
nothing behind it, and gets the two keys itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from ..cloud.runpod.bills import Bill
from ..errors import RunBusy
from ..machine.clock import Clock
from ..machine.files import write_atomically
from ..record.events import Billed
from ..record.journal import Journal
from ..record.lock import RunLock
from ..record.paths import RunDir
from ..run import whereabouts
from .bills import HOUR, Claim, Hour, Reconciled, claim, reconcile
from .folders import MANIFEST_NAME, Unreadable, find_files, why_unreadable
from .manifests import Manifest, read_manifests
from .runs import RunUnreadable, brought_up_to_date, read_run, rebuild_manifest

AT_ONCE = timedelta(days=7)
"""The bills of so long a time come in one answer."""


class Biller(Protocol):
    """Who has the bill."""

    def bills(self, start_at: datetime, end_at: datetime) -> list[Bill]:
        """What each pod of the account was billed for each hour between."""

    def billed_through(self) -> datetime | None:
        """A day to which the bill has come at least."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the bill says of all runs of a tree."""

    runs: list[Reconciled]
    shared_usd: float | None
    """Of hours in which several runs used the same pod; None if there were none, or nothing is billed for them."""
    reach_at: datetime | None


def reckon(root: str, biller: Biller, now: datetime, unreadable: Unreadable) -> Reckoning:
    """What the runs below root were billed. Raises CloudUnreachable, AuthRefused."""
    claims = list(claims_below(root, now, unreadable))
    wanted = {hour for one in claims for hour in one.hours}
    bills = bills_for(wanted, biller)
    reach_at = biller.billed_through() if wanted else None
    runs, contested = reconcile(claims, bills, reach_at)
    shared = [usd for hour, usd in bills.items() if hour in contested]
    return Reckoning(runs, round(sum(shared), 6) if shared else None, reach_at)


def claims_below(root: str, now: datetime, unreadable: Unreadable) -> Iterator[Claim]:
    """Every run with a manifest; of one of ours that has not ended, what its journal says now."""
    for path, manifest in read_manifests(find_files(root, MANIFEST_NAME, unreadable), unreadable):
        if manifest is not None:
            run_dir = Path(path).parent
            yield claim(run_dir, brought_up_to_date(run_dir, manifest, now, unreadable), now)


def bills_for(wanted: set[Hour], biller: Biller) -> dict[Hour, float]:
    """What was billed for these hours, asked for in as few calls as the answers' size allows."""
    found: dict[Hour, float] = {}
    for start_at, end_at in stretches({at for _, at in wanted}):
        for bill in biller.bills(start_at, end_at):
            key = (bill.pod_id, bill.hour_at)
            if key in wanted:
                found[key] = found.get(key, 0.0) + bill.usd
    return found


def stretches(instants: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Times, none of them longer than AT_ONCE, that hold all these hours."""
    start_at = last_at = None
    for at in sorted(instants):
        if start_at is None or last_at is None:
            start_at = at
        elif at + HOUR - start_at > AT_ONCE:
            yield start_at, last_at + HOUR
            start_at = at
        last_at = at
    if start_at is not None and last_at is not None:
        yield start_at, last_at + HOUR


def record(done: Reconciled, clock: Clock, unreadable: Unreadable) -> None:
    """The run's records say what it was billed; a run that cannot be written to is told of."""
    if not is_news(done):
        return
    run_dir, event = RunDir(done.claim.path), Billed(usd=done.billed_usd, settled=done.word == "settled")
    try:
        if run_dir.spec.is_file():
            record_event(run_dir, event, clock)
        else:
            add_keys(run_dir.manifest, done.claim.manifest, event)
    except RunBusy:
        unreadable(str(run_dir.path), "another process holds this run: its bill is shown and not recorded")
    except (OSError, RunUnreadable) as error:
        unreadable(str(run_dir.path), f"its bill is shown and not recorded: {why_unreadable(error)}")


def is_news(done: Reconciled) -> bool:
    """Whether the run's manifest says something else. That nothing is billed yet is no news."""
    said: dict[str, Any] = done.claim.manifest
    if done.billed_usd is None:
        return done.word == "shared" and said.get("billed_usd") is not None
    return (said.get("billed_usd"), said.get("bill_settled")) != (done.billed_usd, done.word == "settled")


def record_event(run_dir: RunDir, event: Billed, clock: Clock) -> None:
    """The event is in the journal, and the manifest says so. Raises RunBusy, RunUnreadable, OSError."""
    lock = RunLock(run_dir)
    lock.acquire()
    try:
        state = read_run(run_dir.path).state
        stamped = replace(event, ts_utc=clock.now())
        Journal(run_dir.events).append(stamped, whereabouts(state), must=True)
        rebuild_manifest(read_run(run_dir.path), clock.now())
    finally:
        lock.release()


def add_keys(path: Path, manifest: Manifest, event: Billed) -> None:
    """The manifest on disk has the bill, and all that it had. Raises OSError."""
    document = {**manifest, "billed_usd": event.usd, "bill_settled": event.settled}
    write_atomically(path.resolve(), json.dumps(document, indent=2) + "\n")
