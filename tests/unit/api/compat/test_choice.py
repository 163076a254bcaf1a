"""Choices that scripts make themselves. They are pure, so no cloud is needed."""

from __future__ import annotations

from typing import Any

import pytest

import runpod_deploy as rd

STOCK: list[dict[str, Any]] = [
    {"id": "EU-SE-1", "gpuAvailability": [{"gpuId": "NVIDIA A40", "stockStatus": "High"}, {"gpuId": "NVIDIA L40S"}]},
    {"id": "US-TX-3", "gpuAvailability": [{"id": "NVIDIA L40S", "availability": "LOW"}]},
    {"id": "CA-MTL-1", "gpuAvailability": None},
]
PRICES = {"NVIDIA A40": rd.GpuPrice("NVIDIA A40", "A40", lowest_price=0.44)}


def choose(**given: Any) -> tuple[tuple[str, str], list[tuple[str, str | None, str]]]:
    """The choice, and the failovers before it."""
    failovers: list[tuple[str, str | None, str]] = []
    wanted = {"datacenters": ["EU-SE-1", "US-TX-3"], "gpu_order": ["NVIDIA L40S", "NVIDIA A40"], **given}
    chosen = rd.select_gpu_across_datacenters(STOCK, on_failover=lambda *row: failovers.append(row), **wanted)
    return chosen, failovers


def test_datacenters_are_walked_before_gpus() -> None:
    assert choose() == (("NVIDIA A40", "EU-SE-1"), [])


def test_each_datacenter_that_is_passed_over_is_reported() -> None:
    chosen, failovers = choose(gpu_order=["NVIDIA L40S"])

    assert chosen == ("NVIDIA L40S", "US-TX-3")
    assert [(left, following) for left, following, _ in failovers] == [("EU-SE-1", "US-TX-3")]


def test_a_price_limit_passes_over_the_expensive_and_the_unknown() -> None:
    failovers: list[tuple[str, str | None, str]] = []
    with pytest.raises(RuntimeError, match="is available in"):
        rd.select_gpu_across_datacenters(
            STOCK,
            datacenters=["EU-SE-1", "US-TX-3"],
            gpu_order=["NVIDIA L40S", "NVIDIA A40"],
            on_failover=lambda *row: failovers.append(row),
            prices=PRICES,
            max_gpu_price_usd=0.40,
        )

    assert [row[:2] for row in failovers] == [("EU-SE-1", "US-TX-3")] * 2 + [("US-TX-3", None)] * 2
    assert "over the limit" in failovers[0][2] and "price unknown" in failovers[2][2]
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


def test_prices_may_be_plain_numbers() -> None:
    limits: dict[str, Any] = {"prices": {"NVIDIA A40": 0.44, "NVIDIA L40S": 0.99}, "max_gpu_price_usd": 0.5}

    assert choose(**limits)[0] == ("NVIDIA A40", "EU-SE-1")
