"""Money as one instant. All arithmetic about money and time limits is here; knows no pod and no clock."""

from __future__ import annotations

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
"""Price of a pod's volume disk while the pod runs (docs.runpod.io, pods/pricing, 2026)."""
STOPPED_STORAGE_USD_PER_GB_MONTH = 0.20
"""Price of the same disk while the pod is stopped (docs.runpod.io, pods/pricing, 2026)."""
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


def spent_usd(usd_per_hour: float, *, since: datetime, until: datetime) -> float:
    """What a pod of this rate costs from one instant to the other, in USD."""
    return usd_per_hour * max(0.0, (until - since).total_seconds()) / 3600


def lasting_usd(usd_per_hour: float, seconds: float) -> float:
    """What a pod of this rate costs in so many seconds, in USD."""
    return usd_per_hour * max(0.0, seconds) / 3600


def disk_usd_per_day(size_gb: float, usd_per_gb_month: float) -> float:
    """What a disk costs a day, in USD; nothing if it has no size."""
    return max(0.0, size_gb) * usd_per_gb_month / DAYS_A_MONTH


def guard_deadline(stop: datetime, budget: BudgetSpec) -> datetime:
    """When the pod's guard acts by itself: after the driver's own stop, pull and release."""
    return stop + timedelta(seconds=closing_s(budget))


def closing_s(budget: BudgetSpec) -> float:
    """Seconds from the limit to the guard's deadline."""
    return STOP_GRACE_S + budget.pull_grace_sec + min(GUARD_MARGIN_S, budget.pull_grace_sec)
