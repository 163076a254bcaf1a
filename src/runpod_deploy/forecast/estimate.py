"""The cost of a config on the GPU that a run would try first. Pure: spec and candidates in, figures and lines out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..cloud.rates import expected_forecast, expected_rate
from ..cloud.selection import Ranking
from ..money import Limit, cents, requested_disks
from ..spec import Spec
from .plan import LIMIT_NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The figures under the names that `--json` shows."""

    config: str
    job: str
    gpu_id: str
    datacenter_id: str
    price_source: str
    usd_per_hour: float
    disks_usd_per_hour: float
    cost_cap_usd: float
    assumed_hourly_rate_usd: float
    timeout_sec: int
    timeout_source: Literal["assumed_rate", "max_runtime_minutes"]
    """The assumed rate ends no run; its timeout is shown because the earlier tool ended runs by it."""
    spend_at_timeout_usd: float
    runtime_at_cap_sec: float
    stops_after_sec: float
    stop_why: Limit
    cost_at_stop_usd: float
    failovers: tuple[str, ...]


def estimate(config: str, spec: Spec, ranking: Ranking) -> Estimate:
    """The figures for the first candidate; disks are counted in every one of them but the GPU's own price."""
    job, chosen = spec.job, ranking.candidates[0]
    rate, ahead = expected_rate(job, chosen), expected_forecast(job, chosen)
    assumed = rate.source == "assumed_rate"
    return Estimate(
        config=config,
        job=job.name,
        gpu_id=chosen.gpu_id,
        datacenter_id=chosen.datacenter_id,
        price_source=rate.source if assumed else f"{rate.source} ({chosen.cloud_type.lower()})",
        usd_per_hour=rate.usd_per_hour,
        disks_usd_per_hour=round(requested_disks(job).usd_per_hour, 6),
        cost_cap_usd=job.budget.cost_cap_usd,
        assumed_hourly_rate_usd=job.budget.assumed_hourly_rate_usd,
        timeout_sec=job.budget.timeout_sec,
        timeout_source="max_runtime_minutes" if job.budget.max_runtime_minutes else "assumed_rate",
        spend_at_timeout_usd=round(ahead.cost_after_usd(job.budget.timeout_sec), 6),
        runtime_at_cap_sec=round(ahead.affordable_for.total_seconds(), 3),
        stops_after_sec=round(ahead.stops_after.total_seconds(), 3),
        stop_why=ahead.why,
        cost_at_stop_usd=round(ahead.cost_usd, 6),
        failovers=ranking.skipped,
    )


def lines(shown: Estimate) -> Iterator[str]:
    """The estimate in the layout that scripts read."""
    rate, assumed = shown.usd_per_hour, shown.price_source == "assumed_rate"
    yield f"config:         {shown.config}"
    yield f"job:            {shown.job}"
    yield f"selected:       {shown.gpu_id} in {shown.datacenter_id}"
    yield f"price source:   {'assumed_rate (no price known)' if assumed else shown.price_source}"
    yield f"$/hr:           ${cents(rate)}" + (" (assumed)" if assumed else "")
    yield f"disks $/hr:     ${cents(shown.disks_usd_per_hour)}"
    yield "budget:"
    yield f"  cost_cap_usd:    {cents(shown.cost_cap_usd)}"
    yield f"  assumed_rate:    {cents(shown.assumed_hourly_rate_usd)}/hr"
    yield f"  timeout:         {seconds(shown.timeout_sec, digits=1)}{old_figure(shown)}"
    yield f"forecast at ${cents(rate + shown.disks_usd_per_hour)}/hr:"
    yield f"  spend at budget.timeout_sec:    ${cents(shown.spend_at_timeout_usd)}"
    yield f"  runtime at cost_cap ceiling:    ~{seconds(shown.runtime_at_cap_sec)}"
    stop = f"{seconds(shown.stops_after_sec)} for ${cents(shown.cost_at_stop_usd)}, by {LIMIT_NAMES[shown.stop_why]}"
    yield f"  stopped at the latest after:    ~{stop}"
    if shown.failovers:
        yield "failover events during selection:"
        yield from (f"  - {reason}" for reason in shown.failovers)


def old_figure(shown: Estimate) -> str:
    """A word about a timeout that ends no run; the last line of the forecast has the limit that does."""
    return ", from assumed_rate: not a limit" if shown.timeout_source == "assumed_rate" else ""


def seconds(length_s: float, digits: int = 0) -> str:
    """A length of time in seconds and minutes."""
    return f"{length_s:.0f}s ({length_s / 60:.{digits}f} min)"
