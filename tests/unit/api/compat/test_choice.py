"""Choices among rows, prices and records through the Python API: pure, so no cloud is needed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import runpod_deploy as rd
from runpod_deploy.api.prices import prices_of
from runpod_deploy.cloud.values import Offer

STOCK: list[dict[str, Any]] = [
    {"id": "EU-SE-1", "gpuAvailability": [{"gpuId": "NVIDIA A40", "stockStatus": "High"}, {"gpuId": "NVIDIA L40S"}]},
    {"id": "US-TX-3", "gpuAvailability": [{"id": "NVIDIA L40S", "availability": "LOW"}]},
    {"id": "CA-MTL-1", "gpuAvailability": None},
]
PRICES = {"NVIDIA A40": rd.GpuPrice("NVIDIA A40", "A40", lowest_price=0.44)}


def choose(**given: Any) -> tuple[tuple[str, str], list[tuple[str, str | None, str]]]:
    """The choice and what was told on the way."""
    told: list[tuple[str, str | None, str]] = []
    wanted = {"datacenters": ["EU-SE-1", "US-TX-3"], "gpu_order": ["NVIDIA L40S", "NVIDIA A40"], **given}
    chosen = rd.select_gpu_across_datacenters(STOCK, on_failover=lambda *words: told.append(words), **wanted)
    return chosen, told


def test_datacenters_are_walked_before_gpus() -> None:
    assert choose() == (("NVIDIA A40", "EU-SE-1"), [])


def test_each_datacenter_that_is_left_is_told() -> None:
    chosen, told = choose(gpu_order=["NVIDIA L40S"])

    assert chosen == ("NVIDIA L40S", "US-TX-3")
    assert [(left, following) for left, following, _ in told] == [("EU-SE-1", "US-TX-3")]


def test_a_price_limit_passes_over_the_expensive_and_the_unknown() -> None:
    told: list[tuple[str, str | None, str]] = []
    with pytest.raises(RuntimeError, match="is available in"):
        rd.select_gpu_across_datacenters(
            STOCK,
            datacenters=["EU-SE-1", "US-TX-3"],
            gpu_order=["NVIDIA L40S", "NVIDIA A40"],
            on_failover=lambda *words: told.append(words),
            prices=PRICES,
            max_gpu_price_usd=0.40,
        )

    assert [row[:2] for row in told] == [("EU-SE-1", "US-TX-3")] * 2 + [("US-TX-3", None)] * 2
    assert "over the limit" in told[0][2] and "price unknown" in told[2][2]
    assert choose(prices=PRICES, max_gpu_price_usd=0.44)[0] == ("NVIDIA A40", "EU-SE-1")


def test_no_datacenters_is_a_mistake_and_no_stock_a_fact() -> None:
    with pytest.raises(ValueError, match="datacenters"):
        choose(datacenters=[])
    with pytest.raises(RuntimeError, match="CA-MTL-1"):
        choose(datacenters=["CA-MTL-1", "nowhere"])


VOLUMES = [
    {"id": "v1", "name": "data", "dataCenterId": "EU-SE-1"},
    {"id": "v2", "name": "data", "dataCenter": "US-TX-3"},
    {"id": "v3", "name": "twice", "dataCenter": "US-TX-3"},
    {"id": "v4", "name": "twice", "dataCenter": "US-TX-3"},
]


def test_a_volume_is_found_by_name_and_place() -> None:
    assert rd.resolve_volume(VOLUMES, volume_name="data", expected_datacenter_id="US-TX-3") == ("v2", "US-TX-3")


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [("twice", "US-TX-3", "2 network volumes"), ("twice", "EU-SE-1", "it is in US-TX-3"), ("none", "EU-SE-1", "none")],
)
def test_a_volume_that_is_not_the_only_one_there_is_an_error(name: str, place: str, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        rd.resolve_volume(VOLUMES, volume_name=name, expected_datacenter_id=place)


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


def test_unknown_actions_on_pods_are_refused_and_rehearsals_ask_nobody() -> None:
    with pytest.raises(ValueError, match="explode"):
        rd.cleanup_pod("p", action="explode", dry_run=False)  # type: ignore[arg-type]
    rd.cleanup_pod("p", action="delete", dry_run=True)
    assert rd.bulk_delete_pods(["p"], dry_run=True) == [("p", True, "would be deleted")]
