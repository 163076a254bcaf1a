"""`estimate`: what a config would cost on the GPU that would be tried first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..cloud.choosing import choose_for
from ..cloud.values import Candidate
from ..config import load, parse_variables
from ..machine.clock import STAMP, SystemClock
from ..phases.limits import disks_rate, own_disks_gb
from ..spec import Spec
from .access import real_cloud
from .options import json_option, variable_options
from .output import output_options, put_json
from .tables import put_labelled


@click.command(short_help="What a config would cost.")
@click.argument("config", type=click.Path(path_type=Path))
@variable_options
@json_option
@output_options
def estimate(config: Path, var: tuple[str, ...], vars_file: Path | None, as_json: bool) -> None:
    """Print price, time limit and forecast for the GPU that a run would try first."""
    draft = load(config, cli_variables=parse_variables(var, vars_file))
    now = SystemClock().now()
    spec = draft.render(stamp=now.strftime(STAMP), run_dir=draft.trial_run_dir, created_at=now)
    ranking = choose_for(spec, real_cloud())
    shown = figures(config, spec, ranking.candidates[0], ranking.skipped)
    put_json(shown) if as_json else put_labelled(lines(shown))


def figures(config: Path, spec: Spec, chosen: Candidate, skipped: tuple[str, ...]) -> dict[str, Any]:
    """The estimate under the names that JSON shows."""
    budget, gpus = spec.job.budget, spec.job.pod.gpu_count
    known = chosen.usd_per_gpu_hour
    rate = budget.assumed_hourly_rate_usd if known is None else known * gpus
    return {
        "config": str(config),
        "job": spec.job.name,
        "gpu_id": chosen.gpu_id,
        "datacenter_id": chosen.datacenter_id,
        "price_source": "assumed_rate" if known is None else f"catalogue ({chosen.cloud_type.lower()})",
        "usd_per_hour": rate,
        "disks_usd_per_hour": round(disks_rate(own_disks_gb(spec.job)), 6),
        "cost_cap_usd": budget.cost_cap_usd,
        "assumed_hourly_rate_usd": budget.assumed_hourly_rate_usd,
        "timeout_sec": budget.timeout_sec,
        "spend_at_timeout_usd": round(rate * budget.timeout_sec / 3600, 6),
        "runtime_at_cap_sec": round(budget.cost_cap_usd / rate * 3600, 3),
        "failovers": list(skipped),
    }


def lines(shown: dict[str, Any]) -> Iterator[str]:
    """The estimate, in the layout that scripts read."""
    rate, assumed = shown["usd_per_hour"], shown["price_source"] == "assumed_rate"
    yield f"config:         {shown['config']}"
    yield f"job:            {shown['job']}"
    yield f"selected:       {shown['gpu_id']} in {shown['datacenter_id']}"
    yield f"price source:   {'assumed_rate (no price known)' if assumed else shown['price_source']}"
    yield f"$/hr:           ${rate:.2f}" + (" (assumed)" if assumed else "")
    yield "budget:"
    yield f"  cost_cap_usd:    {shown['cost_cap_usd']:.2f}"
    yield f"  assumed_rate:    {shown['assumed_hourly_rate_usd']:.2f}/hr"
    yield f"  timeout:         {shown['timeout_sec']}s ({shown['timeout_sec'] / 60:.1f} min)"
    yield f"forecast at ${rate:.2f}/hr:"
    yield f"  spend at budget.timeout_sec:    ${shown['spend_at_timeout_usd']:.2f}"
    ceiling_s = shown["runtime_at_cap_sec"]
    yield f"  runtime at cost_cap ceiling:    ~{ceiling_s:.0f}s ({ceiling_s / 60:.0f} min)"
    if shown["failovers"]:
        yield "failover events during selection:"
        yield from (f"  - {reason}" for reason in shown["failovers"])
