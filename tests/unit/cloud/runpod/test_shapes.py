"""Our request as the API's JSON, and the API's pods as our values."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod.shapes import as_pod, create_body, vcpus
from runpod_deploy.cloud.values import Address, Candidate, PodRequest
from tests.support.fakes.api import pod_row

ASK = PodRequest(
    name="run-1",
    image="runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
    gpu_count=2,
    container_disk_gb=40,
    ports=("22/tcp", "8000/http"),
    env={"RUN_ID": "run-1"},
    volume_mount="/workspace",
    volume_gb=50,
    min_cuda_version="12.8",
)
CANDIDATE = Candidate(gpu_id="NVIDIA L40S", datacenter_id="EU-RO-1", cloud_type="SECURE")


def test_an_ask_with_a_disk_of_its_own() -> None:
    assert create_body(ASK, CANDIDATE) == {
        "name": "run-1",
        "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
        "cloud": "SECURE",
        "disk": 40,
        "ports": ["22/tcp", "8000/http"],
        "env": {"RUN_ID": "run-1"},
        "gpu": {"id": "NVIDIA L40S", "count": 2, "minCudaVersion": "12.8"},
        "dataCenterIds": ["EU-RO-1"],
        "mounts": {"persistent": {"size": 50, "path": "/workspace"}},
    }


def test_an_ask_with_everything() -> None:
    request = replace(
        ASK,
        volume_gb=None,
        network_volume_id="vol1",
        start_command=("bash", "-c", "guard & exec /start.sh"),
        min_vcpu_count=9,
        min_memory_gb=33,
        registry_auth="cred",
        template_id="tmpl",
    )
    body = create_body(request, CANDIDATE)
    assert body["gpu"] | {"minVcpuCountPerGpu": 5, "minRamPerGpu": 17} == body["gpu"]
    assert body["mounts"] == {"network": [{"volumeId": "vol1", "path": "/workspace"}]}
    assert body["cmd"] == ["bash", "-c", "guard & exec /start.sh"]
    assert (body["registry"], body["templateId"]) == ("cred", "tmpl")


def test_an_ask_for_any_datacenter_names_none() -> None:
    assert "dataCenterIds" not in create_body(ASK, replace(CANDIDATE, datacenter_id=""))


def test_a_small_disk_is_raised_to_the_least_that_can_be_had() -> None:
    assert create_body(replace(ASK, volume_gb=5), CANDIDATE)["mounts"]["persistent"]["size"] == 10


def test_a_cpu_pod_keeps_its_volume_on_the_container_disk() -> None:
    body = create_body(replace(ASK, cpu=True, min_vcpu_count=3), replace(CANDIDATE, gpu_id="cpu3c"))
    assert body["cpu"] == {"id": "cpu3c", "vcpuCount": 4}
    assert body["disk"] == 90
    assert "gpu" not in body and "mounts" not in body


@given(st.integers(1, 512))
def test_the_size_of_a_cpu_pod_is_the_least_power_of_two_that_is_enough(least: int) -> None:
    size = vcpus(least)
    assert size >= max(2, least) and size & (size - 1) == 0
    assert size == 2 or size // 2 < least


def test_a_pod_that_is_up() -> None:
    pod = as_pod(pod_row())
    assert pod.address == Address(host="213.173.104.74", port=35558)
    assert pod.created_at == datetime(2026, 8, 20, 6, 16, 19, 436000, tzinfo=UTC)
    assert (pod.usd_per_hour, pod.uptime_s, pod.gpu_id) == (0.72, 3, "NVIDIA RTX PRO 4500 Blackwell")
    assert (pod.network_volume_id, pod.volume_gb, pod.container_disk_gb) == ("grvtso8ftn", None, 30)


@pytest.mark.parametrize(
    "changes",
    [
        {"runtime": None},
        {"runtime": {}},
        {"status": "EXITED"},
        {"status": "STARTING"},
        {"ssh": None, "runtime": {"uptime": 3, "ports": []}},
        {
            "ssh": {"direct": None},
            "runtime": {"uptime": 3, "ports": [{"private": 22, "public": 9, "type": "tcp", "ip": "100.65.14.155"}]},
        },
    ],
)
def test_a_pod_without_a_way_in_has_no_address(changes: dict[str, Any]) -> None:
    assert as_pod(pod_row(**changes)).address is None


def test_the_address_comes_from_the_ports_without_an_ssh_block() -> None:
    assert as_pod(pod_row(ssh={"direct": None})).address == Address(host="213.173.104.74", port=35558)


def test_a_pod_with_few_fields() -> None:
    pod = as_pod({"id": "x", "status": "NEW"})
    assert (pod.status, pod.address, pod.created_at, pod.usd_per_hour) == ("NEW", None, None, None)
    assert as_pod({"id": "x", "status": "NEW", "createdAt": "yesterday"}).created_at is None


def test_a_status_that_cannot_be_read_is_unknown() -> None:
    assert as_pod({"id": "x"}).status == as_pod({"id": "x", "status": None}).status == "UNKNOWN"


@pytest.mark.parametrize("row", [{}, {"id": ""}, {"id": None}, {"status": "RUNNING"}])
def test_a_pod_without_id_is_none(row: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        as_pod(row)


def test_the_environment_is_not_in_the_pod_s_repr() -> None:
    assert "ssh-ed25519" not in repr(as_pod(pod_row()))


RECORDED = Path(__file__).parents[5] / "shared" / "data" / "recorded-live-2026-08-20.json"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not at hand")
def test_the_recorded_pod_is_read() -> None:
    recorded = json.loads(RECORDED.read_text())
    assert as_pod(recorded["v2_pod_ready"]).address == Address(host="213.173.104.74", port=35558)
    assert as_pod(recorded["v2_pod_just_created_partial"]).address is None
