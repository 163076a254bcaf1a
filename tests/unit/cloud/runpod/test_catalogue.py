"""The catalogue's rows as offers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod.catalogue import ANYWHERE, gpu_offers
from tests.support.fakes.api import Api, Reply

L4 = {
    "id": "NVIDIA L4",
    "secure": True,
    "community": True,
    "price": {"secure": 0.4, "community": 0.3},
    "maxCount": {"secure": 8, "community": 1},
    "availability": "NONE",
    "dataCenters": [{"id": "EU-RO-1", "availability": "LOW"}, {"id": "US-TX-3", "availability": "NONE"}],
}
UNKNOWN = {"id": "unknown", "secure": True, "community": True, "price": {"secure": 0, "community": 0}}


def stocks(rows: list[dict[str, Any]], cloud_type: str = "SECURE", gpu_count: int = 1) -> dict[str, str]:
    return {offer.datacenter_id: offer.stock for offer in gpu_offers(rows, cloud_type, gpu_count)}


def test_a_cloud_has_the_best_stock_of_its_datacenters() -> None:
    assert stocks([L4]) == {"EU-RO-1": "LOW", "US-TX-3": "NONE", ANYWHERE: "LOW"}


def test_a_cloud_without_datacenters_has_its_own_stock() -> None:
    assert stocks([L4 | {"availability": "HIGH", "dataCenters": None}]) == {ANYWHERE: "HIGH"}


def test_a_new_stock_level_is_kept() -> None:
    row = L4 | {"dataCenters": [{"id": "EU-RO-1", "availability": "PLENTY"}]}
    assert stocks([row]) == {"EU-RO-1": "PLENTY", ANYWHERE: "PLENTY"}


@pytest.mark.parametrize(
    ("row", "cloud_type", "gpu_count"),
    [(UNKNOWN, "SECURE", 1), (L4, "COMMUNITY", 2), (L4 | {"secure": False}, "SECURE", 1), ({}, "SECURE", 1)],
)
def test_what_cannot_be_rented_is_no_offer(row: dict[str, Any], cloud_type: str, gpu_count: int) -> None:
    assert gpu_offers([row], cloud_type, gpu_count) == []


@pytest.mark.parametrize("price", [None, {}, {"secure": None}, {"secure": 0}])
def test_a_missing_price_is_unknown_and_never_zero(price: Any) -> None:
    assert {offer.usd_per_gpu_hour for offer in gpu_offers([L4 | {"price": price}], "SECURE", 1)} == {None}


def test_the_stock_is_asked_for_as_many_gpus_as_wanted(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, {"gpus": [L4]}))
    offers = cloud.catalogue("COMMUNITY", gpu_count=1)
    assert {offer.usd_per_gpu_hour for offer in offers} == {0.3}
    url = urlsplit(api.received[0].path)
    asked = {"include": ["AVAILABILITY"], "product": ["POD"], "count": ["1"], "cloud": ["COMMUNITY"]}
    assert (url.path, parse_qs(url.query)) == ("/v2/catalog/gpus", asked)


def test_a_cpu_flavor_is_priced_at_the_size_wanted(api: Api, cloud: RunPodCloud) -> None:
    row = {"id": "cpu3c", "price": {"securePerVcpu": 0.03}, "availability": "HIGH"}
    api.replies(Reply(200, {"cpus": [row]}))
    (offer,) = cloud.catalogue("SECURE", gpu_count=1, cpu=True, vcpu_count=3)
    assert (offer.gpu_id, offer.usd_per_gpu_hour, offer.stock) == ("cpu3c", 0.12, "HIGH")
    assert "vcpuCount=4" in api.received[0].path
    assert cloud.catalogue("COMMUNITY", gpu_count=1, cpu=True) == []
