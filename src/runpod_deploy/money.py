"""Money as one instant: all arithmetic about money and time limits. Knows the spec; knows no pod and no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from .spec import STORAGE_EPHEMERAL, BudgetSpec, RunpodJobSpec

# After the limit the job has this long to end by itself before it is killed.
STOP_GRACE_S = 10.0
# The guard acts only after the driver had time to stop the job, pull the artifacts and release the pod. A config that
# gives pulls less time than this has little to lose, so the release gets no more than that either.
GUARD_MARGIN_S = 60.0
# A cap that pays for more than this is no limit in practice, and dates end with the year 9999.
LONGEST = timedelta(days=3650)

VOLUME_STORAGE_USD_PER_GB_MONTH = 0.10
"""Price of a pod's disks, volume and container, while the pod runs (docs.runpod.io, pods/pricing, 2026)."""
STOPPED_STORAGE_USD_PER_GB_MONTH = 0.20
"""Price of the volume while the pod is stopped; it has no container then (docs.runpod.io, pods/pricing, 2026)."""
DAYS_A_MONTH = 30
CENT = Decimal("0.01")
# No account holds more; a file of a stranger may say infinity.
LARGEST_USD = 1e12


Limit = Literal["cost_cap", "max_runtime"]


@dataclass(frozen=True, slots=True)
class StopAt:
    """The instant at which a run must stop, and which limit it is."""

    at: datetime
    why: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Disks:
    """Sizes of a pod's own disks in GB. A network volume is not one of them: it is billed apart from the pod."""

    container_gb: float = 0
    volume_gb: float = 0

    @property
    def usd_per_hour(self) -> float:
        """Their price while the pod runs. The cloud's price of a pod covers the GPUs only."""
        return disk_usd_per_day(self.container_gb + self.volume_gb, VOLUME_STORAGE_USD_PER_GB_MONTH) / 24


NO_DISKS = Disks()


def requested_disks(job: RunpodJobSpec) -> Disks:
    """The disks that a pod of this job is created with."""
    own = job.storage.mode == STORAGE_EPHEMERAL
    return Disks(container_gb=job.pod.container_disk_gb, volume_gb=(job.storage.volume_gb or 0) if own else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How long a pod may run, which limit stops it, and what it has cost by then."""

    usd_per_hour: float
    """Price of the whole pod, its disks included."""
    affordable_for: timedelta
    """How long the cap pays for it."""
    stops_after: timedelta
    why: Limit

    @property
    def cost_usd(self) -> float:
        """What the pod has cost when it is stopped."""
        return self.cost_after_usd(self.stops_after.total_seconds())

    def cost_after_usd(self, seconds: float) -> float:
        """What the pod has cost after this time, whether or not the limits allow it."""
        return self.usd_per_hour * seconds / 3600

    def stop_at(self, created_at: datetime) -> StopAt:
        """The instant at which a pod that was created then must stop."""
        return StopAt(created_at + self.stops_after, self.why)


def forecast(budget: BudgetSpec, *, usd_per_hour: float, disks: Disks, past_usd: float = 0.0) -> Forecast:
    """The forecast for a pod at this price of its GPUs: the earliest of cap and time limit stops it.

    The plan, the estimate, the checks of a config and the run itself all ask here, so that they cannot disagree.
    past_usd is what earlier pods of the run have cost.
    """
    whole_usd_per_hour = usd_per_hour + disks.usd_per_hour
    cap = affordable(max(0.0, budget.cost_cap_usd - past_usd), whole_usd_per_hour)
    stops_after, why = first_limit(budget, cap)
    return Forecast(usd_per_hour=whole_usd_per_hour, affordable_for=cap, stops_after=stops_after, why=why)


def stop_at_price(
    budget: BudgetSpec, *, usd_per_hour: float, since_at: datetime, past_usd: float, begun_at: datetime
) -> StopAt:
    """The instant at which a pod must stop whose price is this one since then; its time limit counts from its begin."""
    cap = affordable(max(0.0, budget.cost_cap_usd - past_usd), usd_per_hour)
    stops_after, why = first_limit(budget, cap, since_at - begun_at)
    return StopAt(since_at + stops_after, why)


def first_limit(
    budget: BudgetSpec, affordable_for: timedelta, used_for: timedelta = timedelta()
) -> tuple[timedelta, Limit]:
    """How much longer a pod that was used for so long may run, and which limit stops it: cap or time."""
    if budget.max_runtime_minutes is None:
        return affordable_for, "cost_cap"
    left = min(timedelta(minutes=budget.max_runtime_minutes), LONGEST) - used_for
    return (left, "max_runtime") if left <= affordable_for else (affordable_for, "cost_cap")


def affordable(cap_usd: float, usd_per_hour: float) -> timedelta:
    """How long this much money lasts at this rate, ten years at most."""
    if usd_per_hour <= 0 or cap_usd / usd_per_hour >= LONGEST.total_seconds() / 3600:
        return LONGEST
    return timedelta(hours=cap_usd / usd_per_hour)


@dataclass(frozen=True, slots=True)
class Rental:
    """A span of time in which one pod costs money: from its creation, or its restart, to its confirmed end."""

    pod_id: str
    usd_per_hour: float
    """Price of the whole pod, its disks included."""
    since_at: datetime
    until_at: datetime | None = None
    """None as long as no end is confirmed."""
    guard_at: datetime | None = None
    """When the pod's guard ends it at the latest."""

    def end_at(self, now: datetime) -> datetime:
        """The confirmed end; without one, now or the guard's deadline, whichever is earlier."""
        return self.until_at or min(now, self.guard_at or now)

    def seconds(self, now: datetime) -> float:
        """How many seconds until now cost money."""
        return overlap_s((self.since_at, self.end_at(now)), (self.since_at, now))


def spent_usd(rentals: Iterable[Rental], now: datetime) -> float:
    """Cost of these rentals until now, in USD."""
    return sum((rental.usd_per_hour * rental.seconds(now) / 3600 for rental in rentals), 0.0)


def spent_between_usd(rentals: Iterable[Rental], start: datetime, end: datetime) -> float:
    """Cost of these rentals between two instants, in USD."""
    span = (start, end)
    return sum((r.usd_per_hour * overlap_s((r.since_at, r.end_at(end)), span) / 3600 for r in rentals), 0.0)


def overlap_s(a: tuple[datetime, datetime], b: tuple[datetime, datetime]) -> float:
    """Seconds that two spans of time share; zero if a clock went backwards in one of them."""
    return max(0.0, (min(a[1], b[1]) - max(a[0], b[0])).total_seconds())


def left_usd_per_day(rental: Rental, status: str | None, volume_gb: float | None) -> float | None:
    """Cost of a pod per day in this status, in USD: its volume if it is stopped; None if it is gone or unknown."""
    if status in (None, "TERMINATED"):
        return None
    if status != "EXITED":
        return rental.usd_per_hour * 24
    return None if volume_gb is None else disk_usd_per_day(volume_gb, STOPPED_STORAGE_USD_PER_GB_MONTH)


def disk_usd_per_day(size_gb: float, usd_per_gb_month: float) -> float:
    """Price of a disk per day, in USD."""
    return max(0.0, size_gb) * usd_per_gb_month / DAYS_A_MONTH


def guard_deadline(stop: datetime, budget: BudgetSpec) -> datetime:
    """When the pod's guard acts by itself: after the driver's own stop, pull and release."""
    return stop + timedelta(seconds=closing_s(budget))


def closing_s(budget: BudgetSpec) -> float:
    """Seconds from the limit to the guard's deadline."""
    return stopping_s(budget) + budget.pull_grace_sec


def stopping_s(budget: BudgetSpec) -> float:
    """How many of these seconds are not for pulls: the job ends in them."""
    return STOP_GRACE_S + min(GUARD_MARGIN_S, budget.pull_grace_sec)


def cents(usd: float) -> str:
    """An amount as people read it, with two decimals: half a cent is rounded up, so `0.495` is `0.50`."""
    if not abs(usd) < LARGEST_USD:
        return f"{usd:.2f}"
    exact = Decimal(repr(round(usd, 9)))  # without the noise of binary fractions, such as 0.49499999999999994
    return str(exact.quantize(CENT, ROUND_HALF_UP))
