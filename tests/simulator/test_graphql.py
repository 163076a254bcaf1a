"""The older API, as the clients that still use it speak it: arguments in the text, errors on HTTP 200."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Answer, Json, Sim


def post(sim: Sim, query: str, variables: Json | None = None, **headers: str | None) -> Answer:
    return sim.call("POST", "/graphql", {"query": query, "variables": variables}, **headers)


def data(sim: Sim, query: str, variables: Json | None = None) -> Any:
    answer = post(sim, query, variables)
    assert answer.status == 200, answer.body
    assert "errors" not in answer.body, answer.body
    return answer.body["data"]


def deploy(sim: Sim, more: str = "") -> Json:
    """A pod made as the official SDK makes one."""
    key = (sim.home / "key.pub").read_text().strip()
    query = f"""
    mutation {{
      podFindAndDeployOnDemand(
        input: {{
          name: "old", imageName: "runpod/base:1", cloudType: ALL, startSsh: true, gpuTypeId: "SIM 3600",
          supportPublicIp: true, gpuCount: 1, volumeInGb: 20, minVcpuCount: 1, minMemoryInGb: 1,
          dataCenterId: null, dockerArgs: "", containerDiskInGb: 10, ports: "22/tcp,8888/http",
          volumeMountPath: "/workspace", env: [{{ key: "PUBLIC_KEY", value: "{key}" }}] {more}
        }}
      ) {{ id imageName env machineId machine {{ podHostId }} desiredStatus lastStatusChange }}
    }}"""
    return dict(data(sim, query)["podFindAndDeployOnDemand"])


def test_a_pod_is_made_seen_stopped_resumed_and_ended(sim: Sim) -> None:
    pod = deploy(sim, "")
    assert pod["desiredStatus"] == "RUNNING"
    assert pod["lastStatusChange"].startswith("Rented by User: ")
    sim.ready(pod)
    runtime = "runtime { ports { ip isIpPublic privatePort publicPort type } }"
    [row] = data(sim, f"query myPods {{ myself {{ pods {{ id name ports volumeInGb {runtime} }} }} }}")["myself"][
        "pods"
    ]
    assert (row["id"], row["name"], row["ports"], row["volumeInGb"]) == (pod["id"], "old", "22/tcp,8888/http", 20)
    public = [port["privatePort"] for port in row["runtime"]["ports"] if port["isIpPublic"]]
    assert public == [22]
    arguments = f'input: {{podId: "{pod["id"]}"}}'
    assert (
        data(sim, f"mutation {{ podStop({arguments}) {{ id desiredStatus }} }}")["podStop"]["desiredStatus"] == "EXITED"
    )
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    resume = f'mutation {{ podResume(input: {{podId: "{pod["id"]}", gpuCount: 1}}) {{ desiredStatus }} }}'
    assert data(sim, resume) == {"podResume": {"desiredStatus": "RUNNING"}}
    assert data(sim, f"mutation {{ podTerminate({arguments}) }}") == {"podTerminate": None}
    assert data(sim, f"query {{ pod({arguments}) {{ id }} }}") == {"pod": None}


def test_variables_work_too(sim: Sim) -> None:
    pod = deploy(sim)
    query = "query Pod($input: PodFilter!) { pod(input: $input) { id costPerHr machine { gpuDisplayName } } }"
    shown = data(sim, query, {"input": {"podId": pod["id"]}})["pod"]
    assert shown == {"id": pod["id"], "costPerHr": 3600, "machine": {"gpuDisplayName": "SIM 3600"}}


def test_the_balance_is_here_only(sim: Sim) -> None:
    query = "query { myself { id clientBalance currentSpendPerHr spendLimit } }"
    before = data(sim, query)["myself"]
    deploy(sim)
    after = data(sim, query)["myself"]
    assert before["currentSpendPerHr"] == 0
    assert 3600 < after["currentSpendPerHr"] < 3601
    assert after["clientBalance"] < before["clientBalance"]


def test_kinds_and_their_stock(sim: Sim) -> None:
    price = "lowestPrice(input: {gpuCount: 1, secureCloud: true}) { stockStatus uninterruptablePrice }"
    [gpu] = data(sim, f'query {{ gpuTypes(input: {{id: "NVIDIA A40"}}) {{ id memoryInGb {price} }} }}')["gpuTypes"]
    assert gpu["memoryInGb"] == 48
    assert gpu["lowestPrice"] == {"stockStatus": "High", "uninterruptablePrice": 0.4}
    homes = data(sim, "query { dataCenters { id location gpuAvailability { gpuTypeId stockStatus } } }")["dataCenters"]
    romania = next(home for home in homes if home["id"] == "EU-RO-1")
    assert {"gpuTypeId": "NVIDIA A40", "stockStatus": "Medium"} in romania["gpuAvailability"]


def test_what_was_asked_wrongly_is_an_error_on_200(sim: Sim) -> None:
    sim.fault(what="no-stock")
    query = (
        """mutation { podFindAndDeployOnDemand(input: {gpuTypeId: "SIM 3600", imageName: "a:b", name: "n"}) { id } }"""
    )
    answer = post(sim, query)
    assert answer.status == 200
    [error] = answer.body["errors"]
    assert error["message"].startswith("There are no longer any instances available")
    assert (error["path"], error["extensions"]) == (["podFindAndDeployOnDemand"], {"code": "RUNPOD"})
    assert answer.body["data"] == {"podFindAndDeployOnDemand": None}


def test_what_is_no_query_of_this_schema_is_refused(sim: Sim) -> None:
    for query, text in (
        ("query { myself { shoeSize } }", 'Cannot query field "shoeSize" on type "User".'),
        ("query { gpuTypes { stockStatus } }", 'Cannot query field "stockStatus" on type "GpuType".'),
        ("query { __schema { types { name } } }", "GraphQL introspection has been disabled"),
        ("query {", "Syntax Error"),
        ('mutation { podFindAndDeployOnDemand(input: {stopAfter: "1h"}) { id } }', "DateTime cannot represent"),
    ):
        answer = post(sim, query)
        assert answer.status == 400, query
        assert text in answer.body["errors"][0]["message"]
    assert sim.call("POST", "/graphql", b"nothing").status == 400


def test_a_pods_key_reaches_its_own_pod_only(sim: Sim) -> None:
    pod, other = sim.ready(deploy(sim)), deploy(sim)
    key = sim.ssh(pod, "tr '\\0' '\\n' </proc/1/environ | sed -n s/^RUNPOD_API_KEY=//p").stdout.decode().strip()

    def own(query: str) -> Json:
        return dict(post(sim, query, Authorization=f"Bearer {key}").body)

    refused = own("query { myself { clientBalance } }")
    assert (refused["errors"][0]["message"], refused["data"]) == ("Unauthorized", {"myself": None})
    assert own(f'query {{ pod(input: {{podId: "{pod["id"]}"}}) {{ name }} }}') == {"data": {"pod": {"name": "old"}}}
    assert (
        own(f'mutation {{ podTerminate(input: {{podId: "{other["id"]}"}}) }}')["errors"][0]["message"] == "Unauthorized"
    )
    assert own(f'mutation {{ podTerminate(input: {{podId: "{pod["id"]}"}}) }}') == {"data": {"podTerminate": None}}
    assert sim.ledger_row(pod)["how"] == "self-deleted"
    assert sim.call("GET", f"/v2/pods/{other['id']}").status == 200


def test_the_key_may_be_in_the_address(sim: Sim) -> None:
    query = {"query": "query { myself { id } }"}
    assert sim.call("POST", "/graphql?api_key=wrong", query, Authorization=None).status == 401
    assert sim.call("POST", f"/graphql?api_key={sim.key}", query, Authorization=None).status == 200
    assert sim.call("GET", f"/v2/pods?api_key={sim.key}", Authorization=None).status == 401


def test_public_queries_need_no_key_and_others_do(sim: Sim) -> None:
    public = "{ gpuTypes { id } dataCenters { id } cpuFlavors { id } }"
    assert "errors" not in post(sim, public, Authorization=None).body
    for query in (
        "{ myself { id } }",
        '{ pod(input: {podId: ""}) { id } }',
        'mutation { podFindAndDeployOnDemand(input: {gpuTypeId: "SIM 3600", imageName: "a:b", name: "n"}) { id } }',
        'mutation { createNetworkVolume(input: {name: "v", size: 10, dataCenterId: "EU-RO-1"}) { id } }',
    ):
        answer = post(sim, query, Authorization=None)
        assert (answer.status, answer.body["errors"][0]["message"]) == (200, "Unauthorized")


def lowest(sim: Sim, filters: str, gpu: str = "NVIDIA A40") -> Json:
    fields = "stockStatus uninterruptablePrice gpuTypeCudaVersions { cudaVersion availability }"
    price = f"lowestPrice(input: {{{filters}}}) {{ {fields} }}"
    return dict(data(sim, f'query {{ gpuTypes(input: {{id: "{gpu}"}}) {{ {price} }} }}')["gpuTypes"][0]["lowestPrice"])


def test_the_lowest_price_passes_its_filters(sim: Sim) -> None:
    everywhere = lowest(sim, "gpuCount: 1")
    assert everywhere["stockStatus"] == "High"
    assert {"cudaVersion": "12.8", "availability": "AVAILABLE"} in everywhere["gpuTypeCudaVersions"]
    assert lowest(sim, 'gpuCount: 1, allowedCudaVersions: ["12.8"], countryCode: "RO"')["stockStatus"] == "Medium"
    for none in (
        "gpuCount: 9",
        'gpuCount: 1, allowedCudaVersions: ["99.0"]',
        'gpuCount: 1, countryCode: "ZZ"',
        "gpuCount: 1, minMemoryInGb: 100000",
        "gpuCount: 1, minVcpuCount: 1000",
        "gpuCount: 1, minDownload: 100000",
        "gpuCount: 1, minDisk: 1000000",
        'gpuCount: 1, dataCenterId: "EU-SE-1", globalNetwork: true',
        'gpuCount: 1, compliance: ["ITAR"]',
        "gpuCount: 1, secureCloud: false",
    ):
        row = lowest(sim, none)
        assert (row["stockStatus"], row["uninterruptablePrice"]) == (None, None), none


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("gpuCount: -1", "want 1"),
        ("gpuCount: 9", "no longer any instances"),
        ("minMemoryInGb: 100000", "no longer any instances"),
        ("minVcpuCount: 1000", "no longer any instances"),
        ("minUpload: 100000", "no longer any instances"),
        ('countryCode: "ZZ"', "no longer any instances"),
        ('compliance: ["ITAR"]', "no longer any instances"),
        ('dataCenterIds: ["US-KS-2"], countryCode: "RO"', "no longer any instances"),
        ('allowedCudaVersions: ["99.0"]', "no longer any instances"),
        ("containerDiskInGb: -5", "want 1"),
        ("volumeInGb: -5", "want 10"),
        ('ports: "22"', "validation failed"),
        ('volumeMounts: [{volumeId: "none", mountPath: "/v"}]', "resource not found"),
        ('volumeMounts: [{volumeId: "a", mountPath: "/v"}, {volumeId: "b", mountPath: "/w"}]', "want 1"),
        ('volumeMounts: [{volumeId: "a", mountPath: "/v", volumeType: OBJECT_STORE_VOLUME}]', "cannot be mounted"),
    ],
)
def test_a_create_that_rest_would_refuse_is_refused_here(sim: Sim, more: str, reason: str) -> None:
    asked = f'input: {{gpuTypeId: "SIM 3600", imageName: "a:b", name: "n", {more}}}'
    body = post(sim, f"mutation {{ podFindAndDeployOnDemand({asked}) {{ id }} }}").body
    assert reason in body["errors"][0]["message"]
    assert sim.call("GET", "/v2/pods").body["pods"] == []


@pytest.mark.parametrize("size", ["cpu3c-two-4", "cpu3c-2", "cpu3c-2-5", "cpu9-2-4", "cpu3c-6-12", "cpu3c-64-128"])
def test_a_cpu_flavor_comes_in_its_sizes_only(sim: Sim, size: str) -> None:
    asked = f'input: {{instanceId: "{size}", imageName: "a:b", name: "n"}}'
    assert post(sim, f"mutation {{ deployCpuPod({asked}) {{ id }} }}").body["errors"]


def test_a_volume_is_made_grown_mounted_and_deleted(sim: Sim) -> None:
    def volume(action: str, given: str, fields: str = "") -> Json:
        return dict(post(sim, f"mutation {{ {action}NetworkVolume(input: {{{given}}}) {fields} }}").body)

    made = volume("create", 'name: "v", size: 10, dataCenterId: "EU-RO-1"', "{ id size dataCenterId }")
    made = made["data"]["createNetworkVolume"]
    which = f'id: "{made["id"]}"'
    assert volume("update", f"{which}, size: 20", "{ size }")["data"] == {"updateNetworkVolume": {"size": 20}}
    assert "cannot be reduced" in volume("update", f"{which}, size: 10", "{ id }")["errors"][0]["message"]
    assert volume("create", 'name: "v", size: 9, dataCenterId: "EU-RO-1"', "{ id }")["errors"]
    assert volume("create", 'name: "v", size: 10, dataCenterId: "US-KS-2"', "{ id }")["errors"]
    pod = deploy(sim, f', volumeMounts: [{{volumeId: "{made["id"]}", volumeType: NETWORK_VOLUME, mountPath: "/data"}}]')
    shown = sim.pod(pod)
    assert shown["mounts"] == {"network": [{"volumeId": made["id"], "path": "/data"}]}
    assert shown["dataCenterId"] == "EU-RO-1"
    assert "attached" in volume("delete", which)["errors"][0]["message"]
    sim.call("DELETE", f"/v2/pods/{pod['id']}")
    assert volume("delete", which)["data"] == {"deleteNetworkVolume": None}


def test_a_secret_has_the_names_of_the_newer_api(sim: Sim) -> None:
    for name in ("RUNPOD_X", "1st", "a b", "", "n" * 192):
        query = f'mutation {{ secretCreate(input: {{name: "{name}", value: "v"}}) {{ id }} }}'
        assert post(sim, query).body["errors"], name


def test_the_last_change_of_a_pod_is_the_last(sim: Sim) -> None:
    pod = deploy(sim)

    def change() -> str:
        query = f'query {{ pod(input: {{podId: "{pod["id"]}"}}) {{ lastStatusChange }} }}'
        return str(data(sim, query)["pod"]["lastStatusChange"])

    sim.act(pod, "stop")
    sim.until(lambda: change().startswith("Exited by user: "))
    sim.act(pod, "start")
    assert change().startswith("Rented by User: ")
