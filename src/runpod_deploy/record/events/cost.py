"""Events of money: the account's balance, the pod's price, the bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...spec.types import CloudId
from .event import Event


@dataclass(frozen=True, kw_only=True)
class BalanceLow(Event):
    """The account's balance is smaller than the amount that the run may spend."""

    balance_usd: float
    needed_usd: float


@dataclass(frozen=True, kw_only=True)
class PriceDoubted(Event):
    """The API's price of the pod cannot be right, and the run is planned with another one."""

    pod_id: CloudId
    told_usd_per_hour: float | None
    """None if the API tells no number."""
    planned_usd_per_hour: float
    price_source: str
    """`catalogue` or `assumed_rate`."""


@dataclass(frozen=True, kw_only=True)
class PriceChanged(Event):
    """RunPod tells another price for the pod than the run was planned with. The limits go by the new one."""

    pod_id: CloudId
    from_usd_per_hour: float
    to_usd_per_hour: float
    disks_usd_per_hour: float
    since_at: datetime
    """The new price counts from then on. If it is higher, that is when the former one was seen the last time."""
    stop_at: datetime
    stop_why: str


@dataclass(frozen=True, kw_only=True)
class Billed(Event):
    """The amount on RunPod's bill for the run's pods, in the hours of the run, was looked up."""

    usd: float | None
    """None if another run used the same pod in the same hour: the bill does not tell them apart."""
    settled: bool
    """Whether the bill covers the time after the run too, so that nothing more will be billed."""
