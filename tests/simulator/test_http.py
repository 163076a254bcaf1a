"""The rules that every request is under: who asks, how much, how often, and what is left in doubt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Sim

NO_MATCH = r"does not match pattern '^\d+\.\d+$'"


def test_a_client_without_a_name_of_its_own_is_stopped_at_the_gate(sim: Sim) -> None:
    for agent in ("", "Python-urllib/3.11"):
        answer = sim.call("GET", "/v2/pods", User_Agent=agent)
        assert (answer.status, answer.body) == (403, b"error code: 1010")


def test_without_a_key_or_with_a_wrong_one_there_is_nothing(sim: Sim) -> None:
    missing = sim.call("GET", "/v2/pods", Authorization=None)
    assert (missing.status, missing.body["detail"]) == (401, "missing bearer token")
    for sent in ("Bearer rpa_WRONG", sim.key, f"Basic {sim.key}", f"Bearer{sim.key}", "Bearer"):
        assert sim.call("GET", "/v2/pods", Authorization=sent).status == 401
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert sim.call("GET", "/v2/pods", Authorization=f"{scheme} {sim.key}").status == 200


def test_the_api_describes_itself_to_everybody(sim: Sim) -> None:
    described = sim.call("GET", "/v2/openapi.json", Authorization=None)
    assert described.status == 200
    schema = described.body["paths"]["/v2/pods"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["name"]
    assert sim.call("GET", "/v2/openapi.yaml", Authorization=None).status == 200


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("pods/none", "pod not found"),
        ("pods/none/logs", "pod not found"),
        ("templates/none", "resource not found"),
        ("network-volumes/none", "resource not found"),
        ("registries/none", "resource not found"),
        ("account/secrets/none", "resource not found"),
        ("catalog/gpus/none", "resource not found"),
        ("catalog/cpus/none", "resource not found"),
        ("catalog/datacenters/eu-ro-1", "resource not found"),
        ("none", "The requested path was not found."),
    ],
)
def test_what_is_not_there_is_named_as_documented(sim: Sim, path: str, detail: str) -> None:
    answer = sim.call("GET", "/v2/" + path)
    assert (answer.status, answer.body["detail"]) == (404, detail)


def test_a_large_body_is_refused_before_the_key_is_looked_at(sim: Sim) -> None:
    body = b'{"name": "' + b"x" * 102_400 + b'"}'
    assert sim.call("POST", "/v2/pods", body, Authorization=None).status == 413


def test_paths_and_methods(sim: Sim) -> None:
    unknown = sim.call("GET", "/v2/nothing")
    assert (unknown.status, unknown.body["detail"]) == (404, "The requested path was not found.")
    wrong = sim.call("PUT", "/v2/pods", {})
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"colour": "red"}, "$: additional properties 'colour' not allowed"),
        ({"image": None}, "$.image: got null, want string"),
        ({"gpu": {"count": 1}}, "$.gpu: missing property 'id'"),
        ({"gpu": {"id": "SIM 3600", "count": 0}}, "$.gpu.count: minimum: got 0, want 1"),
        (
            {"gpu": {"id": "a", "minCudaVersion": "12.8\n"}},
            "$.gpu.minCudaVersion: '12.8\n' does not match pattern '^\\d+\\.\\d+$'",
        ),
        ({"cloud": "ALL"}, "$.cloud: value must be one of 'SECURE', 'COMMUNITY'"),
        ({"env": {"A": 1}}, "$.env.A: got integer, want string"),
    ],
)
def test_a_body_that_breaks_the_schema_is_told_where(sim: Sim, change: dict[str, object], error: str) -> None:
    answer = sim.call("POST", "/v2/pods", sim.body(**change))
    assert (answer.status, answer.body["detail"]) == (422, "Request validation failed.")
    assert error in answer.body["errors"]


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": {"id": "cpu3c", "vcpuCount": 2}},
        {"gpu": {"id": "SIM 3600", "minCudaVersion": "12.8", "allowedCudaVersions": ["12.8"]}},
        {"mounts": {"persistent": {"size": 10, "path": "/a"}, "network": [{"volumeId": "v", "path": "/b"}]}},
        {"args": "sleep 1", "cmd": ["sleep", "2"]},
        {"env": {f"V{number}": "" for number in range(51)}},
        {"dataCenterIds": ["eu-ro-1"]},
    ],
)
def test_a_body_that_breaks_a_rule_is_a_bad_request(sim: Sim, change: dict[str, object]) -> None:
    assert sim.call("POST", "/v2/pods", sim.body(**change)).status == 400


def test_queries(sim: Sim) -> None:
    assert sim.call("GET", "/v2/pods?colour=red").status == 200
    assert sim.call("GET", "/v2/pods?includeClusterPods=maybe").status == 422
    twice = sim.call("GET", "/v2/catalog/datacenters?regions=EUROPE&regions=ASIA")
    assert twice.body["errors"] == ["parameter 'regions' is not exploded, but is specified multiple times"]
    asia = sim.call("GET", "/v2/catalog/datacenters?regions=ASIA,OCEANIA").body["dataCenters"]
    assert {row["region"] for row in asia} == {"ASIA", "OCEANIA"}
    for query in ("include=AVAILABILITY", "product=POD", "count=2"):
        assert sim.call("GET", "/v2/catalog/gpus?" + query).status == 400


def test_a_used_up_quota_says_when_to_come_back(serve: Callable[..., Sim]) -> None:
    sim = serve("--requests-per-minute", "3")
    # More than two minutes' worth, because a minute may turn meanwhile.
    told = [sim.call("GET", "/v2/pods") for _ in range(8)]
    limited = told[-1]
    assert limited.status == 429
    assert told[0].headers["RateLimit-Policy"].startswith('"minute";q=3;w=60, "hour"')
    assert told[0].headers["RateLimit"].startswith('"minute";r=2;t=')
    assert limited.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert 1 <= int(limited.headers["Retry-After"]) <= 60


def test_a_volume_binds_its_pod_to_its_datacenter(sim: Sim) -> None:
    ask = {"name": "v", "size": 10, "dataCenter": "CA-MTL-3"}
    volume = sim.call("POST", "/v2/network-volumes", ask).body
    mounts = {"network": [{"volumeId": volume["id"], "path": "/workspace"}]}
    assert sim.create(mounts=mounts)["dataCenterId"] == "CA-MTL-3"
    elsewhere = sim.call("POST", "/v2/pods", sim.body(mounts=mounts, dataCenterIds=["EUR-IS-1"]))
    assert elsewhere.status == 400
    assert 'is in data center "CA-MTL-3", which is not in the requested set [EUR-IS-1]' in elsewhere.body["detail"]
    assert sim.call("POST", "/v2/pods", sim.body(mounts=mounts, cloud="COMMUNITY")).status == 400
    path = f"/v2/network-volumes/{volume['id']}"
    assert sim.call("PATCH", path, {"size": 20}).body["size"] == 20
    assert sim.call("PATCH", path, {"size": 10}).status == 400
    unable = sim.call("POST", "/v2/network-volumes", ask | {"dataCenter": "US-KS-2"})
    assert unable.status == 400
    assert "CA-MTL-3" in unable.body["detail"]


def test_stock_is_what_the_catalogue_derives_its_words_from(sim: Sim) -> None:
    gpu, home = "NVIDIA L4", "EU-RO-1"
    sim.call("PUT", "/_sim/stock", {"count": 2, "gpu": gpu, "datacenter": home})

    def level() -> str | None:
        shown = sim.call("GET", "/v2/catalog/gpus/NVIDIA%20L4?include=AVAILABILITY&product=POD").body
        return next((str(row["availability"]) for row in shown["dataCenters"] if row["id"] == home), None)

    assert level() == "LOW"
    pod = sim.create(gpu={"id": gpu, "count": 2}, dataCenterIds=[home])
    assert level() is None
    assert sim.call("POST", "/v2/pods", sim.body(gpu={"id": gpu}, dataCenterIds=[home])).status == 400
    sim.call("DELETE", f"/v2/pods/{pod['id']}")
    assert level() == "LOW"


def test_only_the_token_opens_the_control_api(sim: Sim) -> None:
    for sent in (None, f"Bearer {sim.key}", "Bearer ", f"Bearer {sim.token}x"):
        assert sim.call("GET", "/_sim/ledger", Authorization=sent).status == 401
    assert sim.call("GET", "/_sim/ledger").status == 200


@pytest.mark.parametrize("path", ["/v2/pods", "/_sim/ledger"])
@pytest.mark.parametrize("foreign", [{"Origin": "https://example.com"}, {"Host": "example.com"}, {"Origin": "null"}])
def test_a_web_page_cannot_reach_the_simulator(sim: Sim, path: str, foreign: dict[str, str]) -> None:
    assert sim.call("GET", path, **foreign).status == 403
    assert sim.call("GET", path).status == 200
