"""The event for a pod that is this run's now: its price, its disks, and when the run must stop. Records nothing."""

from __future__ import annotations

from datetime import datetime

from ..cloud.rates import Rate, disks_of
from ..cloud.values import Pod
from ..money import forecast
from ..record.events import PodCreated
from ..run import Run


def created(run: Run, pod: Pod, rate: Rate, created_at: datetime, past_usd: float) -> PodCreated:
    """The event for a pod that costs money since then; what the run spent before counts against its cap."""
    disks = disks_of(pod, run.spec.job)
    ahead = forecast(run.spec.job.budget, usd_per_hour=rate.usd_per_hour, disks=disks, past_usd=past_usd)
    stop = ahead.stop_at(created_at)
    return PodCreated(
        pod_id=pod.id,
        gpu_id=pod.gpu_id,
        datacenter_id=pod.datacenter_id,
        cloud_type=pod.cloud_type,
        usd_per_hour=rate.usd_per_hour,
        price_source=rate.source,
        created_at=created_at,
        stop_at=stop.at,
        stop_why=stop.why,
        disks_usd_per_hour=disks.usd_per_hour,
        volume_gb=disks.volume_gb,
        gpu_count=pod.gpu_count,
    )
