"""Money as one instant. All arithmetic about money and time limits is here; knows no pod and no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .spec import BudgetSpec

# After the limit the job gets so long to end by itself before it is killed.
STOP_GRACE_S = 10.0
# The guard strikes only when the driver had its chance: job stopped, artifacts pulled, pod released. Who gives pulls
# less time than this has little to lose, and gives the release no more.
GUARD_MARGIN_S = 60.0
# A cap that buys more than this is no limit in practice, and datetime has an end.
LONGEST = timedelta(days=3650)

VOLUME_STORAGE_USD_PER_GB_MONTH = 0.10
"""Price of a pod's disks, volume and container, while the pod runs (docs.runpod.io, pods/pricing, 2026)."""
STOPPED_STORAGE_USD_PER_GB_MONTH = 0.20
"""Price of the volume while the pod is stopped; it has no container then (docs.runpod.io, pods/pricing, 2026)."""
DAYS_A_MONTH = 30


@dataclass(frozen=True, slots=True)
class StopAt:
    """The instant at which a run must stop, and which limit it is."""

    at: datetime
    why: Literal["cost_cap", "max_runtime"]


def stop_at(budget: BudgetSpec, *, created_at: datetime, usd_per_hour: float, past_usd: float = 0.0) -> StopAt:
    """The earliest of cap and time limit, counted from the pod's creation at its real rate.

    past_usd is what earlier pods of the run have cost.
    """
    left_usd = max(0.0, budget.cost_cap_usd - past_usd)
    cap = StopAt(created_at + affordable(left_usd, usd_per_hour), "cost_cap")
    if budget.max_runtime_minutes is None:
        return cap
    runtime = timedelta(minutes=budget.max_runtime_minutes)
    limit = StopAt(created_at + min(runtime, LONGEST), "max_runtime")
    return min(limit, cap, key=lambda stop: stop.at)


def affordable(cap_usd: float, usd_per_hour: float) -> timedelta:
    """How long so much money lasts at this rate; a free pod lasts ten years."""
    if usd_per_hour <= 0 or cap_usd / usd_per_hour >= LONGEST.total_seconds() / 3600:
        return LONGEST
    return timedelta(hours=cap_usd / usd_per_hour)


@dataclass(frozen=True, slots=True)
class Rental:
    """A time in which one pod costs: from its creation, or from its start anew, to its confirmed end."""

    pod_id: str
    usd_per_hour: float
    """Of all of it, its disks included."""
    since_at: datetime
    until_at: datetime | None = None
    """None as long as no end is confirmed."""
    guard_at: datetime | None = None
    """When its guard ends it at the latest."""

    def end_at(self, now: datetime) -> datetime:
        """Its end; while none is confirmed, now, or when its guard had its turn."""
        return self.until_at or min(now, self.guard_at or now)

    def seconds(self, now: datetime) -> float:
        """How long it has cost until now."""
        return overlap_s((self.since_at, self.end_at(now)), (self.since_at, now))


def spent_usd(rentals: Iterable[Rental], now: datetime) -> float:
    """What pods have cost until now, in USD."""
    return sum((rental.usd_per_hour * rental.seconds(now) / 3600 for rental in rentals), 0.0)


def spent_between_usd(rentals: Iterable[Rental], start: datetime, end: datetime) -> float:
    """What pods have cost from one instant to the other, in USD."""
    span = (start, end)
    return sum((r.usd_per_hour * overlap_s((r.since_at, r.end_at(end)), span) / 3600 for r in rentals), 0.0)


def overlap_s(a: tuple[datetime, datetime], b: tuple[datetime, datetime]) -> float:
    """Seconds that two spans of time share; none if a clock went backwards in one of them."""
    return max(0.0, (min(a[1], b[1]) - max(a[0], b[0])).total_seconds())


def running_disks_usd_per_hour(size_gb: float) -> float:
    """What the disks of a running pod cost beside its GPUs: no price that the cloud names holds them."""
    return disk_usd_per_day(size_gb, VOLUME_STORAGE_USD_PER_GB_MONTH) / 24


def left_usd_per_day(rental: Rental, status: str | None, volume_gb: float | None) -> float | None:
    """What a pod in this status costs on a day, in USD: its volume if it is stopped; None if it is gone or unknown."""
    if status in (None, "TERMINATED"):
        return None
    if status != "EXITED":
        return rental.usd_per_hour * 24
    return None if volume_gb is None else disk_usd_per_day(volume_gb, STOPPED_STORAGE_USD_PER_GB_MONTH)


def disk_usd_per_day(size_gb: float, usd_per_gb_month: float) -> float:
    """What a disk costs a day, in USD; nothing if it has no size."""
    return max(0.0, size_gb) * usd_per_gb_month / DAYS_A_MONTH


def guard_deadline(stop: datetime, budget: BudgetSpec) -> datetime:
    """When the pod's guard acts by itself: after the driver's own stop, pull and release."""
    return stop + timedelta(seconds=closing_s(budget))


def closing_s(budget: BudgetSpec) -> float:
    """Seconds from the limit to the guard's deadline."""
    return STOP_GRACE_S + budget.pull_grace_sec + min(GUARD_MARGIN_S, budget.pull_grace_sec)
