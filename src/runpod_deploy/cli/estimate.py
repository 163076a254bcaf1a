"""`estimate`: what a config would cost on the GPU that would be tried first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from ..choosing import choose_for
from ..config import load, parse_variables
from ..pods import Candidate
from ..spec import Spec
from .access import real_cloud
from .options import variable_options


@click.command(short_help="What a config would cost.")
@click.argument("config", type=click.Path(path_type=Path))
@variable_options
def estimate(config: Path, var: tuple[str, ...], vars_file: Path | None) -> int:
    """Print price, time limit and forecast for the GPU that a run would try first."""
    draft = load(config, cli_variables=parse_variables(var, vars_file))
    now = datetime.now(UTC)
    spec = draft.render(stamp=now.strftime("%Y%m%dT%H%M%SZ"), run_dir=draft.trial_run_dir, created_at=now)
    ranking = choose_for(spec, real_cloud())
    for line in lines(config, spec, ranking.candidates[0], ranking.skipped):
        click.echo(line)
    return 0


def lines(config: Path, spec: Spec, chosen: Candidate, skipped: tuple[str, ...]) -> Iterator[str]:
    """The estimate, in the layout that scripts read."""
    budget, gpus = spec.job.budget, spec.job.pod.gpu_count
    known = chosen.usd_per_gpu_hour
    rate = budget.assumed_hourly_rate_usd if known is None else known * gpus
    label = chosen.cloud_type.lower()
    yield f"config:         {config}"
    yield f"job:            {spec.job.name}"
    yield f"selected:       {chosen.gpu_id} in {chosen.datacenter_id}"
    yield f"price source:   {f'catalogue ({label})' if known is not None else 'assumed_rate (no price known)'}"
    yield f"$/hr:           ${rate:.2f}" + (" (assumed)" if known is None else "")
    yield "budget:"
    yield f"  cost_cap_usd:    {budget.cost_cap_usd:.2f}"
    yield f"  assumed_rate:    {budget.assumed_hourly_rate_usd:.2f}/hr"
    yield f"  timeout:         {budget.timeout_sec}s ({budget.timeout_sec / 60:.1f} min)"
    yield f"forecast at ${rate:.2f}/hr:"
    yield f"  spend at budget.timeout_sec:    ${rate * budget.timeout_sec / 3600:.2f}"
    ceiling_s = budget.cost_cap_usd / rate * 3600
    yield f"  runtime at cost_cap ceiling:    ~{ceiling_s:.0f}s ({ceiling_s / 60:.0f} min)"
    if skipped:
        yield "failover events during selection:"
        yield from (f"  - {reason}" for reason in skipped)
