"""Candidates: the order that was asked for, limits that fail closed, floors that image tags name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runpod_deploy.cloud.selection import Ranking, cuda_floor, rank
from runpod_deploy.cloud.values import Offer
from runpod_deploy.errors import CloudUnreachable, ConfigError, StockOut
from runpod_deploy.spec import PodSpec

POD = PodSpec(image="x", datacenters=("A", "B"), gpu_order=("dear", "cheap"))


def offers(dear: float | None = 2.0, cheap: float | None = 0.5, stock: str = "HIGH") -> list[Offer]:
    return [
        Offer(gpu_id=gpu, datacenter_id=dc, cloud_type="SECURE", usd_per_gpu_hour=price, stock=stock)
        for gpu, price in (("dear", dear), ("cheap", cheap))
        for dc in ("A", "B")
    ]


def ranked(pod: PodSpec, rows: list[Offer], limit: float | None = None) -> Ranking:
    return rank(pod, rows, cloud_type="SECURE", max_usd_per_gpu_hour=limit)


@pytest.mark.parametrize(
    ("selection", "order"),
    [
        ("datacenter_first", ["dear A", "cheap A", "dear B", "cheap B"]),
        ("gpu_first", ["dear A", "dear B", "cheap A", "cheap B"]),
        ("cheapest", ["cheap A", "cheap B", "dear A", "dear B"]),
    ],
)
def test_the_order_is_the_one_asked_for(selection: str, order: list[str]) -> None:
    pod = replace(POD, selection=selection)  # type: ignore[arg-type]
    assert [f"{c.gpu_id} {c.datacenter_id}" for c in ranked(pod, offers()).candidates] == order


def test_what_is_out_of_stock_comes_last_and_is_still_tried() -> None:
    rows = [replace(offer, stock="NONE") if offer.datacenter_id == "A" else offer for offer in offers()]
    assert [c.datacenter_id for c in ranked(POD, rows).candidates] == ["B", "B", "A", "A"]


def test_a_price_limit_skips_the_dear_one_and_says_so() -> None:
    ranking = ranked(POD, offers(), limit=1.0)
    assert {c.gpu_id for c in ranking.candidates} == {"cheap"} and "$2.00/hr is over" in ranking.skipped[0]


def test_a_price_limit_that_cannot_be_checked_is_not_met() -> None:
    with pytest.raises(CloudUnreachable, match="price is unknown"):
        ranked(POD, offers(dear=None, cheap=None), limit=1.0)
    with pytest.raises(StockOut):
        ranked(POD, offers(), limit=0.1)


def test_a_gpu_that_does_not_exist_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'cheap'"):
        ranked(replace(POD, gpu_order=("cheep",)), offers())


@pytest.mark.parametrize(
    ("image", "floor"),
    [
        ("runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", "12.8"),
        ("runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04", "11.8"),
        ("nvidia/cuda:12.4.1-runtime", None),
        ("ghcr.io/x/cu1281:latest", None),
        ("x/y:cu130", "13.0"),
    ],
)
def test_image_tags_name_a_floor(image: str, floor: str | None) -> None:
    assert cuda_floor(image) == floor
