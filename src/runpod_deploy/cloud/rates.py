"""What a pod costs per hour, and how long it may run at that price. Pure; knows the job and the API's answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..money import Disks, Forecast, forecast, requested_disks
from ..spec import RunpodJobSpec
from .values import Candidate, Pod

CREDIBLE_SHARE = 0.5
"""A pod that costs less than this share of the catalogue's price is not believed: RunPod gives no such discounts."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a pod in USD per hour without its disks, and where it was learned."""

    usd_per_hour: float
    source: Literal["pod_describe", "catalogue", "assumed_rate"]


def expected_rate(job: RunpodJobSpec, candidate: Candidate | None) -> Rate:
    """The rate before the pod exists: the catalogue's price, else the rate that the config assumes."""
    if candidate is not None and candidate.usd_per_gpu_hour:
        return Rate(candidate.usd_per_gpu_hour * job.pod.gpu_count, "catalogue")
    return Rate(job.budget.assumed_hourly_rate_usd, "assumed_rate")


def real_rate(job: RunpodJobSpec, pod: Pod, candidate: Candidate | None = None) -> Rate:
    """The rate of an existing pod: the API's word on it.

    If that cannot be right, it is the catalogue's price or the rate that the config assumes, whichever is higher.
    """
    expected = expected_rate(job, candidate)
    told = pod.usd_per_hour
    if told is not None and is_credible(told, expected):
        return Rate(told, "pod_describe")
    assumed = Rate(job.budget.assumed_hourly_rate_usd, "assumed_rate")
    return max(expected, assumed, key=lambda rate: rate.usd_per_hour)


def is_credible(told: float, expected: Rate) -> bool:
    """Whether the API's price of a pod can be right. What the config assumes proves nothing against a lower price."""
    least = expected.usd_per_hour * CREDIBLE_SHARE if expected.source == "catalogue" else 0.0
    return math.isfinite(told) and told > 0 and told >= least


def disks_of(pod: Pod, job: RunpodJobSpec) -> Disks:
    """The disks that the API says the pod has, else those that the job requests."""
    if pod.container_disk_gb is None:
        return requested_disks(job)
    return Disks(container_gb=pod.container_disk_gb, volume_gb=pod.volume_gb or 0)


def expected_forecast(job: RunpodJobSpec, candidate: Candidate) -> Forecast:
    """How long a pod of this candidate may run, by what is known before it exists."""
    rate = expected_rate(job, candidate)
    return forecast(job.budget, usd_per_hour=rate.usd_per_hour, disks=requested_disks(job))
