"""One forecast of the stop time: a dry run, an estimate and the created pod agree, disks included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runpod_deploy.cloud.choosing import choose_for
from runpod_deploy.forecast.estimate import estimate
from runpod_deploy.forecast.outlook import look_ahead
from runpod_deploy.forecast.plan import duration, provision_lines
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.spec import BudgetSpec, StorageSpec
from tests.support.fakes.cloud import OFFERS
from tests.support.worlds import Memory, with_job


def with_large_disks(tmp_path: Path, budget: BudgetSpec) -> Memory:
    """A world whose job wants 1 TB of volume and 200 GB of container disk at 0.27 USD per GPU and hour."""
    world = Memory(tmp_path)
    world.cloud.offers = [replace(offer, usd_per_gpu_hour=0.27) for offer in OFFERS]
    pod = replace(world.spec.job.pod, container_disk_gb=200)
    storage = StorageSpec(mode="ephemeral", volume_gb=1000)
    world.spec = with_job(world.spec, pod=pod, storage=storage, budget=budget)
    return world


@pytest.mark.parametrize(
    ("budget", "promised"),
    [
        (BudgetSpec(cost_cap_usd=2.0), "4 h 34 min"),
        (BudgetSpec(cost_cap_usd=2.0, max_runtime_minutes=300), "4 h 34 min"),
        (BudgetSpec(cost_cap_usd=2.0, max_runtime_minutes=90), "1 h 30 min"),
    ],
)
def test_a_dry_run_promises_the_stop_time_of_the_created_pod(tmp_path: Path, budget: BudgetSpec, promised: str) -> None:
    world = with_large_disks(tmp_path, budget)
    *_, line = provision_lines(world.spec, look_ahead(world.spec, world.cloud, {}))
    figures = estimate("job.yaml", world.spec, choose_for(world.spec, world.cloud))

    cost = carry_out(world.open()).cost
    assert cost.stop_at is not None
    lasts = cost.stop_at - cost.rentals[0].since_at

    assert (
        f"stopped after {promised} and {figures.cost_at_stop_usd:.2f} USD at the latest" in line
        and duration(lasts / timedelta(minutes=1)) == promised
    )
    assert figures.stops_after_sec == pytest.approx(lasts.total_seconds())
    assert figures.stop_why == cost.stop_why
    assert figures.cost_at_stop_usd == pytest.approx(cost.rentals[0].usd_per_hour * lasts / timedelta(hours=1))
