"""What the cloud refuses to place, and what its catalogue shows of the places that are left."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Json, Sim

AMD: Json = {"id": "AMD Instinct MI300X OAM", "count": 1}
CPU = {"id": "cpu3c", "vcpuCount": 2}
STOCK = "include=AVAILABILITY&product=POD"
NO_CAPACITY = "There are no longer any instances available with the requested specifications."
NO_DISK = "There are no longer any instances available with enough disk space."


def refusal(sim: Sim, status: int = 400, **change: Any) -> str:
    """The reason why a pod with this change is not created."""
    body = {name: value for name, value in sim.body(**change).items() if value is not None}
    answer = sim.call("POST", "/v2/pods", body)
    assert answer.status == status, answer.body
    return str(answer.body["detail"])


@pytest.mark.parametrize(
    "change",
    [
        {"gpu": {"id": "SIM 3600", "minRamPerGpu": 100_000}},
        {"gpu": {"id": "SIM 3600", "minVcpuCountPerGpu": 1000}},
        {"gpu": {"id": "SIM 3600", "count": 9}},
        {"gpu": {"id": "SIM 3600", "minCudaVersion": "9" * 5000 + ".0"}},
        {"gpu": AMD | {"minCudaVersion": "12.0"}},
        {"gpu": AMD, "cloud": "COMMUNITY"},
        {"gpu": {"id": "NVIDIA GeForce RTX 3080"}},
        {"gpu": None, "cpu": CPU, "cloud": "COMMUNITY"},
        {"cloud": "COMMUNITY", "dataCenterIds": ["EU-RO-1"]},
        {"cloud": "COMMUNITY", "globalNetworking": True},
    ],
)
def test_what_no_host_has_is_out_of_stock(sim: Sim, change: Json) -> None:
    assert refusal(sim, **change).startswith(NO_CAPACITY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gpu": AMD, "globalNetworking": True}, "NVIDIA"),
        ({"gpu": None, "cpu": CPU, "globalNetworking": True}, "NVIDIA"),
        ({"globalNetworking": True, "dataCenterIds": ["US-KS-2"]}, "does not support global networking"),
        ({"gpu": None, "cpu": {"id": "cpu3c", "vcpuCount": 6}}, "power of two"),
        ({"gpu": None, "cpu": {"id": "cpu3c", "vcpuCount": 64}}, "at most 32"),
        ({"gpu": None, "cpu": CPU, "mounts": {"persistent": {"size": 10, "path": "/w"}}}, "CPU pods"),
        ({"gpu": None}, "exactly one of gpu or cpu"),
        ({"disk": 10**9}, NO_DISK),
        ({"mounts": {"persistent": {"size": 10**9, "path": "/w"}}}, NO_DISK),
        ({"mounts": {"persistent": {"size": 10, "path": "/"}}}, "must not be /"),
        ({"mounts": {"persistent": {"size": 10, "path": "w"}}}, "must be absolute"),
        ({"name": "n" * 256}, "at most 255 characters"),
        ({"image": " "}, "image is required"),
        ({"ports": ["22/tcp", "22/tcp"]}, "given twice"),
        ({"env": {"A=B": "1"}}, "no process can have"),
        ({"env": {"A": "\0"}}, "no process can have"),
        ({"cmd": ["a\0b"]}, "NUL"),
        ({"args": '{"cmd": "sleep 1"}'}, "lists of strings"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_rule(sim: Sim, change: Json, reason: str) -> None:
    assert reason in refusal(sim, **change)


@pytest.mark.parametrize("port", ["22", "0/tcp", "65536/tcp", "99999/tcp", "22/udp", "-1/tcp", "٢٢/tcp", "22/tcp\n"])
def test_a_port_that_cannot_be_is_a_breach_of_the_schema(sim: Sim, port: str) -> None:
    assert refusal(sim, 422, ports=["8888/http", port]) == "Request validation failed."


def test_a_template_s_cuda_versions_bind_a_gpu_pod_that_names_none(sim: Sim) -> None:
    ask = {"name": "cuda", "image": "debian:12", "disk": 10, "allowedCudaVersions": ["99.0"]}
    ask |= {"mounts": {"persistent": {"size": 10, "path": "/w"}}}
    template = sim.call("POST", "/v2/templates", ask).body["id"]
    assert refusal(sim, templateId=template).startswith(NO_CAPACITY)
    assert sim.create(templateId=template, gpu={"id": "SIM 3600", "minCudaVersion": "12.8"})["mounts"]
    body = {name: value for name, value in sim.body(templateId=template, cpu=CPU).items() if name != "gpu"}
    assert sim.call("POST", "/v2/pods", body).body["mounts"] == {}
    sim.call("DELETE", f"/v2/templates/{template}")


def test_a_pod_is_placed_where_its_network_is(sim: Sim) -> None:
    pod = sim.create(globalNetworking=True, dataCenterIds=["US-KS-2", "EU-RO-1"])
    assert pod["dataCenterId"] == "EU-RO-1"
    elsewhere = sim.create(dataCenterIds=["US-KS-2"])
    change = sim.call("PATCH", f"/v2/pods/{elsewhere['id']}", {"globalNetworking": True})
    assert (change.status, "global networking" in change.body["detail"]) == (400, True)


def test_a_pod_gets_a_share_of_its_host_for_each_gpu(sim: Sim) -> None:
    gpu = {"id": "NVIDIA RTX PRO 4500 Blackwell", "count": 2, "minRamPerGpu": 62, "minVcpuCountPerGpu": 12}
    assert sim.create(gpu=gpu)["gpu"] == {"id": gpu["id"], "count": 2, "vcpuCount": 24, "memory": 124}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("include=AVAILABILITY,AVAILABILITY&product=POD", 422),
        ("include=&product=POD", 422),
        (f"{STOCK}&countryCodes=ro", 422),
        (f"{STOCK}&countryCodes=RO,", 422),
        (f"{STOCK}&cudaVersions=12", 422),
        (f"{STOCK}&minCudaVersion=12.8.1", 422),
        (f"{STOCK}&minCudaVersion=new", 422),
        (f"{STOCK}&cudaVersions=12.8&minCudaVersion=12", 400),
        (f"{STOCK}&cloud=ALL", 422),
        (f"{STOCK}&count=0", 422),
        (f"{STOCK}&count={'9' * 5000}", 200),
        ("minCudaVersion=12", 400),
        ("include=AVAILABILITY", 400),
        ("product=POD", 400),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(sim: Sim, query: str, status: int) -> None:
    assert sim.call("GET", "/v2/catalog/gpus?" + query).status == status
    assert sim.call("GET", "/v2/catalog/gpus/NVIDIA%20A40?" + query).status == status


def test_the_filters_of_cpus_are_checked(sim: Sim) -> None:
    for query, status in (("vcpuCount=6", 400), ("vcpuCount=1", 422), ("vcpuCount=64", 200)):
        answer = sim.call("GET", f"/v2/catalog/cpus?{STOCK}&{query}")
        assert answer.status == status, query
    assert {row["availability"] for row in answer.body["cpus"]} == {"NONE"}


def gpus(sim: Sim, query: str) -> dict[str, Json]:
    """The rows of the catalogue with their stock, by id."""
    return {row["id"]: row for row in sim.call("GET", f"/v2/catalog/gpus?{STOCK}&{query}").body["gpus"]}


def test_countries_narrow_the_list_and_the_rows(sim: Sim) -> None:
    there = gpus(sim, "countryCodes=RO,CZ")
    assert {place["id"] for row in there.values() for place in row["dataCenters"]} == {"EU-RO-1", "EU-CZ-1"}
    assert gpus(sim, "countryCodes=ZZ") == {}
    one = sim.call("GET", f"/v2/catalog/gpus/NVIDIA%20A40?{STOCK}&countryCodes=ZZ").body
    assert (one["availability"], "dataCenters" in one) == ("NONE", False)


def test_what_no_host_has_is_shown_as_none_and_without_places(sim: Sim) -> None:
    for query in ("count=9", "minCudaVersion=99", "cudaVersions=99.0"):
        row = gpus(sim, query)["NVIDIA A40"]
        assert (row["availability"], "dataCenters" in row) == ("NONE", False), query
    assert "cudaVersions" not in gpus(sim, "")[AMD["id"]]
    assert [row["version"] for row in gpus(sim, "minCudaVersion=12.8")["NVIDIA A40"]["cudaVersions"]] == [
        "12.8",
        "13.0",
    ]


def test_the_stock_of_a_datacenter_has_no_row_for_what_is_sold_out(sim: Sim) -> None:
    sim.call("PUT", "/_sim/stock", {"count": 0, "gpu": "NVIDIA L40S", "datacenter": "EU-RO-1"})
    shown = sim.call("GET", "/v2/catalog/datacenters/EU-RO-1?include=GPU_AVAILABILITY").body["gpuAvailability"]
    assert "NVIDIA L40S" not in {row["id"] for row in shown}
    assert "NONE" not in {row["availability"] for row in shown}


def test_a_row_of_the_catalogue_stands_for_no_gpu(sim: Sim) -> None:
    row = sim.call("GET", "/v2/catalog/gpus/unknown").body
    assert (row["memory"], row["secure"], row["community"], row["maxCount"]) == (
        0,
        False,
        False,
        {"secure": 0, "community": 0},
    )
    assert refusal(sim, gpu={"id": "unknown"}).startswith(NO_CAPACITY)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"name": "\\ud800", "image": "x"}', b'{"disk": 1e400}', b'{"disk": NaN}', b"\xff"]
)
def test_a_body_that_is_hard_to_read_is_refused(sim: Sim, body: bytes) -> None:
    assert sim.call("POST", "/v2/pods", body).status in (400, 422)
    assert sim.call("POST", "/graphql", body).status == 400


def test_an_integer_may_be_written_as_a_decimal(sim: Sim) -> None:
    pod = sim.create(disk=20.0, gpu={"id": "SIM 3600", "count": 1.0})
    assert isinstance(pod["disk"], int)
    sim.until(lambda: sim.pod(pod)["runtime"])
