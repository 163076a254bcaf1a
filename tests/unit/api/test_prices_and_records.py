"""Prices, records and pods through the Python API, as far as no cloud is needed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import runpod_deploy as rd
from runpod_deploy.api.prices import prices_of
from runpod_deploy.cloud.values import Offer


def offer(gpu_id: str, usd: float | None, cloud_type: str = "SECURE") -> Offer:
    return Offer(gpu_id=gpu_id, datacenter_id="", cloud_type=cloud_type, usd_per_gpu_hour=usd, stock="HIGH")


def test_prices_come_from_both_clouds() -> None:
    prices = prices_of([offer("A", 0.5), offer("A", 0.4), offer("B", None)], [offer("A", 0.3), offer("C", 0.2)])

    assert rd.select_price_for_pod(prices, gpu_id="A", cloud_type="SECURE", spot=False) == 0.4
    assert rd.select_price_for_pod(prices, gpu_id="A", cloud_type="COMMUNITY", spot=False) == 0.3
    assert rd.select_price_for_pod(prices, gpu_id="A", cloud_type="SECURE", spot=True) is None
    assert rd.select_price_for_pod(prices, gpu_id="Z", cloud_type="SECURE", spot=False) is None
    assert {gpu: price.lowest_price for gpu, price in prices.items()} == {"A": 0.3, "B": None, "C": 0.2}


def test_a_disk_costs_by_the_day() -> None:
    assert rd.estimate_volume_storage_cost_usd_per_day(30) == pytest.approx(0.1)
    assert rd.estimate_volume_storage_cost_usd_per_day(-1) == 0


def test_records_that_cannot_be_read_are_logged_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"event": "a"}\nnonsense\n{"event": "b"}')

    with caplog.at_level(logging.WARNING, logger="runpod_deploy"):
        assert rd.load_manifest(tmp_path) is None
        assert rd.load_events(tmp_path) == rd.load_events(tmp_path / "events.jsonl") == [{"event": "a"}, {"event": "b"}]

    assert caplog.text.count("events.jsonl") == 2 and caplog.text.count("pull_manifest.json") == 1


def test_unknown_actions_on_pods_are_refused_and_dry_runs_need_no_cloud() -> None:
    with pytest.raises(ValueError, match="explode"):
        rd.cleanup_pod("p", action="explode", dry_run=False)  # type: ignore[arg-type]
    rd.cleanup_pod("p", action="delete", dry_run=True)
    assert rd.bulk_delete_pods(["p"], dry_run=True) == [("p", True, "would be deleted")]
