"""The catalogue against a config."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.cloud.values import Offer
from runpod_deploy.errors import ConfigError, StockOut
from runpod_deploy.scans.availability import check_availability

from .conftest import PLAIN, Project


class Shelf:
    """A catalogue of so much stock of so many GPUs."""

    def __init__(self, stock: dict[tuple[str, str], str]) -> None:
        self.stock = stock

    def catalogue(self, cloud_type: str, *, gpu_count: int, cpu: bool = False) -> list[Offer]:
        return [
            Offer(gpu_id=gpu, datacenter_id=place, cloud_type=cloud_type, usd_per_gpu_hour=1.0, stock=stock)
            for (gpu, place), stock in self.stock.items()
        ]

    def datacenter_ids(self) -> list[str]:
        return ["EU-RO-1", "EU-SE-1", "US-TX-3"]

    def volume(self, name: str) -> tuple[str, str]:
        raise ConfigError(f"there is no network volume named {name!r}")


SHELF = Shelf(
    {
        ("NVIDIA A40", "EU-RO-1"): "HIGH",
        ("NVIDIA A40", "EU-SE-1"): "LOW",
        ("NVIDIA L40S", "EU-SE-1"): "NONE",
        ("NVIDIA L40S", "EU-RO-1"): "MEDIUM",
        ("NVIDIA L40S", ""): "MEDIUM",
    }
)


def found(project: Project, **pod: Any) -> list[str]:
    draft = project(pod={**PLAIN["pod"], **pod})
    return [f"{f.level}: {f.path}: {f.message}; {f.hint}" for f in check_availability(draft, SHELF)]


def test_unknown_names_are_errors_with_a_guess(project: Project) -> None:
    texts = found(project, gpu_order=["NVIDA A40", "Voodoo"], datacenters=["EU-R0-1", "EU-RO-1"])
    assert texts[:3] == [
        "error: pod.gpu_order[0]: SECURE cloud has no 'NVIDA A40'; did you mean 'NVIDIA A40'?",
        "error: pod.gpu_order[1]: SECURE cloud has no 'Voodoo'; see `runpod-deploy gpu-list`",
        "warning: pod.datacenters[0]: there is no datacenter 'EU-R0-1'; did you mean EU-RO-1?",
    ]


def test_a_name_that_is_gone_beside_a_known_one_is_a_warning(project: Project) -> None:
    texts = found(project, gpu_order=["Voodoo", "NVIDIA A40"])
    assert texts[0] == "warning: pod.gpu_order[0]: SECURE cloud has no 'Voodoo'; see `runpod-deploy gpu-list`"
    assert texts[-1].startswith("note: pod.datacenters[0]: EU-RO-1 has NVIDIA A40")


def test_a_volume_that_does_not_exist(project: Project) -> None:
    draft = project(storage={"mode": "network_volume", "volume_name": "gone", "volume_mount": "/workspace"})
    assert next(iter(check_availability(draft, SHELF))).path == "storage.volume_name"


def test_stock_is_told_for_each_datacenter(project: Project) -> None:
    assert found(project, datacenters=["EU-RO-1", "EU-SE-1", "US-TX-3"]) == [
        "note: pod.datacenters[0]: EU-RO-1 has NVIDIA A40 (high); ",
        "warning: pod.datacenters[1]: EU-SE-1 has only little stock of NVIDIA A40; ",
        "warning: pod.datacenters[2]: US-TX-3 has no NVIDIA A40 now; ",
    ]


def test_nothing_anywhere_is_a_stock_out_that_says_what_there_is(project: Project) -> None:
    with pytest.raises(StockOut) as caught:
        found(project, gpu_order=["NVIDIA L40S"], datacenters=["EU-SE-1"])
    assert caught.value.message == "no NVIDIA L40S in EU-SE-1"
    assert caught.value.hint == "in stock there: NVIDIA A40; the same GPUs are in stock in EU-RO-1"


def test_a_datacenter_like_none_is_answered_with_a_few(project: Project) -> None:
    many = Shelf(SHELF.stock)
    many.datacenter_ids = lambda: [f"EU-SE-{number}" for number in range(30)]  # type: ignore[method-assign]
    draft = project(pod={**PLAIN["pod"], "gpu_order": ["NVIDIA A40"], "datacenters": ["Mars", "EU-SE-1"]})
    [finding] = [f for f in check_availability(draft, many) if f.path == "pod.datacenters[0]"]
    assert finding.hint == "there are EU-SE-0, EU-SE-1, EU-SE-2, EU-SE-3 and 26 more"
