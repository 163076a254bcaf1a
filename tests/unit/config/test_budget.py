"""The check of the time limit against the cap, in which the pod's disks count."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.config import load
from runpod_deploy.errors import ConfigError

from .conftest import Write


def limited(plain: dict[str, Any], *, volume_gb: int, **budget: float) -> dict[str, Any]:
    """The small job with this volume and this budget."""
    return {**plain, "storage": {"mode": "ephemeral", "volume_gb": volume_gb}, "budget": budget}


def test_exactly_the_cap_is_fine(plain: dict[str, Any], write: Write) -> None:
    job = limited(plain, volume_gb=1, cost_cap_usd=1.0, assumed_hourly_rate_usd=1.0, max_runtime_minutes=60)
    assert not load(write(job)).findings


def test_large_disks_that_end_the_run_earlier_are_a_warning(plain: dict[str, Any], write: Write) -> None:
    job = limited(plain, volume_gb=1000, cost_cap_usd=1.0, assumed_hourly_rate_usd=1.0, max_runtime_minutes=60)
    (finding,) = load(write(job)).findings
    assert (finding.level, finding.path) == ("warning", "budget.max_runtime_minutes")
    assert finding.message == (
        "60 minutes cost 1.14 USD with the pod's disks, more than the cap of 1 USD: the pod will be stopped earlier"
    )
    assert finding.hint == "allow 52 minutes, or raise cost_cap_usd"


def test_the_hint_of_an_error_counts_the_disks_too(plain: dict[str, Any], write: Write) -> None:
    job = limited(plain, volume_gb=1000, cost_cap_usd=1.0, assumed_hourly_rate_usd=2.0, max_runtime_minutes=60)
    with pytest.raises(ConfigError, match=r"cost 2\.00 USD, more than the cap of 1 USD; allow 28 minutes"):
        load(write(job))
